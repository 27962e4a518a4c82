"""Attacks that forge a score (lines 1 to 12 of docs/security.md)."""

from attack import Attack

ATTACKS = [
    Attack(
        1,
        "an object that equals everything",
        scale="""
            class Always:
                def __eq__(self, other): return True
                def __ne__(self, other): return False
                def __array__(self, dtype=None, copy=None): return np.zeros(5)
                def __sub__(self, other): return 0
                __rsub__ = __sub__
                shape, dtype, ndim, size = (5,), np.dtype(float), 1, 5
            def scale(x, factor):
                return Always()
        """,
        says={"scale": "should be a float64 array.*found an object of type Always"},
    ),
    Attack(
        5,
        "ends the kernel with a clean exit",
        scale="import os\nos._exit(0)",
        says={"scale": r"ended the kernel \(exit code 0\)"},
    ),
]
