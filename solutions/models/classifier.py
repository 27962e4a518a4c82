"""What the reference networks share: cross-entropy, accuracy, SGD with momentum, and He's initial weights."""

from typing import Any

from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

Batch = tuple[Tensor, Tensor]


class Classifier(LightningModule):
    """A network from images `(N, C, H, W)` to logits `(N, classes)`, trained as its paper trained it.

    The three figures of stochastic gradient descent are attributes of the class, so that each network states its
    paper's and an experiment may set its own on the instance. The learning rate is divided by 10 when the training
    loss has not fallen for five epochs.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def initialise(self) -> None:
        """Draw the weights of convolutions and linear layers from a normal distribution; biases are zero.

        With He's deviation (He et al. 2015, arXiv 1502.01852, eq. 10) the signal keeps its size through any number of
        ReLUs: nineteen layers train without batch normalisation. Layers of batch normalisation stay as torch makes
        them: scale 1, shift 0.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of a batch of images and labels."""
        images, labels = batch
        return functional.cross_entropy(self(images), labels)

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Lightning's hook: the loss of one batch."""
        loss = self.loss(batch)
        self.log("train_loss", loss, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Lightning's hook: loss and accuracy of one batch, in evaluation mode."""
        images, labels = batch
        logits = self(images)
        self.log("validation_loss", functional.cross_entropy(logits, labels), prog_bar=True)
        self.log("validation_accuracy", (logits.argmax(dim=1) == labels).float().mean(), prog_bar=True)

    def configure_optimizers(self) -> dict[str, Any]:
        """Lightning's hook: stochastic gradient descent with momentum, slower on a plateau."""
        optimizer = SGD(
            self.parameters(), lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
        )
        plateau = ReduceLROnPlateau(optimizer, factor=0.1, patience=5)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": "train_loss"}}


def scaled(channels: int, width: float) -> int:
    """The number of channels of a network `width` times as wide, at least one."""
    return max(1, round(channels * width))
