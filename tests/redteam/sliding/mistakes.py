"""One mistake of `sliding`."""

import numpy as np

from autograder.checks import mistake


@mistake(of="slide", hint="You turn the kernel.")
def turned(x, w):
    return np.array([x[i : i + len(w)] @ w[::-1] for i in range(len(x) - len(w) + 1)])
