"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition")."""

from torch import Tensor, nn

from solutions.models.classifier import Classifier


class LeNet5(Classifier):
    """Grey images `(N, 1, 32, 32)` to logits `(N, classes)`; 61,706 parameters with ten classes.

    As it is taught: every map of C3 sees all six maps below it (the paper connects them by a table, 60,000 parameters),
    pooling has no weights, tanh is not scaled, and the last layer is linear instead of radial basis functions.
    """

    momentum = 0.0
    weight_decay = 0.0

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5),  # C1: 6 x 28 x 28
            nn.Tanh(),
            nn.AvgPool2d(2),  # S2: 6 x 14 x 14
            nn.Conv2d(6, 16, kernel_size=5),  # C3: 16 x 10 x 10
            nn.Tanh(),
            nn.AvgPool2d(2),  # S4: 16 x 5 x 5
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),  # C5
            nn.Tanh(),
            nn.Linear(120, 84),  # F6
            nn.Tanh(),
            nn.Linear(84, classes),
        )
        self.initialise()

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N, classes)` of images `(N, 1, 32, 32)`."""
        return self.classifier(self.features(x))
