"""What `make check-example` compares: a verdict, cause or hint that is not as predicted is a line; so is a gap."""

import pytest

from solutions.example_check import _unconfined, differences
from solutions.example_class import Student

STUDENTS = [
    Student("ada", "right", b"", lambda: ({"first": ("pass", None), "second": ("pass", None)}, set())),
    Student("carl", "mistake", b"", lambda: ({"first": ("fail", "value"), "second": ("pass", None)}, {"look"})),
]


def check(name, verdict="pass", cause=None, hint=None):
    return {"name": name, "verdict": verdict, "cause": cause, "hint": hint}


def reports():
    ada = {"student": "ada", "status": "graded", "walls": ["bwrap"], "checks": [check("first"), check("second")]}
    checks = [check("first", "fail", "value", "look"), check("second")]
    return [ada, {"student": "carl", "status": "graded", "walls": ["docker"], "checks": checks}]


def test_what_is_as_predicted_has_no_difference():
    assert differences(STUDENTS, reports()) == []
    assert _unconfined(reports()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda ada, carl: ada["checks"][1].update(verdict="fail", cause="value"), "ada (right): second: predicted"),
        (lambda ada, carl: carl["checks"][0].update(cause="shape"), "carl (mistake): first: predicted"),
        (lambda ada, carl: carl["checks"][0].update(hint=None), "carl (mistake): hints ['look']"),
        (lambda ada, carl: ada["checks"].pop(), "found None"),
        (lambda ada, carl: ada["checks"].append(check("third")), "predicted None"),
        (lambda ada, carl: ada.update(status="failed"), "ada (right): not graded"),
        (lambda ada, carl: carl.update(student="zoe"), "zoe: graded, but not in the class"),
    ],
)
def test_any_difference_is_told(change, told):
    found = reports()
    change(*found)
    assert any(told in line for line in differences(STUDENTS, found))


def test_a_student_without_report_is_told():
    assert differences(STUDENTS, reports()[:1]) == ["carl (mistake): not graded"]


def test_a_notebook_that_ran_without_a_sandbox_is_told():
    found = reports()
    found[0]["walls"] = ["rlimits"]
    assert _unconfined(found) == ["ada: no sandbox"]
    found[0]["checks"] = [check("first", "not_run"), check("second", "not_run")]  # unreadable: nothing was run
    assert _unconfined(found) == []
