"""The commands, as an operator types them: what they print, how they end, and that nothing graded is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.sandbox.bwrap import Bubblewrap
from autograder.settings import Settings

HERE = Path(__file__).parents[2]
STUDENTS = ("ada", "alan", "grace")


@pytest.fixture
def course(project: Path) -> Path:
    """A course folder with three right submissions of `output_sizes`."""
    settings = Settings.read(project)
    task = Task.load(settings.assignment("output_sizes"), HERE, "secret")
    content = json.dumps(specimens.right(task))
    for student in STUDENTS:
        folder = project / "course" / "submitted" / student / "output_sizes"
        folder.mkdir(parents=True)
        (folder / "output_sizes.ipynb").write_text(content)
    return project


def _heed_ctrl_c() -> None:
    """A shell's background jobs, and what they start, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def command(course: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=course,
        env={**os.environ, "AUTOGRADER_ROOT": str(course), "COLUMNS": "200", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - nothing here forks while a thread holds a lock
    )


def run(course: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = command(course, *arguments, **environment)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def grade(course: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    return run(course, "grade", "output_sizes", "--sandbox", "none", "--workers", "1", *arguments, **environment)


def test_a_class_is_graded_once_and_its_reports_follow_the_contract(course: Path) -> None:
    code, out, err = grade(course, "--json", "reports.json")
    assert code == 0, err
    assert "3 of 3 graded (3 now, 0 before)" in out
    reports = json.loads((course / "reports.json").read_text())
    assert [report["student"] for report in reports] == list(STUDENTS)
    assert {report["score"] for report in reports} == {100.0}
    assert set(reports[0]) == {
        "student", "assignment", "status", "score", "max_score", "seconds", "walls", "repairs", "checks", "provenance",
        "software",
    }  # fmt: skip
    assert set(reports[0]["checks"][0]) == {
        "name", "cell", "points", "max_points", "verdict", "cause", "message", "hint",
    }  # fmt: skip

    code, out, err = grade(course)
    assert (code, "3 of 3 graded (0 now, 3 before)" in out) == (0, True), err
    code, out, err = grade(course, "--limit", "call_seconds=20")
    assert (code, "--limit changed nothing for the 3 graded before" in err) == (0, True), err
    code, out, err = grade(course, "--limit", "call_second=20")
    assert (code, "call_second=20: there is no such setting; did you mean call_seconds?" in err) == (2, True), err
    code, out, err = grade(course, "--student", "ada", "--limit", "cell_seconds=0.001", "--force", "--json", "l.json")
    [report] = json.loads((course / "l.json").read_text())
    assert report["score"] < 100, "a limit of one run is not heeded"
    code, out, err = grade(course, "--force")
    assert (code, "3 of 3 graded (3 now, 0 before)" in out) == (0, True), err
    changed = course / "course" / "submitted" / "ada" / "output_sizes" / "output_sizes.ipynb"
    changed.write_text(changed.read_text() + "\n")
    code, out, err = grade(course, "--student", "adda", "--student", "ada", "--student", "zoe")
    assert (code, "1 of 1 graded (1 now, 0 before)" in out) == (2, True), "an unknown student stops a known one"
    assert "no submission of 'adda', 'zoe' for output_sizes" in err
    assert "no student 'adda'" in err
    assert "did you mean 'ada'?" in err
    changed.write_text(changed.read_text() + "\n")
    code, out, err = grade(course)
    assert (code, "3 of 3 graded (1 now, 2 before)" in out) == (0, True), err

    (course / "course" / "submitted" / "O'Brien, Zoë").mkdir()
    code, out, err = run(
        course, "feedback", "output_sizes", *(f"--student={n}" for n in ("zoe", "ada", "O'Brien, Zoë"))
    )
    assert (code, "1 page: " in out) == (2, True), err
    assert (course / "course" / "feedback" / "ada" / "output_sizes" / "output_sizes.html").is_file()
    assert "no student 'zoe' in the gradebook" in err
    assert 'did you mean "O\'Brien, Zoë"?' in err
    assert 'nothing of "O\'Brien, Zoë" is graded yet' in err
    assert err.startswith("loading nbgrader")


@pytest.mark.parametrize("seconds", [1, 4])
def test_ctrl_c_while_it_starts_ends_quietly(course: Path, seconds: float) -> None:
    process = command(course, "grade", "output_sizes", "--sandbox", "none", "--workers", "1")
    time.sleep(seconds)  # wherever that is in the start: nothing may be said of it
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    # where Ctrl-C comes inside an `exec` of text (a dataclass that is being made), `python -m` ends by the signal,
    # although it was handled: a shell shows 130 for that too
    assert process.returncode in {130, -signal.SIGINT}, (out, err)
    assert "interrupted: what was graded is kept" in err
    assert "Traceback" not in err


def test_ctrl_c_keeps_what_is_graded_and_the_next_run_goes_on(course: Path) -> None:
    process = command(course, "grade", "output_sizes", "--sandbox", "none", "--workers", "1", "--slot-lifetime", "1")
    assert process.stderr is not None
    while "1/3" not in process.stderr.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: its workers get it too
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, (out, err)
    assert "output_sizes: stopping" in err
    assert "Traceback" not in err

    force = command(course, "grade", "output_sizes", "--sandbox", "none", "--workers", "1", "--force")
    assert force.stderr is not None
    while "1/3" not in force.stderr.readline():
        assert force.poll() is None
    os.killpg(force.pid, signal.SIGINT)
    out, err = force.communicate(timeout=120)
    assert (force.returncode, "Traceback" in err) == (130, False)
    assert re.search(r"interrupted: \d of 3 were run again; the others keep their earlier result: .* with --force", err)
    assert out.split()[:4] == ["student", "auto", "manual", "total"]

    code, out, err = grade(course)
    assert code == 0, err
    match = re.search(r"3 of 3 graded \((\d) now, (\d) before\)", out)
    assert match is not None
    assert int(match[2]) >= 1
    assert int(match[1]) + int(match[2]) == 3


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("grade", "nothing"), {}, "no assignment 'nothing' in course.toml; it has: convolution"),
        (("check", "missing.ipynb", "-a", "convolution"), {}, "no notebook at missing.ipynb"),
        (("grade", "convolution", "--sandbox", "none"), {}, "nothing to grade: expected convolution.ipynb"),
        (("grade", "output_sizes", "--sandbox", "cloud"), {}, "no sandbox 'cloud'"),
        (("feedback", "output_sizes"), {}, "nothing is graded yet for output_sizes"),
        (("feedback", "--student", "ada"), {}, "nothing of ada is graded yet for convolution or"),
        (("feedback", "--student", "adda"), {}, "no student 'adda' in the gradebook or in"),
        (("grade", "output_sizes", "--student", "adda"), {}, "did you mean 'ada'?"),
        (
            ("grade", "output_sizes", "--sandbox", "none", "--scheduler", "tcp://127.0.0.1:9"),
            {},
            "no Dask scheduler answers",
        ),
        (
            ("grade", "output_sizes", "--sandbox", "none"),
            {"AUTOGRADER_DB_URL": "sqlite:////nowhere/at/all.db"},
            "/nowhere/at/all.db",
        ),
    ],
)
def test_wrong_use_gets_one_clear_line_and_exit_2(
    course: Path, arguments: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    code, out, err = run(course, *arguments, **environment)
    assert code == 2, (out, err)
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert told in errors[0]
    assert "Traceback" not in err


def test_an_unknown_command_is_told_which_there_are(course: Path) -> None:
    for words, told in ((["why"], "extend"), (["grad"], "Did you mean 'grade'?"), (["image", "why"], "build")):
        code, _, err = run(course, *words)
        assert (code, told in err) == (2, True), err


def test_a_missing_folder_is_told_as_missing(course: Path) -> None:
    shutil.rmtree(course / "course" / "submitted")
    code, _, err = grade(course)
    assert (code, "there is no folder" in err, "course/submitted" in err) == (2, True, True), err


def test_an_unreachable_engine_says_what_to_do(course: Path) -> None:
    code, _, err = run(course, "grade", "output_sizes", "--sandbox", "docker", DOCKER_HOST="unix:///nonexistent.sock")
    assert code in {1, 2}
    assert "Traceback" not in err
    assert "DOCKER_HOST" in err
    if Bubblewrap().missing() is None:
        assert "`--sandbox bwrap` works here" in err


def test_a_full_disk_under_the_report_loses_no_grade(course: Path) -> None:
    code, _, err = grade(course, "--json", "/dev/full")
    assert code == 2
    assert "cannot be written" in err
    code, out, err = grade(course)
    assert (code, "3 of 3 graded (0 now, 3 before)" in out) == (0, True), err


def test_a_folder_that_is_not_there_is_refused_before_the_work(course: Path) -> None:
    for arguments in (("grade", "output_sizes"), ("check", "course/course.toml", "-a", "output_sizes")):
        code, _, err = run(course, *arguments, "--json", "nowhere/reports.json")
        assert (code, "no folder nowhere" in err, "starting" in err) == (2, True, False)


def test_what_staff_should_know_is_said(course: Path) -> None:
    (course / "course" / "submitted" / "ada" / "output_sizes" / "timestamp.txt").write_text("soon")
    submitted = course / "course" / "submitted" / "alan" / "output_sizes" / "output_sizes.ipynb"
    submitted.rename(submitted.with_name("mine.ipynb"))
    (course / "course" / "submitted" / "grace" / "sizes").mkdir()
    (course / "course" / "submitted" / "grace" / "sizes" / "output_sizes.ipynb").touch()
    late = course / "course" / "submitted" / "grace" / "output_sizes" / "timestamp.txt"
    settings = course / "course" / "course.toml"
    text = re.sub(r'method = "\w+"', 'method = "per_day"', settings.read_text())
    settings.write_text(re.sub(r"points_per_day = \d+", "points_per_day = 7", text))
    late.write_text("2099-01-01 00:00:00 UTC")
    code, out, err = grade(course)
    assert code == 0, err
    assert re.search(r"look at: ada: .*timestamp\.txt is no time", err)
    assert re.search("look at: .*grace/sizes: no assignment has this name", err)
    assert "warning: no sandbox" in err
    assert "RuntimeWarning" not in err
    assert re.search(r"alan +100 +1 to read +100 +47/47", out)
    assert "look at: alan: output_sizes/mine.ipynb was graded in place of output_sizes/output_sizes.ipynb" in err
    assert re.search(r"grace +100 +1 to read +-100 +0 ", out)
    assert re.search(r"\d+ answers to read in formgrader", out)


def test_what_a_person_must_decide_waits_and_costs_nothing(course: Path) -> None:
    folder = course / "course" / "submitted" / "alan" / "output_sizes"
    notebook = (folder / "output_sizes.ipynb").rename(folder / "a.ipynb")
    (folder / "b.ipynb").write_text(notebook.read_text() + "\n")
    code, out, err = grade(course, "--student", "alan", "--json", "reports.json")
    assert code == 0, (out, err)
    assert "look at: alan: not graded: 2 files may be the notebook (output_sizes/a.ipynb, output_sizes/b.ipynb)" in err
    [report] = json.loads((course / "reports.json").read_text())
    assert (report["status"], report["checks"]) == ("failed", [])
    with sqlite3.connect(course / "course" / "gradebook.db") as book:
        assert book.execute("select count(*) from submitted_assignment").fetchone() == (0,)


def test_a_locked_gradebook_loses_no_grade(course: Path) -> None:
    assert grade(course)[0] == 0
    code, out, err = grade(course, "--student", "ada", "--student", "zoe")
    assert code == 2
    assert "no submission of 'zoe' for output_sizes" in err
    changed = course / "course" / "submitted" / "ada" / "output_sizes" / "output_sizes.ipynb"
    changed.write_text(changed.read_text() + "\n")
    settings = course / "course" / "course.toml"
    settings.write_text(settings.read_text().replace("wait_seconds = 30", "wait_seconds = 0.5"))
    with sqlite3.connect(course / "course" / "gradebook.db", isolation_level=None) as locked:
        locked.execute("begin exclusive")
        code, out, err = grade(course)
        locked.execute("rollback")
    assert code == 2, (out, err)
    assert "locked" in err
    assert "Traceback" not in err
    code, out, err = grade(course)
    assert code == 0, err
    assert "3 of 3 graded" in out


def test_check_of_a_folder_says_which_notebook_it_expects(course: Path) -> None:
    for files, told in (
        ((), "mine is a folder: expected one of its notebooks (it has none)"),
        (("my try.ipynb",), "mine is a folder: run `autograder check 'mine/my try.ipynb' -a output_sizes`"),
        (("b.ipynb",), "mine is a folder: expected one of its notebooks (b.ipynb, my try.ipynb)"),
        (("output_sizes.ipynb",), "mine is a folder: run `autograder check mine/output_sizes.ipynb -a output_sizes`"),
    ):
        (course / "mine").mkdir(exist_ok=True)
        for name in files:
            (course / "mine" / name).touch()
        code, _, err = run(course, "check", "mine", "-a", "output_sizes", "--sandbox", "none")
        assert (code, err.splitlines()) == (2, [f"error: {told}"])


def test_check_prints_a_report_and_every_command_has_help(course: Path) -> None:
    notebook = course / "course" / "submitted" / "ada" / "output_sizes" / "output_sizes.ipynb"
    code, out, err = run(course, "check", str(notebook), "-a", "output_sizes", "--sandbox", "none")
    assert code == 0, err
    assert "100 of 100 points" in out
    for name in ("", "release", "check", "grade", "audit", "feedback", "doctor", "image"):
        code, out, _ = run(course, *([name] if name else []), "--help")
        assert (code, "Usage" in out) == (0, True)
        if name == "check":  # in brackets these words would be markup, and vanish
            assert "nobody's" in out
            assert "(default: autograder:latest)" in out
