"""The whole way of an assignment through nbgrader's exchange and back, and in through an LMS's archive."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.notebooks.document import parse
from autograder.settings import Settings

pytestmark = pytest.mark.slow
HERE = Path(__file__).parents[2]
NAME = "output_sizes"


class Course:
    """A course that was due long ago, whose late policy takes 7 points a day, and its exchange."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.exchange = root, root / "course", root / "exchange"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        self.students = root / "students"
        settings = self.folder / "course.toml"
        text = settings.read_text().replace('method = "none"', 'method = "per_day"')
        text = text.replace("points_per_day = 0", "points_per_day = 7")
        text = text.replace('id = "cnn"', 'id = "cnn"\ntimezone = "Europe/Berlin"')
        settings.write_text(re.sub(r"due = \S+", "due = 2024-02-05", text))
        found = Settings.read(root)
        task = Task.load(found.assignment(NAME), HERE, "secret")
        self.right = json.dumps(specimens.right(task))
        self.released = (HERE / "assignments" / NAME / f"{NAME}.ipynb").read_text()
        assert parse(self.right.encode(), found.assignment(NAME).limits)

    def run(self, folder: Path, *words: str) -> str:
        """Run a command, as a person in `folder` does; what it printed."""
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AUTOGRADER_ROOT": str(self.root),
            "JUPYTER_DATA_DIR": str(folder / ".jupyter"),
            "COLUMNS": "200",
        }
        environment.pop("AUTOGRADER_DB_URL", None)
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def nbgrader(self, command: str, *words: str) -> str:
        return self.run(self.folder, "nbgrader", command, NAME, f"--Exchange.root={self.exchange}", *words)

    def autograder(self, *words: str) -> str:
        return self.run(self.root, "autograder.cli", *words)

    def grade(self) -> str:
        return self.autograder("grade", NAME, "--sandbox", "none", "--workers", "1")

    def as_student(self, student: str, command: str) -> Path:
        """Run a command of nbgrader's for students; where the assignment lies."""
        options = f"--Exchange.root={self.exchange}", "--course=cnn", f"--CourseDirectory.student_id={student}"
        self.run(self.students / student, "nbgrader", command, NAME, *options)
        return self.students / student / NAME

    def scores(self) -> dict[str, tuple[float, float]]:
        """By student, the points and the late penalty that nbgrader exports."""
        self.run(self.folder, "nbgrader", "export", f"--to={self.root / 'scores.csv'}")
        with (self.root / "scores.csv").open() as file:
            return {
                row["student_id"]: (float(row["raw_score"]), float(row["late_submission_penalty"]))
                for row in csv.DictReader(file)
                if row["assignment"] == NAME
            }


@pytest.fixture
def course(project: Path) -> Course:
    return Course(project)


def test_the_whole_way_through_the_exchange(course: Course) -> None:
    course.nbgrader("generate_assignment")
    course.nbgrader("release_assignment")

    ada = course.as_student("ada", "fetch_assignment")
    assert (ada / f"{NAME}.ipynb").read_text() == course.released
    course.as_student("ada", "submit")
    course.nbgrader("collect")
    by_hand = course.folder / "submitted" / "cyd" / NAME  # without the files that nbgrader leaves
    by_hand.mkdir(parents=True)
    (by_hand / f"{NAME}.ipynb").write_text(course.right)
    assert "2 of 2 graded" in course.grade()
    course.autograder("feedback", NAME)
    course.nbgrader("release_feedback")
    course.as_student("ada", "fetch_feedback")
    for path in course.exchange.rglob("*"):  # what students fetch is another user's to them
        if "inbound" not in path.parts:
            assert path.stat().st_mode & (0o001 if path.is_dir() else 0o004), path
    kept = [path for path in course.folder.rglob("*") if {"autograded", "feedback"} & {*path.parts}]
    assert {path.stat().st_mode & 0o077 for path in (*kept, *course.folder.glob("*.db"))} == {0}
    [first] = (ada / "feedback").rglob("*.html")
    assert course.scores()["ada"] == (0.0, 0.0)
    assert course.scores()["cyd"] == (100.0, 0.0)

    (ada / f"{NAME}.ipynb").write_text(course.right)
    course.as_student("ada", "submit")
    course.nbgrader("collect", "--update")
    assert "2 of 2 graded (1 now, 1 before)" in course.grade()
    course.autograder("feedback", NAME)
    course.nbgrader("release_feedback")
    course.as_student("ada", "fetch_feedback")
    pages = {path: path.read_text() for path in (ada / "feedback").rglob("*.html")}
    assert len(pages) == 2
    [second] = pages.keys() - {first}
    assert pages[first] != pages[second]
    assert course.scores()["ada"] == (100.0, 100.0)
    for name in ("timestamp.txt", "submission_secret.txt"):
        kept = [course.folder / folder / "ada" / NAME / name for folder in ("submitted", "autograded", "feedback")]
        assert all(path.read_text() for path in kept)
    secrets = {(course.folder / folder / "ada" / NAME / "submission_secret.txt").read_text()
               for folder in ("submitted", "autograded", "feedback")}  # fmt: skip
    assert len(secrets) == 1

    assert "2099-01-01 23:59 CET instead of 2024-02-05 23:59 CET; late penalty: 0 points" in course.autograder(
        "extend", "ada", NAME, "--until", "2099-01-01"
    )
    assert course.scores()["ada"] == (100.0, 0.0)
    [line] = [line for line in course.autograder("extend", "--list").splitlines() if line.startswith("ada ")]
    assert line.split() == ["ada", NAME, *["2024-02-05", "23:59", "CET", "2099-01-01", "23:59", "CET"]]
    course.autograder("feedback", NAME)
    course.nbgrader("release_feedback")
    course.as_student("ada", "fetch_feedback")
    assert second.read_text() != pages[second]
    assert "late penalty: 100 points" in course.autograder("extend", "ada", NAME, "--remove")
    assert course.scores()["ada"] == (100.0, 100.0)


def test_extensions_before_anything_is_graded(course: Course) -> None:
    course.run(course.folder, "nbgrader", "db", "student", "add", "bob")
    assert "late" not in course.autograder("extend", "bob", NAME, "--by", "1w")
    assert course.scores() == {}
    submitted = course.folder / "submitted" / "bob" / NAME
    submitted.mkdir(parents=True)
    (submitted / f"{NAME}.ipynb").write_text(course.right)
    (submitted / "timestamp.txt").write_text("2024-02-13 01:00:00 Europe/Berlin")  # some minutes into a day after it
    course.grade()
    assert course.scores() == {"bob": (100.0, 7.0)}
    (course.folder / "gradebook.db").unlink()
    assert "restored in the gradebook: 1 submission" in course.grade()
    assert course.scores() == {"bob": (100.0, 7.0)}
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        assert book.find_submission(NAME, "bob").extension == timedelta(days=7)
    shutil.rmtree(course.folder / "autograded")
    assert "restored in the gradebook: 1 submission" in course.autograder("feedback", NAME)


def test_archives_of_learning_management_systems(course: Course) -> None:
    course.nbgrader("generate_assignment")
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        book.add_student("jd", first_name="Jane", last_name="Doe", lms_user_id="12345")
        book.add_student("sf", first_name="Sam", last_name="Fox")
    archive = course.folder / "downloaded" / NAME / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "submissions.zip", "w") as canvas:
        canvas.writestr(f"doejane_12345_67890_{NAME}.ipynb", course.released)
        canvas.writestr(f"doejane_LATE_12345_67999_{NAME}-1.ipynb", course.right)
        canvas.writestr(f"leeann_54321_67891_{NAME}.ipynb", course.right)
    with zipfile.ZipFile(archive / "CNN-Sizes-77.zip", "w") as moodle:
        moodle.writestr(f"Sam Fox_123456_assignsubmission_file_/{NAME}.ipynb", course.right)
        moodle.writestr(f"Max Ray_123457_assignsubmission_file_{NAME}.ipynb", course.released)
    shutil.rmtree(course.folder / "release")  # a course that uses archives has no exchange, and no need of it
    told = course.nbgrader("zip_collect", "--force")
    [warning] = [line for line in told.splitlines() if "WARNING" in line]
    assert "jd is marked LATE" in warning
    assert "4 of 4 graded" in course.grade()
    assert {student: score for student, (score, _) in course.scores().items()} == {
        "jd": 100.0,
        "leeann_54321": 100.0,
        "sf": 100.0,
        "Max Ray": 0.0,
    }
    course.autograder("feedback", NAME)
    course.nbgrader("release_feedback")
