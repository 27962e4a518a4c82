"""Another right answer to each exercise of `sliding`."""

import numpy as np


def slide(x, w):
    return np.lib.stride_tricks.sliding_window_view(x, len(w)) @ w


def line(x, y):
    return np.polyfit(x, y, 1)
