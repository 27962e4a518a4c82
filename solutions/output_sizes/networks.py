"""The networks of the tables as specs, wider or narrower if wanted."""

from __future__ import annotations

from collections.abc import Sequence

from .reference import basic_block, inception
from .spec import BATCHNORM, DROPOUT, FLATTEN, GLOBAL_POOL, NORMALISE, RELU, Spec, conv, linear, pool

VGG16 = (2, 2, 3, 3, 3)
VGG19 = (2, 2, 4, 4, 4)

GOOGLENET_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of Szegedy et al. (2015): #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool projection."""


def lenet5() -> Spec:
    """LeNet-5 (LeCun et al., 1998) on 1x32x32, with C3 connected to all of S2."""
    return [
        conv(6, 5), RELU, pool(2), conv(16, 5), RELU, pool(2), conv(120, 5), RELU,
        FLATTEN, linear(84), RELU, linear(10),
    ]  # fmt: skip


def alexnet(groups: int = 1) -> Spec:
    """AlexNet (Krizhevsky et al., 2012) on 3x227x227; the original has `groups=2`, one for each GPU."""
    return [
        conv(96, 11, stride=4), RELU, NORMALISE, pool(3, stride=2),
        conv(256, 5, padding=2, groups=groups), RELU, NORMALISE, pool(3, stride=2),
        conv(384, 3, padding=1), RELU,
        conv(384, 3, padding=1, groups=groups), RELU,
        conv(256, 3, padding=1, groups=groups), RELU, pool(3, stride=2),
        FLATTEN, linear(4096), RELU, DROPOUT, linear(4096), RELU, DROPOUT, linear(1000),
    ]  # fmt: skip


def vgg(blocks: Sequence[int] = VGG16, width: int = 64, hidden: int = 4096, classes: int = 1000) -> Spec:
    """VGG (Simonyan and Zisserman, 2015): `blocks` counts convolutions, the first has `width` channels."""
    spec: Spec = []
    for block, convolutions in enumerate(blocks):
        channels = width * min(2**block, 8)
        spec += [layer for _ in range(convolutions) for layer in (conv(channels, 3, padding=1), RELU)]
        spec += [pool(2, stride=2)]
    return [*spec, FLATTEN, linear(hidden), RELU, linear(hidden), RELU, linear(classes)]


def googlenet() -> Spec:
    """GoogLeNet (Szegedy et al., 2015) on 3x224x224, without its auxiliary heads."""
    modules = {name: inception(*columns) for name, columns in GOOGLENET_MODULES.items()}
    half = pool(3, stride=2, ceil_mode=True)
    return [
        conv(64, 7, stride=2, padding=3), RELU, half, NORMALISE,
        conv(64, 1), RELU, conv(192, 3, padding=1), RELU, NORMALISE, half,
        modules["3a"], modules["3b"], half,
        modules["4a"], modules["4b"], modules["4c"], modules["4d"], modules["4e"], half,
        modules["5a"], modules["5b"], GLOBAL_POOL, FLATTEN, DROPOUT, linear(1000),
    ]  # fmt: skip


def resnet(blocks: Sequence[int] = (2, 2, 2, 2), width: int = 64, classes: int = 1000) -> Spec:
    """ResNet of basic blocks (He et al., 2016) on 3x224x224; ResNet-34 has (3, 4, 6, 3) of them."""
    spec = [conv(width, 7, stride=2, padding=3, bias=False), BATCHNORM, RELU, pool(3, stride=2, padding=1)]
    channels = width
    for stage, count in enumerate(blocks):
        for block in range(count):
            out_channels, stride = width * 2**stage, 2 if stage and not block else 1
            spec += [basic_block(channels, out_channels, stride), RELU]
            channels = out_channels
    return [*spec, GLOBAL_POOL, FLATTEN, linear(classes)]
