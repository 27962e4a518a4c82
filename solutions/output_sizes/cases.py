"""Random layers and networks for the checks: shapes that tell a right formula from a nearly right one."""

from __future__ import annotations

from autograder.checks import Case, Draw

from . import networks
from .spec import BATCHNORM, DROPOUT, FLATTEN, GLOBAL_POOL, RELU, Spec, concat, conv, linear, pool, residual


def strided(draw: Draw) -> list[Case]:
    """Strided layers whose division leaves a remainder: the first without padding, the others with."""
    cases = []
    for padding in (0, *(draw.integer(1, 3) for _ in range(7))):
        k, stride = draw.integer(3, 6), draw.integer(2, 4)
        room = stride * draw.integer(3, 8) + draw.integer(1, stride - 1)
        cases.append(Case(room + k - 2 * padding, k, padding=padding, stride=stride))
    return cases


def dilated(draw: Draw) -> list[Case]:
    """Dilated layers; a stride could hide a wrong span, so half of them have none."""
    cases = []
    for dilation, padding in draw.shuffled([(2, 0), (2, 2), (3, 1), (4, 0), (2, 3), (3, 3), (4, 1), (4, 2)]):
        k, stride = draw.integer(3, 6), 1 if padding < 2 else draw.integer(2, 4)
        room = stride * draw.integer(3, 8) + draw.integer(0, stride - 1)
        i = room + dilation * (k - 1) + 1 - 2 * padding
        cases.append(Case(i, k, padding=padding, stride=stride, dilation=dilation))
    return cases


def poolings(draw: Draw) -> list[Case]:
    """Poolings with `ceil_mode`: with a window over the end, with none, and with one in the padding there."""
    overhanging = [Case(2 * draw.integer(10, 60), 3, stride=2, ceil_mode=True) for _ in range(3)]
    exact = Case(2 * draw.integer(5, 30) + 1, 3, stride=2, ceil_mode=True)
    in_padding = [Case(k * n + k // 2, k, padding=k // 2, stride=k, ceil_mode=True) for k, n in ((2, 5), (4, 7))]
    return [*overhanging, exact, *in_padding]


def windows_too_large(draw: Draw) -> list[Case]:
    """Windows that fit nowhere."""
    small = draw.integer(1, 4)
    return [Case(small, small + draw.integer(2, 6)), Case(3, 3, stride=2, dilation=3), Case(2, 9, padding=1)]


def channels(draw: Draw) -> tuple[int, int, int]:
    """Fewer input than output channels, and a kernel's side."""
    n = draw.integer(2, 40)
    return n, n + draw.integer(1, 60), draw.choice([2, 3, 4, 5, 7])


def grouped(draw: Draw) -> tuple[int, int, int, int]:
    """The same and a number of groups that divides both."""
    groups, n = draw.integer(2, 6), draw.integer(2, 8)
    return groups * n, groups * (n + draw.integer(1, 8)), draw.choice([3, 4, 5]), groups


def grouped_layers(draw: Draw) -> list[Case]:
    """Grouped convolutions with and without biases, and two depthwise ones."""
    cases = []
    for _ in range(5):
        n, m, k, groups = grouped(draw)
        cases.append(Case(n, m, k, groups=groups, bias=draw.boolean()))
    return cases + [Case(n, 2 * n, 3, groups=n) for n in (draw.integer(8, 32), draw.integer(33, 64))]


def places(draw: Draw) -> tuple[int, int]:
    """An output that is wider than high."""
    height = draw.integer(5, 60)
    return height, height + draw.integer(1, 40)


def grouped_places(draw: Draw) -> Case:
    """A grouped convolution and its output."""
    n, m, k, groups = grouped(draw)
    return Case(n, m, k, places(draw), groups=groups)


def chain(draw: Draw, strides: tuple[int, ...] = (1,), dilations: tuple[int, ...] = (1,)) -> Case:
    """A chain for `receptive_field`; where it may have strides it begins with two different ones."""
    layers = [
        (draw.choice([3, 4, 5, 7]), draw.choice(strides), draw.choice(dilations)) for _ in range(draw.integer(3, 6))
    ]
    return Case([(3, 2, 1), (2, 3, 1), *layers] if len(strides) > 1 else layers)


def known_chains() -> list[Case]:
    """AlexNet to pool5, VGG16 to conv5_3 and to pool5, ResNet-18's longest path."""
    alexnet = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1)]
    vgg16 = [layer for n in networks.VGG16 for layer in [*[(3, 1, 1)] * n, (2, 2, 1)]]
    stages = [layer for _ in range(3) for layer in [(3, 2, 1), *[(3, 1, 1)] * 3]]
    resnet18 = [(7, 2, 1), (3, 2, 1), *[(3, 1, 1)] * 4, *stages]
    return [Case(alexnet), Case(vgg16[:-1]), Case(vgg16), Case(resnet18)]


def image(draw: Draw) -> tuple[int, int, int]:
    """The shape of an image that is higher than wide."""
    width = draw.integer(40, 60)
    return draw.integer(2, 5), width + draw.integer(5, 20), width


def _convolutions(draw: Draw) -> Spec:
    width, k = 2 * draw.integer(4, 9), draw.choice([3, 5])
    return [
        conv(width, k, padding=draw.integer(1, 2), stride=draw.integer(1, 2)), RELU,
        pool(draw.choice([2, 3])),
        conv(2 * draw.integer(10, 20), 3, padding=1, dilation=draw.integer(1, 2), groups=2, bias=False), RELU,
        pool(3, stride=2, padding=draw.integer(0, 1), ceil_mode=draw.boolean()),
    ]  # fmt: skip


def convolutions(draw: Draw) -> Case:
    """Convolutions and poolings with all their options."""
    return Case(_convolutions(draw), image(draw))


def classifiers(draw: Draw) -> list[Case]:
    """Random ones, a narrow VGG, and AlexNet as it was on two GPUs."""
    heads = [[FLATTEN, linear(draw.integer(20, 90)), RELU, linear(10, bias=False)] for _ in range(2)]
    randoms = [Case(_convolutions(draw) + head, image(draw)) for head in heads]
    vgg = networks.vgg((1, 2, 1), draw.integer(3, 6), draw.integer(30, 50), draw.integer(5, 20))
    return [*randoms, Case(vgg, (3, 40, 24)), Case(networks.alexnet(groups=2), (3, 227, 227))]


def normalised(draw: Draw) -> Case:
    """Layers that leave the shape as it is."""
    spec = [conv(draw.integer(5, 30), 3, bias=False), BATCHNORM, RELU, DROPOUT, conv(7, 1), BATCHNORM]
    return Case(spec, image(draw))


def globally_pooled(draw: Draw) -> Case:
    """A global pooling before the classifier."""
    spec = [conv(draw.integer(5, 30), 3), RELU, GLOBAL_POOL, FLATTEN, linear(draw.integer(3, 12))]
    return Case(spec, image(draw))


def branched(draw: Draw) -> Case:
    """Two branches of different width, and a layer that reads both."""
    narrow = [conv(draw.integer(2, 9), 1)]
    wide = [conv(draw.integer(2, 9), 3, padding=1), RELU, conv(draw.integer(10, 20), 5, padding=2)]
    return Case([conv(6, 3, stride=2), concat(narrow, wide), conv(4, 1)], image(draw))


def shortcut(draw: Draw) -> Case:
    """A residual with a projection and one with the identity."""
    width, stride = draw.integer(3, 9), draw.integer(1, 2)
    body = [
        conv(2 * width, 3, stride=stride, padding=1, bias=False),
        BATCHNORM,
        RELU,
        conv(width, 3, padding=1),
    ]
    projected = residual(body, [conv(width, 1, stride=stride)])
    return Case([conv(width, 3), projected, residual([conv(width, 3, padding=1)])], image(draw))


def nested(draw: Draw) -> list[Case]:
    """A concat within a concat within a residual, GoogLeNet, and ResNet-34."""
    inner = concat([conv(4, 1)], [conv(draw.integer(5, 9), 1), RELU])
    outer = concat([conv(3, 1)], [pool(3, stride=1, padding=1), inner])
    mixed = [
        conv(8, 3, stride=2),
        residual([outer, conv(8, 1), BATCHNORM]),
        RELU,
        GLOBAL_POOL,
        FLATTEN,
        linear(5),
    ]
    return [
        Case(mixed, image(draw)),
        Case(networks.googlenet(), (3, 224, 224)),
        Case(networks.resnet((3, 4, 6, 3)), (3, 224, 192)),
    ]


def projections(draw: Draw) -> list[Case]:
    """Input shapes and arguments of `basic_block` that change channels, size, or both."""
    blocks = [(64, 128, 2), (16, draw.integer(20, 40), 1), (draw.integer(14, 30), 12, 2), (24, 24, 2)]
    return [Case((n, 28, 20), n, m, stride=stride) for n, m, stride in blocks]
