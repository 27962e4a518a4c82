"""`autograder extend`: what it writes, lists and refuses."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.cli import app
from autograder.errors import UsageError
from autograder.jobs import restoring
from autograder.settings import Settings


@pytest.fixture
def course(project: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A course in Berlin that ada belongs to, and bjork, who has handed in something."""
    monkeypatch.setenv("AUTOGRADER_ROOT", str(project))
    monkeypatch.delenv("AUTOGRADER_DB_URL", raising=False)
    path = project / "course" / "course.toml"
    text = path.read_text().replace('id = "cnn"', 'id = "cnn"\ntimezone = "Europe/Berlin"')
    text = re.sub(r"due = \S+", "due = 2027-03-27", text, count=2)
    path.write_text(re.sub(r"due = 2027-03-01\S+", "", text))
    (project / "course" / "submitted" / "bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rk").mkdir(parents=True)
    settings = Settings.read(project)
    with restoring.gradebook(settings) as book:
        book.add_students(["ada"])
    return settings


def extend(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["extend", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_extensions_are_granted_replaced_listed_and_removed(course: Settings) -> None:
    assert extend("--list") == "no extensions\n"
    assert extend("ada", "convolution", "--by", "1d") == (
        "ada: convolution is due 2027-03-28 23:59 CEST instead of 2027-03-27 23:59 CET\n"
    )
    assert "2027-04-01 12:00 CEST" in extend("ada", "convolution", "--until", "2027-04-01T12:00")
    assert "2027-04-01 10:00 CEST" in extend("ada", "output_sizes", "--until", "2027-04-01T08:00Z")
    extend("bjo\N{COMBINING DIAERESIS}rk", "convolution", "--by", "90m")
    lines = extend("--list").splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["student", "assignment"],
        ["ada", "convolution"],
        ["bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rk", "convolution"],
        ["ada", "output_sizes"],
    ]
    assert lines[1].endswith("2027-03-27 23:59 CET  2027-04-01 12:00 CEST")
    assert lines[2].endswith("2027-03-28 01:29 CET")
    assert len(extend("ada", "output_sizes", "--list").splitlines()) == 2
    assert extend("ada", "convolution", "--remove") == "ada: convolution is due 2027-03-27 23:59 CET\n"
    assert len(extend("ada", "--list").splitlines()) == 2


def test_a_time_stays_and_a_duration_moves_with_the_due_date(course: Settings) -> None:
    extend("ada", "convolution", "--until", "2027-04-01")
    extend("ada", "output_sizes", "--by", "5d")
    path = course.course_folder / "course.toml"
    path.write_text(path.read_text().replace("due = 2027-03-27", "due = 2027-03-29"))
    assert [line.split()[-3] for line in extend("--list").splitlines()[1:]] == ["2027-04-01", "2027-04-03"]


def test_nobody_who_has_not_handed_in_has_a_submission_in_the_gradebook(course: Settings) -> None:
    extend("ada", "convolution", "--by", "2d")
    with Gradebook(course.db_url) as book:
        assert [book.student_submissions(student.id) for student in book.students] == [[]]


def test_one_given_by_nbgraders_own_means_is_listed(course: Settings) -> None:
    with restoring.gradebook(course) as book, Gradebook(course.db_url) as theirs:
        theirs.add_assignment("convolution", duedate=course.assignment("convolution").due)
        theirs.update_or_create_notebook("convolution", "convolution")
        theirs.add_grade_cell("conv", "convolution", "convolution", max_score=1, cell_type="code")
        theirs.add_submission("convolution", "ada", extension=timedelta(days=3))
        assert book.is_registered("convolution")
    assert "2027-03-31 00:59 CEST" in extend("--list")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("adda", "convolution", "--by", "2d"), r"no student 'adda' .*did you mean 'ada'\?.*nbgrader db student add"),
        (("Ada", "convolution", "--by", "2d"), r"did you mean 'ada'\?"),
        (("ada", "convolutions", "--by", "2d"), r"no assignment 'convolutions'.*did you mean convolution\?"),
        (("ada", "architectures", "--by", "2d"), "architectures has no due date"),
        (("ada", "convolution", "--by", "soon"), "--by: expected a duration such as 2d"),
        (("ada", "convolution", "--by", "0d"), "an extension has to end after that"),
        (("ada", "convolution", "--until", "soon"), "--until: expected a date, or a date and time"),
        (("ada", "convolution", "--until", "2027-03-26"), "convolution is due 2027-03-27 23:59 CET"),
        (("ada", "convolution", "--remove"), "ada has no extension for convolution"),
        (("ada", "convolution"), "expected one of --until"),
        (("ada", "convolution", "--by", "2d", "--remove"), "expected one of --until"),
        (("ada", "--by", "2d"), "expected a student and an assignment"),
        (("ada", "nothing", "--list"), "no assignment 'nothing'"),
        (("adda", "--list"), r"no student 'adda'.*did you mean 'ada'\?"),
        (("bob", "convolution", "--by", "2d"), r"submitted: `nbgrader db student add`, run in course/"),
    ],
)
def test_wrong_use_is_said_in_one_line(course: Settings, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        extend(*arguments)
    assert "\n" not in str(caught.value)
