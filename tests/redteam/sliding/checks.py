"""Checks of `sliding`: values, and a property that zeros have too."""

import numpy as np

from autograder.checks import Case, check, close, expect

from . import reference


@check(cell="slide", points=50)
def values(student, draw):
    """Random signals and kernels."""
    for case in draw.cases([Case(draw.normal(draw.integer(8, 12)), draw.normal(k)) for k in (2, 3, 4)]):
        close(student.slide(*case.args), reference.slide(*case.args))


@check(cell="slide", points=10, is_property=True)
def linear(student, draw):
    """Twice the signal gives twice the result."""
    x, w = draw.normal(9), draw.normal(3)
    once = student.slide(x, w)
    if expect(isinstance(once, np.ndarray), "an array is expected", actual=once):
        close(student.slide(2 * x, w), 2 * once)


@check(cell="line", points=40)
def lines(student, draw):
    """Random points."""
    for case in draw.cases([Case(draw.normal(9), draw.normal(9)) for _ in range(2)]):
        close(student.line(*case.args), reference.line(*case.args), atol=1e-8)
