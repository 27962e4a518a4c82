"""Another right answer to each exercise of `vault`."""

import numpy as np


def scale(x, factor):
    return np.multiply(factor, x)


def smooth(x):
    return 0.5 * x[:-1] + 0.5 * x[1:]


def spell(n):
    return f"{n:d}"
