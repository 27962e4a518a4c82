# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] nbgrader={"grade": false, "grade_id": "intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Light
#
# Five small exercises. Their code takes milliseconds; what grading them costs beyond that, and beyond the imports, is the
# grader's own cost.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import pytorch_lightning as pl
import torch


# %% nbgrader={"grade": false, "grade_id": "relu-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(x):
    """max(x, 0) of each element of the array x."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0.0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "relu", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(relu(np.array([-1.0, 0.0, 2.0])), [0, 0, 2])


# %% nbgrader={"grade": false, "grade_id": "softmax-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(logits):
    """exp(logits) / sum of exp(logits) along the last axis, without overflow."""
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "softmax", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(softmax(np.zeros((2, 4))), 0.25)


# %% nbgrader={"grade": false, "grade_id": "output_size-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(n, k, stride=1, padding=0):
    """How many windows of k pixels fit on n pixels with `padding` zeros on either side, `stride` apart."""
    ### BEGIN SOLUTION
    return (n + 2 * padding - k) // stride + 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "output_size", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert output_size(28, 5) == 24


# %% nbgrader={"grade": false, "grade_id": "correlate1d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def correlate1d(x, w):
    """Slide the kernel w (k,) along the signal x (n,) and take the dot product at each place: (n - k + 1,)."""
    ### BEGIN SOLUTION
    return np.array([np.dot(w, x[i : i + len(w)]) for i in range(len(x) - len(w) + 1)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "correlate1d", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(correlate1d(np.array([0.0, 0.0, 1.0, 1.0]), np.array([-1.0, 1.0])), [0, 1, 0])


# %% nbgrader={"grade": false, "grade_id": "Standardise-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Standardise(pl.LightningModule):
    """Batch normalisation of x (N, C, H, W) without parameters: (x - mean) / sqrt(variance + eps) for each channel."""

    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        ### BEGIN SOLUTION
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        variance = x.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "Standardise", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert torch.allclose(Standardise(eps=0.0)(torch.tensor([[[[1.0, 3.0]]]])), torch.tensor([[[[-1.0, 1.0]]]]))
