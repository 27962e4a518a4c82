"""Right answers of `light`."""

import numpy as np
import pytorch_lightning as pl
import torch


def relu(x):
    """Rectify: max(x, 0) of each element."""
    return np.maximum(x, 0.0)


def softmax(logits):
    """Probabilities along the last axis; subtracting the maximum keeps exp in range."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def output_size(n, k, stride=1, padding=0):
    """Windows of `k` pixels that fit on `n` pixels with `padding` zeros on either side."""
    return (n + 2 * padding - k) // stride + 1


def correlate1d(x, w):
    """Cross-correlation of a signal (n,) with a kernel (k,), valid: (n - k + 1,)."""
    return np.correlate(x, w, mode="valid")


class Standardise(pl.LightningModule):
    """Batch normalisation of `(N, C, H, W)` without parameters: mean 0 and variance 1 for each channel."""

    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        """Subtract each channel's mean, divide by the root of its (biased) variance plus eps."""
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        variance = x.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + self.eps)
