"""course.toml is read once into one frozen object, and what is wrong in it is said with its place."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from autograder.errors import UsageError
from autograder.inside.values import ANSWER
from autograder.kernel.session import MESSAGE_BYTES
from autograder.model import deadline
from autograder.model.assignment import Limits
from autograder.settings import LimitsTable, Settings

COURSE = """
[course]
id = "cnn"
title = "CNNs"
"""
ASSIGNMENT = """
[[assignments]]
name = "convolution"
title = "Convolution"
profile = "numpy"
"""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("AUTOGRADER_ROOT", "AUTOGRADER_SECRET", "AUTOGRADER_DB_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    """Write course.toml in a project of its own; the project's folder."""

    def write(text=COURSE + ASSIGNMENT):
        (tmp_path / "course").mkdir(exist_ok=True)
        path = tmp_path / "course" / "course.toml"
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        return tmp_path

    return write


def test_the_course_of_this_project_is_readable():
    settings = Settings.read(Path(__file__).parents[2])
    assert settings.assignments


def test_what_is_not_said_has_its_default(project):
    [assignment] = Settings.read(project()).assignments
    assert (assignment.due, assignment.forbidden, assignment.limits) == (None, (), Limits())


def test_a_limit_of_an_assignment_goes_before_that_of_the_course(project):
    settings = Settings.read(
        project(
            COURSE
            + "[limits]\ncell_seconds = 7\nmemory_mb = 512\noutput_kb = 3\n"
            + ASSIGNMENT
            + "limits = {cell_seconds = 9, notebook_mb = 2}\n"
            + ASSIGNMENT.replace("convolution", "other")
        )
    )
    own, other = (settings.assignment(name).limits for name in ("convolution", "other"))
    assert (own.cell_seconds, other.cell_seconds) == (9, 7)
    assert own.memory_bytes == other.memory_bytes == 512 * 2**20
    assert own.output_bytes == 3 * 2**10
    assert (own.notebook_bytes, other.notebook_bytes) == (2 * 2**20, Limits().notebook_bytes)


@pytest.mark.parametrize(
    ("due", "utc"),
    [
        ("2027-02-08", "2027-02-08T22:59:59"),
        ('"2027-02-08"', "2027-02-08T22:59:59"),
        ("2027-07-08", "2027-07-08T21:59:59"),
        ("2027-02-08T23:59:00", "2027-02-08T22:59:00"),
        ("2027-02-08T23:59:00Z", "2027-02-08T23:59:00"),
        ("2027-02-08T23:59:00-05:00", "2027-02-09T04:59:00"),
        ("2027-03-28T02:30:00", "2027-03-28T01:30:00"),  # the clocks skip it: the later moment
        ("2027-10-31T02:30:00", "2027-10-31T01:30:00"),  # it comes twice: the second
    ],
)
def test_a_due_date_is_that_of_the_courses_time_zone(project, due, utc):
    course = COURSE.replace("[course]", '[course]\ntimezone = "Europe/Berlin"')
    [assignment] = Settings.read(project(course + ASSIGNMENT + f"due = {due}\n")).assignments
    assert assignment.due == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Europe/Berln", "no time zone 'Europe/Berln'.*did you mean Europe/Berlin"),
        ("../passwd", "no time zone"),
        ("Europe", "no time zone"),
        ("", "no time zone"),
    ],
)
def test_an_unknown_time_zone_is_said_plainly(project, name, told):
    with pytest.raises(UsageError, match=told) as caught:
        Settings.read(project(COURSE.replace("[course]", f'[course]\ntimezone = "{name}"') + ASSIGNMENT))
    assert "course.timezone" in str(caught.value)


@pytest.mark.parametrize("due", ["2027-02-08T23:59:00Z", "2027-02-08T23:59:00", "2027-02-09T01:59:00+02:00"])
def test_a_due_date_is_utc(project, due):
    [assignment] = Settings.read(project(COURSE + ASSIGNMENT + f"due = {due}\n")).assignments
    assert assignment.due == datetime(2027, 2, 8, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (COURSE, "assignments"),
        (ASSIGNMENT, "course"),
        (COURSE + ASSIGNMENT + "profil = 1\n", "convolution: profil"),
        (COURSE + ASSIGNMENT.replace("numpy", "scipy"), "convolution: profile"),
        (COURSE + ASSIGNMENT.replace("convolution", "../up"), "[[assignments]] number 1: name"),
        (COURSE + "[limits]\ncell_seconds = 0\n" + ASSIGNMENT, "limits.cell_seconds"),
        (COURSE + '[late]\nmethod = "harsh"\n' + ASSIGNMENT, "late.method"),
        (COURSE.replace('"cnn"', '"a b"') + ASSIGNMENT, "course.id"),
        (COURSE + ASSIGNMENT + "[[assignments]]\nname = 'pooling'\nprofile = 7\n", "pooling: profile"),
        (COURSE + ASSIGNMENT.replace('"convolution"', "7"), "[[assignments]] number 1: name"),
        (COURSE + ASSIGNMENT + ASSIGNMENT + "points = 'many'", "[[assignments]] number 2: points"),
        (COURSE + ASSIGNMENT + 'forbidden = ["numpy", 7]', "convolution: forbidden.number 2"),
        (COURSE + ASSIGNMENT + 'runner = "gpu"', "convolution: runner = "),
        (COURSE + ASSIGNMENT + "due = 9999-12-31T23:59:59-23:00", "convolution: due: the year of"),
        (COURSE + ASSIGNMENT + "due = 2027-02-31\n", "due = 2027-02-31: there is no 2027-02-31: day "),
        (COURSE + ASSIGNMENT + 'due = "2027-02-31"\n', "convolution: due: there is no 2027-02-31: day "),
        (COURSE + "points = yes\n" + ASSIGNMENT, "points = yes"),
        ("[course\n", "line 1"),
        (b"title = '\xff'", "course.toml"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(project, text, place):
    with pytest.raises(UsageError) as caught:
        Settings.read(project(text))
    assert place in str(caught.value)
    assert "course.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('forbidden = ["np.convolve"]', "forbidden: 'np.convolve': write numpy.convolve"),
        ('forbidden = ["F"]', "forbidden: 'F': write torch.nn.functional"),
        ('forbidden = ["numpy convolve"]', "forbidden: 'numpy convolve' is no dotted name, such as numpy.convolve"),
        ('forbidden = "torch"', "forbidden: expected a list, found 'torch'"),
        (
            'due = "soon"',
            f"due: expected {deadline.FORMS}, found 'soon'",
        ),
        (
            "due = true",
            f"due: expected {deadline.FORMS}, found True",
        ),
        (
            "limits = {due = 1}",
            "limits.due: there is no such setting in this table: it belongs above the table",
        ),
        ("[[assignments]]", "[[assignments]] number 2: title: it has to be there, and is not"),
        (ASSIGNMENT, "assignments: 2 of them are named 'convolution'"),
    ],
)
def test_what_is_wrong_is_said_in_tomls_words(project, more, told):
    with pytest.raises(UsageError) as caught:
        Settings.read(project(COURSE + ASSIGNMENT + more + "\n"))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [("[late]\npoint_per_day = 1\n", "did you mean points_per_day?"), ("[x]\n", "docs/settings.md lists them")],
)
def test_a_setting_that_there_is_not_comes_with_advice(project, text, advice):
    with pytest.raises(UsageError) as caught:
        Settings.read(project(COURSE + text + ASSIGNMENT))
    assert str(caught.value).endswith(advice)


def test_the_project_is_found_from_any_folder_in_it(project, monkeypatch):
    deep = project() / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Settings.read().root == project()


def test_the_environment_names_the_project(project, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_ROOT", str(project()))
    monkeypatch.chdir("/")
    assert Settings.read().root == project()


def test_no_project_is_the_operators_error(tmp_path):
    with pytest.raises(UsageError, match=r"no course/course\.toml"):
        Settings.read(tmp_path)


def test_an_unknown_assignment_is_the_operators_error_and_the_known_are_named(project):
    with pytest.raises(UsageError, match=r"pooling.*convolution"):
        Settings.read(project()).assignment("pooling")


def test_settings_do_not_change(project):
    with pytest.raises(ValidationError):
        Settings.read(project()).title = "other"


def test_the_secret_is_made_once_and_kept_private(project):
    secret = Settings.read(project()).secret
    path = project() / "course" / ".secret"
    assert len(secret) >= 32
    assert Settings.read(project()).secret == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".secret", "course.toml"]


def test_every_course_has_a_secret_of_its_own(project):
    first = Settings.read(project()).secret
    (project() / "course" / ".secret").unlink()
    assert Settings.read(project()).secret != first


def test_the_environment_gives_the_secret(project, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SECRET", "from the environment")
    assert Settings.read(project()).secret == "from the environment"
    assert not (project() / "course" / ".secret").exists()


def test_an_empty_secret_is_refused(project):
    (project() / "course" / ".secret").write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        _ = Settings.read(project()).secret


def test_the_gradebook_lies_in_the_course_unless_the_environment_says_where(project, monkeypatch):
    assert Settings.read(project()).db_url == f"sqlite:///{project() / 'course' / 'gradebook.db'}"
    monkeypatch.setenv("AUTOGRADER_DB_URL", "postgresql://db/grades")
    assert Settings.read(project()).db_url == "postgresql://db/grades"


def test_all_mistakes_are_named_at_once(project):
    with pytest.raises(UsageError, match="3 mistakes\n") as caught:
        Settings.read(project(COURSE + "[limits]\ncell_second = 7\nmemory_mb = 1\n" + ASSIGNMENT + "points = 'many'"))
    _, *lines = str(caught.value).splitlines()
    places = [line.split(": ")[0].strip() for line in lines]
    assert places == ["limits.memory_mb", "limits.cell_second", "convolution"]
    assert "did you mean cell_seconds?" in lines[1]


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (["call_second=20"], "--limit call_second=20: there is no such setting; did you mean call_seconds?"),
        (["memory_mb=64"], "--limit memory_mb=64: Input should be greater than or equal to 128"),
        (["memory_mb=lots"], "--limit memory_mb=lots: Input should be a valid integer"),
        (["answer_depth=25"], "--limit answer_depth=25: Input should be less than or equal to 24"),
        (["20"], "--limit 20: expected NAME=VALUE"),
    ],
)
def test_a_wrong_limit_of_a_run_is_named(project, pairs, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        Settings.read(project(), pairs)


def test_a_limit_of_a_run_goes_before_that_of_an_assignment(project):
    root = project(COURSE + "[limits]\ncell_seconds = 7\n" + ASSIGNMENT + "limits = {call_seconds = 3}\n")
    [assignment] = Settings.read(root, ["call_seconds=20", "answer_mb = 1"]).assignments
    assert (assignment.limits.call_seconds, assignment.limits.cell_seconds) == (20, 7)
    assert assignment.limits.answer_bytes == 2**20
    assert Settings.read(root).assignments[0].limits.call_seconds == 3


def test_the_most_that_an_answer_may_be_can_be_sent_on_to_another_call():
    most = {name: LimitsTable.model_fields[f"answer_{name}"].metadata[1].le for name in ("depth", "parts", "mb")}
    assert (most["depth"], most["parts"]) == (ANSWER.depth, ANSWER.parts)
    assert most["mb"] * 2**20 < ANSWER.bytes == MESSAGE_BYTES
