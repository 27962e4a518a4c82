"""Checks of `convolution` (being written)."""

from autograder.checks import check, close
from . import reference


@check(cell="correlate1d", points=5)
def a(student, draw):
    """x"""
    close(student.correlate1d(draw.normal(7), draw.normal(3)), draw.normal(3))
