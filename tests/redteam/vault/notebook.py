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
# # Vault
#
# Three exercises that anybody can do honestly, and that the red team does not.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch


# %% nbgrader={"grade": false, "grade_id": "scale-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scale(x, factor):
    """The array x, each element times `factor`."""
    ### BEGIN SOLUTION
    return x * factor
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "scale", "locked": true, "points": 40, "schema_version": 3, "solution": false, "task": false}
assert np.array_equal(scale(np.array([1.0, 2.0]), 3.0), [3.0, 6.0])


# %% nbgrader={"grade": false, "grade_id": "smooth-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def smooth(x):
    """The means of each two neighbours in the tensor x of shape (n,): shape (n - 1,)."""
    ### BEGIN SOLUTION
    return (x[1:] + x[:-1]) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "smooth", "locked": true, "points": 40, "schema_version": 3, "solution": false, "task": false}
assert torch.equal(smooth(torch.tensor([1.0, 3.0, 5.0])), torch.tensor([2.0, 4.0]))


# %% nbgrader={"grade": false, "grade_id": "spell-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spell(n):
    """The decimal digits of the whole number n, as text."""
    ### BEGIN SOLUTION
    return str(n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "spell", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
assert spell(7) == "7"

# %% [markdown] nbgrader={"grade": true, "grade_id": "opinion", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# YOUR ANSWER HERE
