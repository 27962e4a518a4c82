"""The checks API: what an exercise's `checks.py` and `mistakes.py` are written with.

from autograder.checks import Case, check, close, equal, expect, mistake
"""

from autograder.checks.compare import close, equal, expect
from autograder.checks.diagnosis import mistake
from autograder.checks.draw import Case, Draw
from autograder.checks.gradients import numerical_gradient
from autograder.checks.student import Handle, Student
from autograder.checks.suite import check

__all__ = [
    "Case",
    "Draw",
    "Handle",
    "Student",
    "check",
    "close",
    "equal",
    "expect",
    "mistake",
    "numerical_gradient",
]
