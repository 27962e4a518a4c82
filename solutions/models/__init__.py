"""The reference networks: LightningModules in plain torch, one family a file, each as its paper prints it.

    from solutions.models import ResNet
    Trainer(max_epochs=90).fit(ResNet(50), loader)

Every network takes `classes`, the number of logits, and (but for LeNet-5, which is small) `width`, which multiplies
every number of channels and hidden units: `ResNet(50, width=1 / 16)` has the same layers and runs in milliseconds on a
CPU. `with torch.device("meta"):` builds a network without memory, to count its parameters.
"""

from solutions.models.alexnet import AlexNet
from solutions.models.classifier import Classifier
from solutions.models.googlenet import GoogLeNet, Inception
from solutions.models.lenet import LeNet5
from solutions.models.resnet import BasicBlock, Bottleneck, ResNet, conv_bn
from solutions.models.vgg import VGG, VGG16, VGG19

__all__ = [
    "VGG",
    "VGG16",
    "VGG19",
    "AlexNet",
    "BasicBlock",
    "Bottleneck",
    "Classifier",
    "GoogLeNet",
    "Inception",
    "LeNet5",
    "ResNet",
    "conv_bn",
]
