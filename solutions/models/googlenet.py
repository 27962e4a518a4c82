"""GoogLeNet (Szegedy et al. 2015, "Going deeper with convolutions", arXiv 1409.4842), without normalisation."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from solutions.models.classifier import Batch, Classifier, scaled

TABLE = {
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
"""Table 1 of the paper: `out1, reduce3, out3, reduce5, out5, pool` of each Inception module."""

AUXILIARY_WEIGHT = 0.3


def conv_relu(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    """A convolution that keeps height and width, and its ReLU."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2), nn.ReLU())


def halving() -> nn.Module:
    """The max-pooling between stages: 112, 56, 28, 14, 7."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def auxiliary_classifier(in_channels: int, classes: int, width: float) -> nn.Sequential:
    """A small classifier halfway up: `(N, in_channels, 14, 14)` to logits `(N, classes)`."""
    channels, hidden = scaled(128, width), scaled(1024, width)
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),  # 4 x 4
        nn.Conv2d(in_channels, channels, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(channels * 4 * 4, hidden),
        nn.ReLU(),
        nn.Dropout(0.7),
        nn.Linear(hidden, classes),
    )


class Inception(nn.Module):
    """Four branches side by side, concatenated: 1x1; 1x1 then 3x3; 1x1 then 5x5; max-pooling then 1x1.

    `(N, in_channels, H, W)` to `(N, out1 + out3 + out5 + pool, H, W)`.
    """

    def __init__(
        self, in_channels: int, out1: int, reduce3: int, out3: int, reduce5: int, out5: int, pool: int
    ) -> None:
        super().__init__()
        self.branch1 = conv_relu(in_channels, out1, 1)
        self.branch3 = nn.Sequential(conv_relu(in_channels, reduce3, 1), conv_relu(reduce3, out3, 3))
        self.branch5 = nn.Sequential(conv_relu(in_channels, reduce5, 1), conv_relu(reduce5, out5, 5))
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_relu(in_channels, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The four branches along the channels, in the paper's order."""
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], dim=1)


class GoogLeNet(Classifier):
    """Colour images `(N, 3, 224, 224)` to logits `(N, classes)`; in training, to three logits: main, 4a's, 4d's.

    6,998,552 parameters with a thousand classes, 13,378,280 with the two auxiliary classifiers. The max-poolings of
    stride 2 have no padding and round the size up, as in Caffe, where the network was published. Local response
    normalisation is left out (see `AlexNet`).
    """

    def __init__(self, classes: int = 1000, width: float = 1.0, auxiliary: bool = True) -> None:
        super().__init__()
        first, second = scaled(64, width), scaled(192, width)
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 7, stride=2, padding=3),  # 112 x 112
            nn.ReLU(),
            halving(),
            nn.Conv2d(first, first, 1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            halving(),  # 28 x 28
        )
        self.inception, self.auxiliary = nn.ModuleDict(), nn.ModuleDict()
        channels = second
        for name, row in TABLE.items():
            sizes = [scaled(size, width) for size in row]
            self.inception[name] = Inception(channels, *sizes)
            channels = sizes[0] + sizes[2] + sizes[4] + sizes[5]
            if auxiliary and name in {"4a", "4d"}:
                self.auxiliary[name] = auxiliary_classifier(channels, classes, width)
        self.pool = halving()
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels, classes))
        self.initialise()

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Logits `(N, classes)`; in training a tuple of three, where there are auxiliary classifiers."""
        x = self.stem(x)
        others = []
        for name, module in self.inception.items():
            x = module(x)
            if self.training and name in self.auxiliary:
                others.append(self.auxiliary[name](x))
            if name in {"3b", "4e"}:
                x = self.pool(x)
        logits = self.head(x)
        return (logits, *others) if others else logits

    def loss(self, batch: Batch) -> Tensor:
        """The main cross-entropy and 0.3 of each auxiliary one (section 5 of the paper)."""
        images, labels = batch
        outputs = self(images)
        if isinstance(outputs, Tensor):
            return functional.cross_entropy(outputs, labels)
        main, *others = (functional.cross_entropy(logits, labels) for logits in outputs)
        return main + AUXILIARY_WEIGHT * sum(others)
