"""Comparisons that the checks of `convolution` share."""

import numpy as np

from autograder.checks import close, expect

from . import reference


def agree(student, name, cases):
    """Compare the student's function `name` with the reference's on these cases."""
    for case in cases:
        expected = getattr(reference, name)(*case.args, **case.kwargs)
        close(getattr(student, name)(*case.args, **case.kwargs), expected)


def is_map(value, shape):
    """Record whether `value` is an array of this shape with something in it: no property holds of less."""
    right = isinstance(value, np.ndarray) and value.shape == shape and value.dtype.kind in "iuf"
    return expect(
        right and bool(np.any(value)),
        f"an array of numbers of shape {shape}, not all of them 0, is expected",
        actual=value,
    )


def scores(student, *pictures):
    """Return the student's scores of the pictures; record whether they are floats; if not, None."""
    found = [student.skyline_score(picture) for picture in pictures]
    floats = all(isinstance(score, float | np.floating) for score in found)
    return found if expect(floats, "a score should be a float", actual=found) else None
