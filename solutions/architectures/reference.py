"""The right classes of `architectures`, by the students' names: the reference models themselves.

The notebook's model answers have the same attributes, so that a mistake may derive from either.
"""

from solutions.models import (
    VGG,
    VGG16,
    VGG19,
    AlexNet,
    BasicBlock,
    Bottleneck,
    GoogLeNet,
    Inception,
    LeNet5,
    ResNet,
    conv_bn,
)

__all__ = [
    "VGG",
    "VGG16",
    "VGG19",
    "AlexNet",
    "BasicBlock",
    "Bottleneck",
    "GoogLeNet",
    "Inception",
    "LeNet5",
    "ResNet",
    "conv_bn",
]
