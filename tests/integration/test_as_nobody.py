"""What may not be read, tried by a user who may not read everything, as root may."""

import nobody
import pytest


def test_what_a_grader_without_root_may_not_read_stops_nothing():
    if reason := nobody.missing():
        pytest.skip(reason)
    code, said = nobody.pytest_as_nobody("tests/unit/test_submissions.py", "tests/unit/test_timestamps.py", seconds=240)
    assert code == 0, said
    assert "skipped" not in said
    assert " passed" in said
