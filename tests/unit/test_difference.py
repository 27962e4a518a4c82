"""What a grading changes: each check that differs, on both sides or on one, and nothing else."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from autograder.changes import print_difference
from autograder.model.difference import Difference, OldScores, PointsChange, compare
from autograder.model.report import CheckResult, Provenance, Report


def report(student="ada", **points):
    """A report; `cell__check` names a check that gives these points."""
    checks = [CheckResult(name.split("__")[1], name.split("__")[0], given, "pass") for name, given in points.items()]
    return Report(student, "convolution", "graded", tuple(checks), Provenance("", "", "", "", ""))


OLD = OldScores.of(report(edge__left=2, edge__right=3, blur__all=5))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"edge__left": 2, "edge__right": 3, "blur__all": 5}, []),
        ({"edge__left": 0, "edge__right": 4, "blur__all": 5}, [("edge/left", 2, 0), ("edge/right", 3, 4)]),
        ({"edge__left": 2, "edge__both": 3, "blur__all": 5}, [("edge/both", None, 3), ("edge/right", 3, None)]),
        ({}, [("edge/left", 2, None), ("edge/right", 3, None), ("blur/all", 5, None)]),
        ({"edge__left": 2, "edge__right": 0.1 + 2.9, "blur__all": 5}, []),
    ],
    ids=["same", "up and down", "another check", "none left", "rounding"],
)
def test_changes_of_checks(new, expected):
    change = compare(OLD, report(**new))
    assert [(each.name, each.old, each.new) for each in change.points] == expected
    assert (change.old, change.new) == (10, pytest.approx(sum(new.values())))


def test_where_only_the_sums_of_cells_are_known_cells_are_compared():
    change = compare(OldScores({"edge": 5, "gone": 1}), report(edge__left=2, edge__right=3, blur__all=5))
    assert change.points == (PointsChange("blur", None, None, 5), PointsChange("gone", None, 1, None))
    assert (change.old, change.new) == (6, 10)


def test_a_class_is_summed_up_by_check():
    difference = Difference("convolution")
    for student, left in (("ada", 0), ("alan", 3), ("grace", 2), ("linus", 9)):
        difference.add(OLD, report(student, edge__left=left, edge__right=3, blur__all=5))
    difference.add(OLD, report("renamed", edge__left=2, edge__right=3, blur__most=5))
    difference.add(None, report("new", edge__left=2))
    difference.add(OLD, replace(report("lost"), status="failed"))
    summaries = {each.name: (each.up, each.down, each.new, each.gone) for each in difference.by_check()}
    assert summaries == {"edge/left": (2, 1, 0, 0), "blur/most": (0, 0, 1, 0), "blur/all": (0, 0, 0, 1)}
    assert (difference.unchanged, [change.student for change in difference.first]) == (1, ["new"])
    assert difference.data()["first"] == [
        {"student": "new", "old": None, "new": 2, "checks": [{"cell": "edge", "check": "left", "old": None, "new": 2}]}
    ]


@pytest.mark.parametrize("first", [False, True])
def test_the_table_of_changes(first):
    difference = Difference("convolution")
    difference.add(OLD, report("ada\x1b[2J", edge__left=0, edge__right=3, blur__most=5))
    difference.add(OLD, report("grace", edge__left=2, edge__right=3, blur__all=5))
    difference.add(None, report("new", edge__left=2))
    file = io.StringIO()
    print_difference(Console(file=file, width=30), difference, first=first)
    lines = [" ".join(line.split()) for line in file.getvalue().splitlines()]
    assert "ada\ufffd[2J 10 -> 8 edge/left 2 -> 0, blur/most new: 5, blur/all gone: 5" in lines
    assert ("new none -> 2 graded for the first time" in lines) == first
    assert not any(line.startswith("grace") for line in lines)
    assert lines[-1] == "1 changed, 1 unchanged, 1 graded for the first time"


def test_another_cause_at_equal_points_is_told():
    old, new = (
        replace(report(), checks=(CheckResult("left", "edge", 2, "fail", cause),)) for cause in ("value", "shape")
    )
    difference = Difference("convolution")
    difference.add(OldScores.of(old), new)
    difference.add(OldScores.of(old), old)
    difference.add(OldScores({"edge": 0}), old)  # of the gradebook, which has no causes
    file = io.StringIO()
    print_difference(Console(file=file, width=30), difference, first=True)
    assert file.getvalue() == "0 changed, 3 unchanged (1 with another cause)\n"
    assert difference.data()["other_cause"] == 1
