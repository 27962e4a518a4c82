"""Checks of `architectures`: parameters at full size, everything else on narrow copies with the reference's weights."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

from autograder.checks import check
from autograder.checks.networks import (
    agree,
    is_identity_with_zero_weights,
    same_dropout,
    same_gradients,
    same_parameters,
    same_shapes,
    same_statistics,
)

from .reference import VGG, VGG16, VGG19, AlexNet, BasicBlock, Bottleneck, GoogLeNet, Inception, LeNet5, ResNet, conv_bn


def cross_entropy(labels: list[int]):
    """The loss of logits (of several outputs: their sum), for a batch of these labels."""
    target = torch.tensor(labels)
    return lambda *outputs: sum(functional.cross_entropy(logits, target) for logits in outputs)


def options(draw, width: float) -> dict[str, float]:
    """A small network of the family, with a number of classes that nobody guesses."""
    return {"classes": draw.integer(5, 12), "width": width}


def small_config(draw) -> list[int | str]:
    """Four stages of one to three convolutions, each stage with another number of channels."""
    config: list[int | str] = []
    for channels in (64, 128, 192, 256):
        config += [channels] * draw.integer(1, 3) + ["M"]
    return config


def inception_sizes(draw) -> list[int]:
    """Six different numbers of channels, so that no two branches can be taken for each other."""
    return draw.shuffled(range(3, 12))[:6]


@check(cell="LeNet5", points=3)
def lenet_parameters(student, draw):
    """61,706 parameters, in layers of the right shapes; other numbers of classes too."""
    same_parameters(student.LeNet5(), LeNet5())
    classes = draw.integer(11, 30)
    same_parameters(student.LeNet5(classes=classes), LeNet5(classes=classes))


@check(cell="LeNet5", points=2, is_property=True)
def lenet_shapes(student, draw):
    """One logit for each class and image, in training and in evaluation mode."""
    classes, x = draw.integer(5, 12), draw.tensor.images(3, 1, 32, 32)
    for training in (True, False):
        same_shapes(student.LeNet5(classes=classes), LeNet5(classes=classes), x, training=training)


@check(cell="LeNet5", points=4)
def lenet_output(student, draw):
    """The reference's weights in your network give the reference's logits."""
    agree(student.LeNet5(), LeNet5(), draw.tensor.normal(4, 1, 32, 32), what="the logits")


@check(cell="LeNet5", points=2)
def lenet_gradients(student, draw):
    """The gradients of the cross-entropy are the reference's, down to the pixels."""
    labels = [draw.integer(0, 9) for _ in range(3)]
    same_gradients(student.LeNet5(), LeNet5(), draw.tensor.normal(3, 1, 32, 32), cross_entropy(labels))


@check(cell="AlexNet", points=3)
def alexnet_parameters(student, draw):
    """62,378,344 parameters without groups, 60,965,224 with two; other numbers of classes too."""
    network = student.value("AlexNet")
    same_parameters(network, AlexNet)
    same_parameters(network, AlexNet, groups=2)
    same_parameters(network, AlexNet, **options(draw, 1 / 8))


@check(cell="AlexNet", points=4)
def alexnet_output(student, draw):
    """The reference's weights in your network, 1/16 as wide, give the reference's logits."""
    chosen = options(draw, 1 / 16)
    agree(student.AlexNet(**chosen), AlexNet(**chosen), draw.tensor.normal(2, 3, 227, 227), what="the logits")


@check(cell="AlexNet", points=2)
def alexnet_groups(student, draw):
    """The same with two groups."""
    chosen = options(draw, 1 / 16)
    model, right = student.AlexNet(**chosen, groups=2), AlexNet(**chosen, groups=2)
    agree(model, right, draw.tensor.normal(2, 3, 227, 227), what="the logits")


@check(cell="AlexNet", points=3, is_property=True)
def alexnet_dropout(student, draw):
    """Dropout of one half behind each hidden linear layer, in training alone."""
    chosen = options(draw, 1 / 32)
    same_dropout(student.AlexNet(**chosen), AlexNet(**chosen), draw.tensor.images(2, 3, 227, 227))


@check(cell="VGG", points=3)
def vgg_parameters(student, draw):
    """138,357,544 parameters for VGG16, 143,667,240 for VGG19; other numbers of classes and sizes too."""
    network = student.value("VGG")
    same_parameters(network, VGG, list(VGG16))
    same_parameters(network, VGG, list(VGG19))
    same_parameters(network, VGG, small_config(draw), size=draw.choice([48, 64, 80]), **options(draw, 1 / 8))


@check(cell="VGG", points=4)
def vgg_output(student, draw):
    """Any config: the reference's weights in your network give the reference's logits."""
    for size in (32, 48):
        config, chosen = small_config(draw), {"size": size, **options(draw, 1 / 16)}
        x = draw.tensor.normal(2, 3, size, size)
        agree(student.VGG(config, **chosen), VGG(config, **chosen), x, what="the logits")


@check(cell="VGG", points=3)
def vgg16_output(student, draw):
    """VGG16, 1/16 as wide, on 64x64 pixels: logits and gradients are the reference's."""
    chosen = {"size": 64, **options(draw, 1 / 16)}
    model, right = student.VGG(list(VGG16), **chosen), VGG(VGG16, **chosen)
    labels = [draw.integer(0, 4) for _ in range(2)]
    same_gradients(model, right, draw.tensor.normal(2, 3, 64, 64), cross_entropy(labels))


@check(cell="VGG", points=2, is_property=True)
def vgg_dropout(student, draw):
    """Dropout of one half behind each hidden linear layer, in training alone."""
    config, chosen = small_config(draw), {"size": 32, **options(draw, 1 / 16)}
    same_dropout(student.VGG(config, **chosen), VGG(config, **chosen), draw.tensor.images(2, 3, 32, 32))


@check(cell="Inception", points=3, reveal="inputs")
def inception_parameters(student, draw):
    """The layers that the six numbers say, with biases."""
    sizes = inception_sizes(draw)
    same_parameters(student.Inception(14, *sizes), Inception(14, *sizes))
    same_parameters(student.Inception(192, 64, 96, 128, 16, 32, 32), Inception(192, 64, 96, 128, 16, 32, 32))


@check(cell="Inception", points=2, reveal="inputs", is_property=True)
def inception_shape(student, draw):
    """Height and width stay; the channels of the four branches add up."""
    sizes = inception_sizes(draw)
    same_shapes(student.Inception(14, *sizes), Inception(14, *sizes), draw.tensor.normal(2, 14, 9, 7))


@check(cell="Inception", points=5, reveal="inputs")
def inception_output(student, draw):
    """The reference's weights in your module give the reference's maps."""
    for _ in range(2):
        sizes = inception_sizes(draw)
        agree(student.Inception(14, *sizes), Inception(14, *sizes), draw.tensor.normal(2, 14, 9, 7))


@check(cell="Inception", points=2, reveal="inputs")
def inception_gradients(student, draw):
    """The gradients of a weighted sum of the maps are the reference's."""
    sizes = inception_sizes(draw)
    x = draw.tensor.normal(1, 14, 6, 8)
    slopes = draw.tensor.normal(1, sizes[0] + sizes[2] + sizes[4] + sizes[5], 6, 8)
    same_gradients(student.Inception(14, *sizes), Inception(14, *sizes), x, lambda maps: (maps * slopes).sum())


@check(cell="GoogLeNet", points=4)
def googlenet_parameters(student, draw):
    """6,998,552 parameters, and 13,378,280 with the auxiliary classifiers."""
    network = student.value("GoogLeNet")
    same_parameters(network, GoogLeNet, auxiliary=False)
    same_parameters(network, GoogLeNet)
    same_parameters(network, GoogLeNet, **options(draw, 1 / 8))


@check(cell="GoogLeNet", points=4)
def googlenet_output(student, draw):
    """In evaluation mode one output, the reference's logits; images of other sizes too."""
    chosen, side = options(draw, 1 / 8), draw.choice([64, 72, 80])
    agree(student.GoogLeNet(**chosen), GoogLeNet(**chosen), draw.tensor.normal(2, 3, side, side), what="the logits")


@check(cell="GoogLeNet", points=4)
def googlenet_training(student, draw):
    """In training mode three outputs, the reference's logits: the last layer's, 4a's, 4d's."""
    chosen = options(draw, 1 / 8)
    model, right = student.GoogLeNet(**chosen), GoogLeNet(**chosen)
    agree(model, right, draw.tensor.normal(1, 3, 224, 224), training=True, what="the logits")


@check(cell="GoogLeNet", points=2, is_property=True)
def googlenet_dropout(student, draw):
    """Dropout of 0.4 before the last layer, and 0.7 in the auxiliary classifiers, in training alone."""
    chosen = options(draw, 1 / 8)
    same_dropout(student.GoogLeNet(**chosen), GoogLeNet(**chosen), draw.tensor.images(1, 3, 224, 224))


@check(cell="conv_bn", points=3, reveal="inputs")
def conv_bn_output(student, draw):
    """Layers and output for several kernels and strides; the size stays at stride 1."""
    for kernel_size in (1, 3, 7):
        sizes = (draw.integer(2, 5), draw.integer(6, 9), kernel_size, draw.integer(1, 2))
        agree(student.conv_bn(*sizes), conv_bn(*sizes), draw.tensor.normal(2, sizes[0], 9, 7))


@check(cell="conv_bn", points=2, reveal="inputs")
def conv_bn_training(student, draw):
    """In training mode the statistics of the batch, and running ones that follow them."""
    model, right, x = student.conv_bn(3, 5, 3), conv_bn(3, 5, 3), draw.tensor.normal(4, 3, 6, 6)
    agree(model, right, x, training=True)
    same_statistics(model, right, x)


def blocks(student, draw, block: type[nn.Module]) -> Iterator[tuple[object, nn.Module, int]]:
    """The student's and the reference's blocks and their input channels: shape kept, stride, other channels, both."""
    channels, few = draw.integer(5, 8), draw.integer(2, 4)
    wide = channels * block.expansion
    for size in ((wide, channels, 1), (wide, channels, 2), (few, channels, 1), (few, channels, 2)):
        yield getattr(student, block.__name__)(*size), block(*size), size[0]


def block_parameters(student, draw, block: type[nn.Module]) -> None:
    """Compare the layers of all four kinds."""
    for model, right, _ in blocks(student, draw, block):
        same_parameters(model, right)


def block_output(student, draw, block: type[nn.Module], *, training: bool) -> None:
    """Compare the outputs of all four kinds."""
    for model, right, channels in blocks(student, draw, block):
        agree(model, right, draw.tensor.normal(2, channels, 8, 6), training=training)


def block_identity(student, draw, block: type[nn.Module]) -> None:
    """With zero weights a block without projection gives back what it got, from zero up."""
    model, _, channels = next(blocks(student, draw, block))
    for training in (False, True):
        is_identity_with_zero_weights(model, draw.tensor.images(2, channels, 5, 4), training=training)


@check(cell="BasicBlock", points=2, reveal="inputs")
def basic_block_parameters(student, draw):
    """Two 3x3 convolutions with batch normalisation; a projection only where the shape changes."""
    block_parameters(student, draw, BasicBlock)


@check(cell="BasicBlock", points=4, reveal="inputs")
def basic_block_output(student, draw):
    """The reference's weights in your block give the reference's output: strides 1 and 2, channels kept and changed."""
    block_output(student, draw, BasicBlock, training=False)


@check(cell="BasicBlock", points=2, reveal="inputs")
def basic_block_training(student, draw):
    """The same in training mode, with the statistics of the batch."""
    block_output(student, draw, BasicBlock, training=True)


@check(cell="BasicBlock", points=2, reveal="inputs", is_property=True)
def basic_block_identity(student, draw):
    """A block with zero weights is the identity on inputs from zero up."""
    block_identity(student, draw, BasicBlock)


@check(cell="Bottleneck", points=2, reveal="inputs")
def bottleneck_parameters(student, draw):
    """1x1, 3x3 and 1x1 to four times the channels; a projection only where the shape changes."""
    block_parameters(student, draw, Bottleneck)


@check(cell="Bottleneck", points=4, reveal="inputs")
def bottleneck_output(student, draw):
    """The reference's weights in your block give the reference's output: strides 1 and 2, channels kept and changed."""
    block_output(student, draw, Bottleneck, training=False)


@check(cell="Bottleneck", points=2, reveal="inputs")
def bottleneck_training(student, draw):
    """The same in training mode, with the statistics of the batch."""
    block_output(student, draw, Bottleneck, training=True)


@check(cell="Bottleneck", points=2, reveal="inputs", is_property=True)
def bottleneck_identity(student, draw):
    """A block with zero weights is the identity on inputs from zero up."""
    block_identity(student, draw, Bottleneck)


@check(cell="ResNet", points=4, reveal="inputs")
def resnet_parameters(student, draw):
    """Parameters at full size: 11,689,512 with 18 layers, 25,557,032 with 50, and another depth."""
    network = student.value("ResNet")
    for layers in (18, 50, draw.choice([34, 101, 152])):
        same_parameters(network, ResNet, layers)
    same_parameters(network, ResNet, 18, **options(draw, 1 / 8))


@check(cell="ResNet", points=4, reveal="inputs")
def resnet_basic_output(student, draw):
    """ResNet-18 or 34, 1/16 as wide: the reference's weights give the reference's logits."""
    layers, side, chosen = draw.choice([18, 34]), draw.choice([64, 72]), options(draw, 1 / 16)
    x = draw.tensor.normal(2, 3, side, side)
    agree(student.ResNet(layers, **chosen), ResNet(layers, **chosen), x, what="the logits")


@check(cell="ResNet", points=3, reveal="inputs")
def resnet_bottleneck_output(student, draw):
    """ResNet-50, 1/16 as wide: the reference's weights give the reference's logits."""
    chosen = options(draw, 1 / 16)
    x = draw.tensor.normal(1, 3, 64, 64)
    agree(student.ResNet(50, **chosen), ResNet(50, **chosen), x, what="the logits")


@check(cell="ResNet", points=3, reveal="inputs")
def resnet_training(student, draw):
    """ResNet-18 in training mode: the reference's logits, and its running statistics afterwards."""
    chosen = options(draw, 1 / 16)
    model, right, x = student.ResNet(18, **chosen), ResNet(18, **chosen), draw.tensor.normal(4, 3, 64, 64)
    agree(model, right, x, training=True, what="the logits")
    same_statistics(model, right, x)
