"""AlexNet: "ImageNet classification with deep convolutional neural networks" (Krizhevsky, Sutskever, Hinton 2012)."""

from torch import Tensor, nn

from solutions.models.classifier import Classifier, scaled


class AlexNet(Classifier):
    """Colour images `(N, 3, 227, 227)` to logits `(N, classes)`; 62,378,344 parameters with a thousand classes.

    `groups=2` splits the second, fourth and fifth convolution in two halves that do not see each other, as the paper
    did to fit two GPUs: 60,965,224 parameters. Local response normalisation is left out: Simonyan and Zisserman
    (2015, section 4.1) found that it does not help. (The paper prints 224 pixels; its own sizes need 227.)
    """

    def __init__(self, classes: int = 1000, width: float = 1.0, groups: int = 1) -> None:
        super().__init__()
        c1, c2, c3, c4, c5, hidden = (scaled(channels, width) for channels in (96, 256, 384, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(3, c1, kernel_size=11, stride=4),  # 96 x 55 x 55
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 27 x 27
            nn.Conv2d(c1, c2, kernel_size=5, padding=2, groups=groups),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 13 x 13
            nn.Conv2d(c2, c3, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c3, c4, kernel_size=3, padding=1, groups=groups),
            nn.ReLU(),
            nn.Conv2d(c4, c5, kernel_size=3, padding=1, groups=groups),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 6 x 6
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(c5 * 6 * 6, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, classes),
        )
        self.initialise()

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N, classes)` of images `(N, 3, 227, 227)`."""
        return self.classifier(self.features(x))
