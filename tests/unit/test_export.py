"""The exported table: what a spreadsheet opens, and computes nothing of."""

import csv
import io

import pytest

from autograder.gradebook.scores import CellScore, StudentScores
from autograder.jobs.export import COLUMNS, ScoresTable, _ordered, _values, as_csv, plain_text
from autograder.model.report import CheckResult, Provenance, Report

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1", "\n=1", " =1+1", "\uff1d1+1", "\uff20SUM(A1)"]
HARMLESS = ["ada", "O'Brien, Pat", "a=b", "a-b@c.d", "1st", "\N{CYRILLIC SMALL LETTER YA}", 'a "b" c', "a;b", "'=1"]


def read(text):
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_looks_like_a_formula_is_text(name):
    [_, [told]] = read(as_csv(ScoresTable(("student",), ({"student": name},))))
    assert told.startswith("'")
    assert not set(told) & {"\t", "\r", "\n"}


@pytest.mark.parametrize("name", HARMLESS)
def test_another_name_is_exported_as_it_is(name):
    assert plain_text(name) == name
    assert read(as_csv(ScoresTable(("student",), ({"student": name},))))[1] == [name]


def test_names_of_columns_are_no_formulas_either():
    assert read(as_csv(ScoresTable(("=cell",), ()))) == [["'=cell"]]


@pytest.mark.parametrize(("value", "told"), [(10.0, "10"), (-2.5, "-2.5"), (1 / 3, "0.333333"), (None, ""), (0, "0")])
def test_numbers_are_numbers(value, told):
    assert as_csv(ScoresTable(("score",), ({"score": value},))).splitlines()[1] in {told, f'"{told}"'}
    if value is not None:
        assert '"' not in as_csv(ScoresTable(("score",), ({"score": value},))).splitlines()[1]


def test_a_submission_has_its_cells_and_checks():
    checks = (CheckResult("left", "edge", 2, "pass"), CheckResult("right", "edge", 3, "fail"))
    report = Report("ada", "convolution", "graded", checks, Provenance("", "", "", "", ""))
    scores = StudentScores(
        {
            "edge": CellScore(2, 4.5),
            "why": CellScore(None, waiting=True),
            "how": CellScore(None, 3, extra=1),
            "blank": CellScore(0.0),
        },
        late=1,
    )
    values = _values(scores, report)
    assert {name: values[name] for name in ("score", "automatic", "manual", "late_penalty", "status")} == {
        "score": 7.5, "automatic": 2, "manual": 6.5, "late_penalty": 1, "status": "needs_manual_grading",
    }  # fmt: skip
    cells = {name: value for name, value in values.items() if name not in COLUMNS}
    assert cells == {"edge": 4.5, "edge/left": 2, "edge/right": 0, "why": None, "how": 4, "blank": 0}
    assert _ordered(["b", "a/y", "b/x", "a"]) == ["b", "b/x", "a", "a/y"]


def test_a_penalty_takes_no_more_than_there_is():
    assert StudentScores({"edge": CellScore(2)}, late=5).score == 0
