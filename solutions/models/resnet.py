"""ResNet (He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", arXiv 1512.03385)."""

from torch import Tensor, nn
from torch.nn import functional

from solutions.models.classifier import Classifier, scaled


def conv_bn(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch normalisation, whose shift is bias enough."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The identity where input and output have the same shape, else a projection (the paper's option B)."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return conv_bn(in_channels, out_channels, 1, stride)


class Residual(nn.Module):
    """`relu(residual(x) + shortcut(x))`: what both kinds of blocks compute."""

    residual: nn.Sequential
    shortcut: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """`(N, in_channels, H, W)` to `(N, expansion * channels, H / stride, W / stride)`."""
        return functional.relu(self.residual(x) + self.shortcut(x))


class BasicBlock(Residual):
    """Two 3x3 convolutions; the first has the stride."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv_bn(in_channels, channels, 3, stride), nn.ReLU(), conv_bn(channels, channels, 3)
        )
        self.shortcut = shortcut(in_channels, channels, stride)


class Bottleneck(Residual):
    """1x1 down to `channels`, 3x3 with the stride, 1x1 up to four times `channels`.

    The paper has the stride in the first 1x1, which then throws three of four positions away unseen; in the 3x3, as in
    torch ever since, it costs nothing and classifies half a percent better.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv_bn(in_channels, channels, 1),
            nn.ReLU(),
            conv_bn(channels, channels, 3, stride),
            nn.ReLU(),
            conv_bn(channels, self.expansion * channels, 1),
        )
        self.shortcut = shortcut(in_channels, self.expansion * channels, stride)


DEPTHS: dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}
"""Table 1 of the paper: the kind of block and how many in each of the four stages."""


class ResNet(Classifier):
    """Colour images `(N, 3, H, W)` of any size from 32 to logits `(N, classes)`.

    With a thousand classes 11,689,512, 21,797,672, 25,557,032, 44,549,160 and 60,192,808 parameters for 18, 34, 50, 101
    and 152 layers.
    """

    learning_rate = 0.1
    weight_decay = 1e-4

    def __init__(self, layers: int, classes: int = 1000, width: float = 1.0) -> None:
        super().__init__()
        block, repeats = DEPTHS[layers]
        channels = scaled(64, width)
        self.stem = nn.Sequential(conv_bn(3, channels, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.Sequential()
        for stage, count in enumerate(repeats):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                planes = scaled(64 * 2**stage, width)
                self.stages.append(block(channels, planes, stride))
                channels = block.expansion * planes
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
        self.initialise()

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N, classes)` of images `(N, 3, H, W)`."""
        return self.head(self.stages(self.stem(x)))
