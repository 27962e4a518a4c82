"""The same first week, graded by an ordinary user."""

from __future__ import annotations

import nobody
import pytest

pytestmark = pytest.mark.slow


def test_an_ordinary_user_grades_the_first_week() -> None:
    if reason := nobody.missing():
        pytest.skip(reason)
    code, output = nobody.pytest_as_nobody(
        "tests/week_one/test_first_week.py", seconds=900, AUTOGRADER_TEST_SANDBOX="bwrap"
    )
    assert code == 0, output
