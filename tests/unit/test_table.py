"""A terminal shows what a report says, and obeys nothing that a student wrote."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from autograder.checks.diagnosis import Mistake
from autograder.gradebook.scores import CellScore, StudentScores
from autograder.grading.audit import Trial
from autograder.model.report import CheckResult, Provenance, Report
from autograder.table import print_audit, print_class, print_report

HOSTILE = "\x1b[2J\x1b]0;title\x07[bold red]markup[/] \x9b31m"
PASSED = CheckResult("one", "conv2d", 4, "pass", title="It is right.")
FAILED = CheckResult(
    "two", "conv2d", 3, "fail", "value", "wrong by 2", "look at the padding", "It pads.", "expected 271"
)
REPORT = Report(
    "ada", "convolution", "graded", (PASSED, FAILED), Provenance("a", "b", "c", "d", "e"), 1.5, ("bwrap",),
    ("repaired",),
    notes=("a cell of yours\x1b[2J",),
)  # fmt: skip


@pytest.fixture
def shown():
    """What a function prints to a terminal, of 200 columns where nothing else is said."""

    def show(print_it, *args, width=200, **kwargs):
        console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
        print_it(console, *args, **kwargs)
        return console.export_text()

    return show


def test_a_report_shows_points_message_and_hint(shown):
    text = shown(print_report, REPORT)
    for part in (
        "4 / 7",
        "It is right.",
        "wrong by 2",
        "look at the padding",
        "4 of 7 points",
        "bwrap",
        "repaired",
        "look at: a cell of yours\ufffd[2J",
    ):
        assert part in text


def test_details_are_for_staff(shown):
    assert "expected 271" not in shown(print_report, REPORT)
    assert "expected 271" in shown(print_report, REPORT, staff=True)


def test_no_wall_is_said_aloud(shown):
    assert "without walls" in shown(print_report, replace(REPORT, walls=()))
    assert "without walls" not in shown(print_report, REPORT)


def test_a_notebook_that_was_not_run_needed_no_walls(shown):
    unread = replace(REPORT, checks=(replace(PASSED, verdict="not_run"),), walls=())
    assert "without walls" not in shown(print_report, unread)


@pytest.mark.parametrize("error", ["", "the engine is gone", "a check raised\nTraceback: secret"])
def test_a_failed_attempt_says_so_in_one_line(shown, error):
    failed = replace(REPORT, status="failed", error=error)
    for text in (shown(print_report, failed), shown(print_class, [failed])):
        assert error.partition("\n")[0] in text
        assert "secret" not in text


def test_staff_see_the_whole_error(shown):
    failed = replace(REPORT, status="failed", error="a check raised\nTraceback: secret")
    assert "secret" in shown(print_report, failed, staff=True)


@pytest.mark.parametrize("field", ["message", "hint", "detail"])
def test_a_students_text_is_shown_and_not_obeyed(shown, field):
    text = shown(print_report, replace(REPORT, checks=(replace(FAILED, **{field: HOSTILE}),)), staff=True)
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\x07" not in text
    assert "[bold red]markup[/]" in text


def test_a_students_name_is_shown_and_not_obeyed(shown):
    text = shown(print_class, [replace(REPORT, student="ada[red]\x1b[2J")])
    assert "ada[red]" in text
    assert "\x1b" not in text


def test_a_class_shows_each_students_score_and_what_failed(shown):
    text = shown(print_class, [REPORT, replace(REPORT, student="alan", checks=(PASSED,))])
    [ada] = [line for line in text.splitlines() if line.startswith("ada")]
    [alan] = [line for line in text.splitlines() if line.startswith("alan")]
    assert "1/2" in ada
    assert "conv2d (value)" in ada
    assert "1/1" in alan
    assert "conv2d" not in alan


FAILURES = tuple(CheckResult(f"c{i}", f"a_long_cell{i}", 1, "fail", ("value", "died")[i % 2]) for i in range(42))
LONG = "\N{CJK UNIFIED IDEOGRAPH-5B66}" * 40


@pytest.mark.parametrize("name", ["a", "n" * 40, LONG], ids=["short", "long", "wide"])
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_terminal_of_any_width_shows_every_word_and_number(shown, width, name):
    bad = replace(REPORT, student="b" + name, checks=FAILURES, seconds=1234.56)
    lost = replace(bad, student="l" + name, status="failed", error="the engine is gone " * 9)
    good = replace(bad, student="g" + name, checks=(replace(PASSED, max_points=87.125),))
    text = shown(print_class, [bad, lost, good], width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    words = text.split()
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    for word in ("0/42", "1234.56", "87.125", "1/1", "failed"):
        assert word in words
    assert all(f"{check.cell} ({check.cause})" in " ".join(words) for check in FAILURES)
    assert words.count("engine") == 9
    if name == "a":
        assert {"ba", "la", "ga"} <= {*words}
    else:
        assert text.count(name[0]) >= 3 * len(name)


def test_a_file_has_every_row_in_one_line():
    """Nobody knows how wide the reader is."""
    file = io.StringIO()
    narrow = Console(width=40, file=file)
    print_class(narrow, [replace(REPORT, student=f"s{number}" + LONG, checks=FAILURES) for number in range(3)])
    heading, *rows = file.getvalue().splitlines()
    assert heading.split() == ["student", "score", "checks", "s", "what", "failed"]
    assert len(rows) == 3
    assert all("a_long_cell40 (value), a_long_cell41 (died)" in row and LONG in row for row in rows)


def test_a_report_in_a_file_has_every_message_in_one_line():
    file = io.StringIO()
    message, hint, note = (f"{word} " * 60 for word in ("differs", "look", "read"))
    report = replace(REPORT, checks=(PASSED, replace(FAILED, message=f"{message}\nposing", hint=hint)), notes=(note,))
    print_report(Console(file=file, width=40), report)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    for told in (f"  {message}", f"  hint: {hint}", f"  look at: {note}", "  | posing", "conv2d  4 / 7"):
        assert told.rstrip() in lines


def test_an_audit_in_a_file_keeps_its_words():
    file = io.StringIO()
    mistake = Mistake("a_mistake_with_a_long_name_" * 4, "conv2d", "hint", None)
    print_audit(Console(width=40, file=file), "convolution", [Trial(mistake.name, mistake, REPORT)])
    assert f"conv2d: {mistake.name}" in file.getvalue()


def test_lateness_has_a_column_where_it_costs_something(shown):
    reports = [replace(REPORT, student=name) for name in ("ada", "alan")]
    assert "late" not in shown(print_class, reports)
    heading, ada, alan = shown(print_class, reports, {"ada": StudentScores(late=20.0)}).splitlines()
    assert heading.split()[:3] == ["student", "score", "late"]
    assert ada.split()[:3] == ["ada", "4", "-20"]
    assert alan.split()[:3] == ["alan", "4", "1/2"]


WAITING = CellScore(None, waiting=True)


def test_manual_points_and_what_waits_for_them_have_columns(shown):
    names = ("ada", "alan", "grace", "lost")
    reports = [replace(REPORT, student=name) for name in names[:3]]
    reports.append(replace(REPORT, student="lost", status="failed", error="gone"))
    scores = {
        "ada": StudentScores({"conv2d": CellScore(4), "why": CellScore(None, 2.5), "how": WAITING}),
        "alan": StudentScores({"conv2d": CellScore(4, 3), "why": WAITING}, late=1),
        "grace": StudentScores({"conv2d": CellScore(4), "why": CellScore(0.0)}),
        "lost": StudentScores({"conv2d": CellScore(4), "why": CellScore(0.0)}),
    }
    heading, *rows = [line.split() for line in shown(print_class, reports, scores).splitlines()]
    assert heading[:6] == ["student", "auto", "manual", "late", "total", "checks"]
    assert rows[0][:7] == ["ada", "4", "2.5,", "1", "to", "read", "6.5"]
    assert rows[1][:8] == ["alan", "4", "-1,", "1", "to", "read", "-1", "2"]
    assert rows[2][:3] == ["grace", "4", "4"]
    assert rows[3][:3] == ["lost", "failed", "1/2"]


def test_a_class_has_the_same_columns_whoever_is_graded_already(shown):
    """After Ctrl-C nobody, or only who left the written question out, may be in the table."""
    scores = {"ada": StudentScores({"conv2d": CellScore(4), "why": WAITING})}
    headings = {
        shown(print_class, reports, scores, written=True).splitlines()[0].partition("checks")[0].strip()
        for reports in ([REPORT], [replace(REPORT, student="alan")], [])
    }
    assert {tuple(heading.split()) for heading in headings} == {("student", "auto", "manual", "total")}


UNREAD = tuple(CheckResult(f"c{i}", f"cell{i % 2}", 1, "not_run", "type", "expected JSON") for i in range(6))


def test_what_all_checks_say_is_said_once(shown):
    assert shown(print_report, replace(REPORT, checks=UNREAD)).count("expected JSON") == 1
    assert "unreadable, see below" in shown(print_class, [replace(REPORT, checks=UNREAD)])


def test_what_all_checks_of_a_cell_say_is_said_once(shown):
    broken = tuple(replace(check, verdict="fail", message=f"line {check.cell}") for check in UNREAD)
    text = shown(print_report, replace(REPORT, checks=broken))
    assert [text.count("line cell0"), text.count("line cell1")] == [1, 1]


def test_an_audit_counts_killed_and_hinted_mistakes(shown):
    mistakes = [Mistake(name, "conv2d", f"hint of {name}", None) for name in ("flipped", "shifted", "survivor")]
    hinted = replace(REPORT, checks=(PASSED, replace(FAILED, hint=mistakes[0].hint)))
    other = replace(REPORT, checks=(PASSED, replace(FAILED, hint="of another")))
    right = replace(REPORT, checks=(PASSED,))
    trials = [Trial("model answer", None, right)]
    trials += [Trial(m.name, m, report) for m, report in zip(mistakes, (hinted, other, right), strict=True)]
    text = shown(print_audit, "convolution", trials)
    assert "2/3 killed" in text
    assert "1/3 with their own hint" in text
    assert "survived" in text


@pytest.mark.parametrize("width", range(40, 100))
def test_no_line_of_a_message_looks_like_one_of_ours(shown, width):
    """A long message is broken where the terminal ends, and a student may know where that is."""
    posing = "\u2713 one 4/4 7 of 7 points "
    report = replace(REPORT, checks=(PASSED, replace(FAILED, message=posing * 9, hint=posing * 9)), notes=(posing * 9,))
    lines = shown(print_report, report, width=width).splitlines()
    assert sum(line.startswith(("\u2502 \u2713", "\u2713")) for line in lines) == 1  # that of the check that passed
    assert [line for line in lines if line.startswith("7 of 7")] == []
