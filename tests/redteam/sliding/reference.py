"""The right answers of `sliding`."""

import numpy as np


def slide(x, w):
    return np.correlate(x, w, "valid")


def line(x, y):
    return np.polyfit(x, y, 1)
