"""A week of a course: several assignments in one command, what is missing, what changes, what is exported."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import sqlite3
from pathlib import Path

import pytest
from small_course import WRONG, SmallCourse

NAMES = ("alpha", "beta", "gamma")


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    """Three assignments: alpha of three students, beta (which asks for words too) of two, gamma of nobody."""
    made = SmallCourse(tmp_path, *NAMES, written="beta")
    for student in ("ada", "alan", "grace"):
        made.hand_in(student, "alpha", WRONG if student == "alan" else None)
    made.hand_in("ada", "beta", why="It is added.")
    made.hand_in("linus", "beta")
    return made


def edit_checks(course: SmallCourse, name: str, old: str, new: str) -> None:
    path = course.root / "solutions" / name / "checks.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"))))


def test_a_week_of_a_course(course: SmallCourse) -> None:
    """One assignment of three is handed in by nobody, and nobody handed in everything but ada."""
    code, out, err = course.grade("--json", "reports/")
    assert code == 0, err
    assert out.count("nothing handed in for: gamma") == 1
    assert out.index("alpha (1 of 2): About alpha") < out.index("beta (2 of 2): About beta")
    assert "1 of 4 students have not handed in: linus" in out
    assert "2 of 4 students have not handed in: alan, grace" in out
    assert "2 assignments: 5 of 5 submissions graded" in out
    assert "alpha (1 of 2): 3/3" in err
    assert re.search(r"^linus +10 +1 to read +10 +2/2", out, re.MULTILINE), out
    assert err.count("warning: no sandbox") == 1
    written = {name: json.loads((course.root / "reports" / f"{name}.json").read_text()) for name in ("alpha", "beta")}
    assert [(report["student"], report["score"]) for report in written["alpha"]] == [
        ("ada", 10), ("alan", 6), ("grace", 10),
    ]  # fmt: skip
    assert not (course.root / "reports" / "gamma.json").exists()

    code, out, err = course.grade("--json", "all.json", "--student", "linus", "--student", "linus")
    assert (code, "nothing handed in for: alpha, gamma" in out) == (0, True), err
    assert [report["student"] for report in json.loads((course.root / "all.json").read_text())] == ["linus"]
    code, out, err = course.grade("--student", "linus", "--student", "grace", "--json", "all.json")
    told = [(report["assignment"], report["student"]) for report in json.loads((course.root / "all.json").read_text())]
    assert (code, told) == (0, [("alpha", "grace"), ("beta", "linus")]), err
    code, out, err = course.grade("beta", "alpha", "beta", "--json", "all.json")
    assert [report["assignment"] for report in json.loads((course.root / "all.json").read_text())] == [
        *["alpha"] * 3, *["beta"] * 2,
    ]  # fmt: skip

    with sqlite3.connect(course.root / "course" / "gradebook.db") as book:
        book.execute("update grade set manual_score = 4, needs_manual_grade = 0 where auto_score is null")
        book.execute("insert into student (id) values ('=HYPERLINK(1)')")
    code, out, err = course.run("feedback")
    assert (code, "nothing graded for: gamma" in out) == (0, True), err
    assert {path.parts[-3] for path in (course.root / "course/feedback").glob("*/*/*.html")} == {
        "ada", "alan", "grace", "linus",
    }  # fmt: skip
    code, out, err = course.run("export")
    assert (code, (course.root / "scores.csv").read_text()[0]) == (0, "\N{BYTE ORDER MARK}"), err
    code, out, err = course.run("export", "--to", "-")
    assert rows((course.root / "scores.csv").read_text()) == rows(out)
    found = {(row["assignment"], row["student"]): row for row in rows(out)}
    assert list(found) == sorted(found)
    assert {student for _, student in found} == {"'=HYPERLINK(1)", "ada", "alan", "grace", "linus"}
    ada = found["beta", "ada"]
    assert [ada[name] for name in ("score", "max", "automatic", "manual", "late_penalty", "status")] == [
        "14", "15", "10", "4", "0", "graded",
    ]  # fmt: skip
    assert [ada[name] for name in ("double", "double/positive", "double/negative", "why")] == ["10", "6", "4", "4"]
    assert [found["alpha", "alan"][name] for name in ("score", "double/negative", "why")] == ["6", "0", ""]
    assert [found["alpha", "linus"][name] for name in ("status", "score", "double")] == ["missing", "", ""]


def test_what_an_edited_check_changes_is_shown_before_it_is_recorded(course: SmallCourse) -> None:
    assert course.grade("--quiet")[0] == 0
    edit_checks(course, "alpha", "student.double(-3), reference.double(-3)", "abs(student.double(-3)), 6")
    edit_checks(course, "alpha", "student.double(3), reference.double(3)", "student.double(3), 7")
    before = course.files()
    code, out, err = course.grade("--dry-run", "--json", "changes.json")
    assert code == 0, err
    assert course.files() == before
    assert re.search(r"^ +3 +double/positive$", out, re.MULTILINE), out
    assert re.search(r"^ +1 +double/negative$", out, re.MULTILINE), out
    assert re.search(r"^ada +10 -> 4 +double/positive 6 -> 0$", out, re.MULTILINE), out
    assert re.search(r"^alan +6 -> 4 +double/positive 6 -> 0, double/negative 0 -> 4$", out, re.MULTILINE), out
    assert "3 changed, 0 unchanged" in out
    assert "0 changed, 2 unchanged" in out
    assert "nothing was recorded" in out
    alpha, beta = json.loads((course.root / "changes.json").read_text())
    assert (beta["changed"], beta["unchanged"]) == ([], 2)
    [alan] = [change for change in alpha["changed"] if change["student"] == "alan"]
    assert alan == {
        "student": "alan",
        "old": 6,
        "new": 4,
        "checks": [
            {"cell": "double", "check": "positive", "old": 6, "new": 0},
            {"cell": "double", "check": "negative", "old": 0, "new": 4},
        ],
    }

    code, real, err = course.grade("alpha")
    assert code == 0, err
    shown = out[out.index("by check") : out.index("3 changed")]
    assert shown in real
    code, out, err = course.grade("alpha")
    assert (code, "->" in out) == (0, False)


def test_one_assignment_that_is_broken_does_not_stop_the_others(course: SmallCourse) -> None:
    course.hand_in("ada", "gamma")
    (course.root / "assignments" / "alpha" / "alpha.ipynb").unlink()
    edit_checks(course, "beta", "from . import reference", "from . import nothing_like_it")
    code, out, err = course.grade()
    assert code == 1
    assert "error: alpha: alpha is not released: run `autograder release alpha` first" in err
    assert "checks failed: beta: solutions/beta/checks.py: ImportError" in err
    assert "Traceback" not in err
    assert re.search(r"^ada +10 +2/2", out, re.MULTILINE), out
    code, out, err = course.grade("alpha")
    assert (code, out) == (2, "")
    assert "error: alpha is not released" in err
    code, out, err = course.run("feedback")
    assert (code, "nothing graded for: alpha, beta" in out) == (0, True), err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("grade", "alpha", "--student", "linus"), "no submission of 'linus' for alpha"),
        (("grade", "gamma"), "nothing to grade: expected gamma.ipynb in"),
        (("grade", "alpha", "delta"), "no assignment 'delta' in course.toml"),
        (("export",), "nothing to export for gamma"),
        (("export", "--to", "nowhere/scores.csv"), "no folder nowhere"),
        (("grade", "--json", "nowhere/reports/"), "no folder nowhere"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_line(course: SmallCourse, arguments: tuple[str, ...], told: str) -> None:
    if arguments == ("export",):
        arguments = ("export", "gamma")
    code, out, err = course.run(*arguments)
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith("error: ")
    assert told in line


def test_an_unknown_student_is_told_after_the_others_are_graded(course: SmallCourse) -> None:
    code, out, err = course.run("grade", "--student", "zoe", "--student", "ada", "--sandbox", "none")
    assert (code, "2 of 2 submissions graded" in out) == (2, True), err
    assert "error: no submission of 'zoe' for alpha or beta or gamma" in err


def test_without_grades_there_is_no_feedback(course: SmallCourse) -> None:
    code, out, err = course.run("feedback")
    assert (code, out) == (2, "")
    loading, told = err.splitlines()
    assert loading.startswith("loading nbgrader")
    assert told == "error: nothing is graded yet for alpha or beta or gamma: run `autograder grade` first"


def test_nothing_handed_in_at_all_says_what_is_expected(tmp_path: Path) -> None:
    code, _, err = SmallCourse(tmp_path, *NAMES).grade()
    assert code == 2
    [line] = err.splitlines()
    assert "nothing to grade: there is no folder" in line
    assert line.endswith("put notebooks at <student>/<assignment>/<assignment>.ipynb in it")


def test_ctrl_c_ends_all_assignments_and_keeps_what_is_graded(course: SmallCourse) -> None:
    process = course.start("grade", "--sandbox", "none", "--workers", "1", "--json", "all.json")
    assert process.stderr is not None
    while "alpha (1 of 2): 1/3" not in process.stderr.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in err, "beta" in err) == (130, False, False), (out, err)
    assert "interrupted: what was graded is kept" in err
    assert len(json.loads((course.root / "all.json").read_text())) >= 1
    code, out, err = course.grade()
    assert (code, "2 assignments: 5 of 5 submissions graded" in out) == (0, True), err
    assert re.search(r"3 of 3 graded \(\d now, [123] before\)", out)


def test_ctrl_c_in_a_dry_run_records_nothing(course: SmallCourse) -> None:
    process = course.start("grade", "--dry-run", "--sandbox", "none", "--workers", "1")
    assert process.stderr is not None
    while "alpha (1 of 2): 1/3" not in process.stderr.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in err) == (130, False), (out, err)
    assert "interrupted: nothing was recorded" in err
    assert [name for name in course.files() if name.endswith(".db")] == []
