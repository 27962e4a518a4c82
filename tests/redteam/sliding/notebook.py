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
# # Sliding
#
# One exercise that a library function does, and one that it does not.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import matplotlib.pyplot as plt
import numpy as np


# %% nbgrader={"grade": false, "grade_id": "slide-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def slide(x, w):
    """The dot products of w with each window of x: shape (n - k + 1,)."""
    ### BEGIN SOLUTION
    return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "slide", "locked": true, "points": 60, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(slide(np.array([1.0, 2.0, 4.0]), np.array([1.0, 10.0])), [21.0, 42.0])


# %% nbgrader={"grade": false, "grade_id": "line-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def line(x, y):
    """Slope and intercept of the line through the points (x, y), by least squares: an array of shape (2,)."""
    ### BEGIN SOLUTION
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return np.array([slope, y.mean() - slope * x.mean()])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "line", "locked": true, "points": 40, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(line(np.array([0.0, 1.0]), np.array([1.0, 3.0])), [2.0, 1.0])
