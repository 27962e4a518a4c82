"""A second right answer to `light`: loops and torch's own functions in place of numpy's."""

import numpy as np
import pytorch_lightning as pl
import torch


def relu(x):
    return np.where(x > 0, x, 0.0)


def softmax(logits):
    return torch.softmax(torch.from_numpy(logits), dim=-1).numpy()


def output_size(n, k, stride=1, padding=0):
    return len(range(-padding, n + padding - k + 1, stride))


def correlate1d(x, w):
    return np.array([float(w @ x[i : i + len(w)]) for i in range(len(x) - len(w) + 1)])


class Standardise(pl.LightningModule):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return torch.nn.functional.batch_norm(x, None, None, training=True, eps=self.eps)
