"""A report says the same to scripts, to the store and to pages, and shows students nothing that is for staff."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace

import pytest

from autograder.model.report import CheckResult, Picture, Provenance, Report
from autograder.model.submission import Submission

PROVENANCE = Provenance("a" * 64, "b" * 64, "image", "seed", "0.1")
PICTURE = Picture([[0.0, 1.0]], [[math.inf, 2.0]], "the result")
REPORT = Report(
    "ada",
    "convolution",
    "graded",
    (
        CheckResult("one", "conv2d", 4, "pass", title="One."),
        CheckResult("two", "conv2d", 3, "fail", "value", "wrong", "a hint", "Two.", "for staff", PICTURE),
        CheckResult("three", "pool", 5, "not_run"),
    ),
    PROVENANCE,
    1.25,
    ("bwrap", "landlock"),
    ("`x` was missing",),
)


def test_a_check_gives_all_its_points_or_none():
    assert [check.points for check in REPORT.checks] == [4, 0, 0]


def test_scores_are_the_sums_of_the_checks():
    assert (REPORT.score, REPORT.max_score) == (4, 4 + 3 + 5)


def test_a_cell_has_its_own_checks_in_order():
    assert [check.name for check in REPORT.cell("conv2d")] == ["one", "two"]
    assert REPORT.cell("nothing") == ()


def test_what_is_stored_is_read_back_as_it_was():
    assert Report.from_stored(json.loads(json.dumps(REPORT.stored()))) == REPORT


def test_a_report_of_a_version_without_notes_is_read():
    data = REPORT.stored()
    del data["notes"]
    assert Report.from_stored(data) == replace(REPORT, notes=())


def test_the_contract_is_plain_json():
    told = REPORT.contract()
    assert json.loads(json.dumps(told)) == told


def test_the_contract_has_what_scripts_rely_on():
    told = REPORT.contract()
    assert (told["student"], told["assignment"], told["status"]) == ("ada", "convolution", "graded")
    assert (told["score"], told["max_score"]) == (REPORT.score, REPORT.max_score)
    assert (told["walls"], told["repairs"]) == (["bwrap", "landlock"], ["`x` was missing"])
    assert set(told["provenance"]) == {"submission_sha256", "checks_sha256", "image", "seed", "version"}
    keys = {"name", "cell", "points", "max_points", "verdict", "cause", "message", "hint"}
    assert all(set(check) == keys for check in told["checks"])


def test_the_contract_holds_nothing_for_staff_alone():
    told = json.dumps(replace(REPORT, error="traceback of a reference").contract())
    assert "for staff" not in told
    assert "traceback of a reference" not in told


def test_a_timed_report_is_the_same_report():
    assert replace(REPORT.timed(9.5), seconds=REPORT.seconds) == REPORT
    assert REPORT.timed(9.5).seconds == 9.5


def test_a_report_does_not_change():
    with pytest.raises(FrozenInstanceError):
        REPORT.student = "alan"


def test_a_submission_is_known_by_its_bytes():
    one, same, other = (Submission(name, "a", content) for name, content in (("x", b"1"), ("y", b"1"), ("x", b"2")))
    assert one.sha256 == same.sha256
    assert one.sha256 != other.sha256


def test_the_bytes_of_a_submission_are_not_printed():
    assert "secret answer" not in repr(Submission("ada", "a", b"secret answer"))
