"""Mistakes in `light`, one for each exercise."""

import numpy as np
import pytorch_lightning as pl
import torch

from autograder.checks import mistake

from . import reference


@mistake(of="relu", hint="Negative inputs become 0; you make them positive, which is the absolute value.")
def absolute(x):
    return np.abs(x)


@mistake(of="softmax", hint="exp of a large logit overflows: subtract each row's maximum first.")
def not_shifted(logits):
    with np.errstate(all="ignore"):
        powers = np.exp(logits)
        return powers / powers.sum(axis=-1, keepdims=True)


@mistake(of="output_size", hint="The padding is there on both sides: it counts twice.")
def padded_once(n, k, stride=1, padding=0):
    return reference.output_size(n + padding, k, stride, 0)


@mistake(of="correlate1d", hint="Your kernel is flipped: that is convolution.")
def flipped(x, w):
    return reference.correlate1d(x, w[::-1])


@mistake(of="Standardise", hint="You divide by n - 1: batch normalisation uses the biased variance.")
class Unbiased(pl.LightningModule):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        return (x - mean) / torch.sqrt(x.var(dim=(0, 2, 3), keepdim=True) + self.eps)
