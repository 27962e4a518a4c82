"""VGG: "Very deep convolutional networks for large-scale image recognition" (Simonyan, Zisserman; arXiv 1409.1556)."""

from collections.abc import Sequence

from torch import Tensor, nn

from solutions.models.classifier import Classifier, scaled

Config = Sequence[int | str]
"""Number of channels of each 3x3 convolution, and "M" for each max-pooling."""

VGG16: Config = (64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M")
VGG19: Config = (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M")


class VGG(Classifier):
    """Colour images `(N, 3, size, size)` to logits `(N, classes)`.

    With a thousand classes at 224 pixels VGG16 has 138,357,544 parameters and VGG19 143,667,240. Each "M" of the
    config halves height and width (rounded down), so `size` decides how many inputs the first linear layer has.
    """

    def __init__(self, config: Config, classes: int = 1000, width: float = 1.0, size: int = 224) -> None:
        super().__init__()
        hidden = scaled(4096, width)
        layers: list[nn.Module] = []
        channels = 3
        for item in config:
            if item == "M":
                layers.append(nn.MaxPool2d(2))
                size //= 2
            else:
                outputs = scaled(int(item), width)
                layers += [nn.Conv2d(channels, outputs, kernel_size=3, padding=1), nn.ReLU()]
                channels = outputs
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * size * size, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, classes),
        )
        self.initialise()

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N, classes)` of images `(N, 3, size, size)`."""
        return self.classifier(self.features(x))
