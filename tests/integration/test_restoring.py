"""The gradebook is never poorer than the store: whatever was removed from it or changed in it is written again."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import nbformat
import postgres
import pytest
from circle import DUE, SOURCE, answered, handed_in, report
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine, event, make_url, text

from autograder.gradebook.feedback import annotate
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.jobs import restoring
from autograder.jobs.store import Attempt, AttemptStore, Extension
from autograder.notebooks.release import release

STUDENTS = {"ada": timedelta(), "bob": timedelta(hours=30), "cyd": timedelta(hours=5)}
"""When each handed in, from the due date on."""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    path = tmp_path_factory.mktemp("solutions") / "circle" / "notebook.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return nbformat.read(release(path, tmp_path_factory.mktemp("assignments")), as_version=4)


@pytest.fixture(scope="session")
def server():
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    """Make the URL of an empty database."""
    made = []

    def make():
        name = f"gradebook{len(made)}"
        made.append(name)
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / name}.db"
        url = make_url(request.getfixturevalue("server"))
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return url.set(database=name).render_as_string(hide_password=False)

    return make


@dataclass
class Course:
    """A class of three, graded: ada in time, bob late, cyd late with an extension; a person has read ada's answer."""

    root: Path
    url: str
    released: nbformat.NotebookNode
    new_url: object

    def submissions(self):
        return [handed_in(student, late) for student, late in STUDENTS.items()]

    def attempt(self, student, **scores):
        made = report(student=student, **({"area": 30.0} | scores))
        return Attempt(made, json.dumps(annotate(answered(self.released), made)))

    @contextmanager
    def open(self):
        store = AttemptStore(f"sqlite:///{self.root / 'attempts.db'}")
        with CourseGradebook(self.root, self.url, late="per_day", points_per_day=10.0) as book:
            book.register("circle", self.released, DUE)
            book.add_students(STUDENTS)
            restoring.share_extensions(store, book, "circle", DUE)
            yield store, book
        store.close()

    def grade(self, **scores):
        with self.open() as (store, book):
            for submission in self.submissions():
                attempt = self.attempt(submission.student, **scores)
                key = store.put(attempt)
                assert book.record(submission, attempt.report, nbformat.from_dict(json.loads(attempt.notebook)))
                store.mark_recorded(key)

    def restore(self):
        """What the next `autograder grade` writes of what is graded already."""
        with self.open() as (store, book):
            kept = store.recorded("circle")
            graded = [(each, kept[each.student]) for each in self.submissions()]
            return restoring.restore(store, book, "circle", graded)

    def human(self):
        with Gradebook(self.url) as theirs:
            grade = theirs.find_grade("written", "circle", "circle", "ada")
            grade.manual_score, grade.needs_manual_grade = 4.0, False
            theirs.find_comment("written", "circle", "circle", "ada").manual_comment = "Well said."
            theirs.db.commit()

    def run(self, *statements):
        """Run SQL past all constraints, as a person with a database tool may."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SET session_replication_role = replica"))
            for statement in statements:
                assert connection.execute(text(statement)).rowcount != 0, statement
        engine.dispose()

    @property
    def is_sqlite(self):
        return self.url.startswith("sqlite")

    def state(self):
        """What nbgrader's own API and the disk say."""
        said = {}
        with Gradebook(self.url) as theirs:
            assignment = theirs.find_assignment("circle")
            cells = theirs.find_notebook("circle", "circle")
            said["assignment"] = assignment.duedate, assignment.max_score, assignment.num_submissions
            said["cells"] = [
                sorted((cell.name, getattr(cell, "max_score", None)) for cell in kind)
                for kind in (cells.grade_cells, cells.solution_cells, cells.source_cells)
            ]
            for student in STUDENTS:
                row = theirs.find_submission("circle", student)
                (notebook,) = row.notebooks
                said[student] = (
                    row.timestamp,
                    row.extension,
                    row.score,
                    row.max_score,
                    row.late_submission_penalty,
                    {g.cell.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades},
                    {c.cell.name: (c.auto_comment, c.manual_comment) for c in notebook.comments},
                )
        said["files"] = {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in (self.root / "autograded").rglob("*")
            if path.name != "submission_secret.txt" and path.is_file()
        }
        return said


@pytest.fixture
def course(tmp_path, released, new_url):
    root = tmp_path / "course"
    root.mkdir()
    made = Course(root, new_url(), released, new_url)
    with made.open() as (store, _):
        store.extend("cyd", "circle", Extension(seconds=6 * 3600.0))
    made.grade()
    return made


OF_ADA = "(SELECT id FROM submitted_assignment WHERE student_id = 'ada')"
NOTEBOOK_OF_ADA = f"(SELECT id FROM submitted_notebook WHERE assignment_id = {OF_ADA})"
AREA = "(SELECT id FROM base_cell WHERE name = 'area' AND type = 'GradeCell')"
ANSWER = "(SELECT id FROM base_cell WHERE name = 'area-solution' AND type = 'SolutionCell')"
ROWS = {
    "assignment": "DELETE FROM assignment",
    "notebook": "DELETE FROM notebook",
    "a graded cell": f"DELETE FROM base_cell WHERE id = {AREA}",
    "a graded cell's points": f"DELETE FROM grade_cells WHERE id = {AREA}",
    "an answered cell": f"DELETE FROM base_cell WHERE id = {ANSWER}",
    "an answered cell's second row": f"DELETE FROM solution_cells WHERE id = {ANSWER}",
    "a source cell": "DELETE FROM source_cell WHERE name = 'rim'",
    "student": "DELETE FROM student WHERE id = 'ada'",
    "submission": "DELETE FROM submitted_assignment WHERE student_id = 'ada'",
    "submitted notebook": f"DELETE FROM submitted_notebook WHERE assignment_id = {OF_ADA}",
    "course": "DELETE FROM course",
    "score": f"UPDATE grade SET auto_score = 7 WHERE cell_id = {AREA} AND notebook_id = {NOTEBOOK_OF_ADA}",
    "no score": f"UPDATE grade SET auto_score = NULL WHERE cell_id = {AREA} AND notebook_id = {NOTEBOOK_OF_ADA}",
    "a mark": "UPDATE grade SET needs_manual_grade = (0 = 0) WHERE auto_score IS NOT NULL",
    "a missing mark": "UPDATE grade SET needs_manual_grade = (0 = 1) WHERE manual_score IS NULL",
    "a comment": f"UPDATE comment SET auto_comment = 'No response.' WHERE notebook_id = {NOTEBOOK_OF_ADA}",
    "the grader's comment": f"DELETE FROM comment WHERE cell_id = {ANSWER}",
    "time": "UPDATE submitted_assignment SET timestamp = NULL WHERE student_id = 'bob'",
    "late penalty": "UPDATE submitted_notebook SET late_submission_penalty = NULL",
    "a penalty in time": f"UPDATE submitted_notebook SET late_submission_penalty = 9 WHERE id = {NOTEBOOK_OF_ADA}",
    "points": "UPDATE grade_cells SET max_score = 1",
    "due date": "UPDATE assignment SET duedate = NULL",
    "the ledger": "DELETE FROM autograder_ledger",
}
"""Statements after which all is as before, what a person gave too."""


@pytest.mark.parametrize("what", ROWS)
def test_one_row_that_is_removed_or_changed_comes_back(course, what):
    course.human()
    before = course.state()
    course.run(ROWS[what])
    course.restore()
    after = course.state()
    if what == "the ledger":  # nothing says whether the answer that was read is this one, but the graded notebook
        assert course.restore() == restoring.Restored()
    assert after == before
    assert course.restore() == restoring.Restored()


@pytest.mark.parametrize("what", ["grade", "comment"])
def test_a_removed_row_that_a_person_wrote_in_comes_back_without_it(course, what):
    before = course.state()
    course.human()
    course.run(f"DELETE FROM {what} WHERE notebook_id = {NOTEBOOK_OF_ADA}")
    assert course.restore().submissions == ["ada"]
    with Gradebook(course.url) as theirs:  # what was left of the person's work is kept
        comment = theirs.find_comment("written", "circle", "circle", "ada")
        grade = theirs.find_grade("written", "circle", "circle", "ada")
        assert (grade.manual_score, comment.manual_comment) == ((None, "Well said."), (4.0, None))[what == "comment"]
        grade.manual_score, grade.needs_manual_grade, comment.manual_comment = None, True, None
        theirs.db.commit()
    assert course.state() == before


REMOVED = {
    "assignment": lambda theirs: theirs.remove_assignment("circle"),
    "students": lambda theirs: [theirs.remove_student(student) for student in STUDENTS],
    "submissions": lambda theirs: [theirs.remove_submission("circle", student) for student in STUDENTS],
    "notebooks": lambda theirs: [theirs.remove_submission_notebook("circle", "circle", each) for each in STUDENTS],
}


@pytest.mark.parametrize("what", REMOVED)
def test_what_nbgrader_removes_comes_back(course, what):
    before = course.state()
    with Gradebook(course.url) as theirs:
        REMOVED[what](theirs)
    assert course.restore().lines() == ["restored in the gradebook: 3 submissions"]
    assert course.state() == before


def test_all_rows_together(course):
    before = course.state()
    course.run(
        *(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables) if table.name != "task_cells")
    )
    course.run("DELETE FROM alembic_version")
    assert course.restore().submissions == list(STUDENTS)
    assert course.state() == before


def test_another_database_gets_everything_and_the_first_stays_right(course):
    before, first = course.state(), course.url
    course.url = course.new_url()
    assert course.restore().submissions == list(STUDENTS)
    assert course.state() == before
    course.grade(area=60.0)
    after = course.state()
    assert after["ada"] != before["ada"]
    course.url = first  # as a backup is: right for an older attempt
    assert course.restore().submissions == list(STUDENTS)
    assert course.state() == after


def test_a_backup_of_before_an_extension_loses_it_not(course, tmp_path):
    if not course.is_sqlite:
        pytest.skip("a file is the backup")
    shutil.copy(tmp_path / "gradebook0.db", tmp_path / "backup.db")
    with course.open() as (store, book):
        store.extend("bob", "circle", Extension(until=DUE + timedelta(days=2)))
        book.extend("circle", DUE, {"bob": timedelta(days=2)})
    after = course.state()
    assert after["bob"][1] == timedelta(days=2)
    assert after["bob"][4] == 0
    shutil.copy(tmp_path / "backup.db", tmp_path / "gradebook0.db")
    assert course.state() != after
    assert course.restore().submissions == []
    assert course.state() == after


def test_an_extension_given_by_nbgraders_means_outlives_the_gradebook(course):
    with Gradebook(course.url) as theirs:
        theirs.grant_extension("circle", "bob", days=3)
        theirs.grant_extension("circle", "cyd")
    assert course.restore().times == ["bob", "cyd"]
    before = course.state()
    assert (before["bob"][4], before["cyd"][4]) == (0, 10)
    course.url = course.new_url()
    course.restore()
    assert course.state() == before


FILES = {
    "no notebook": lambda folder: (folder / "circle.ipynb").unlink(),
    "an altered notebook": lambda folder: (folder / "circle.ipynb").write_text("{}"),
    "no time": lambda folder: (folder / "timestamp.txt").unlink(),
    "an altered time": lambda folder: (folder / "timestamp.txt").write_bytes(b"\xff"),
    "no secret": lambda folder: (folder / "submission_secret.txt").unlink(),
    "an unreadable secret": lambda folder: (folder / "submission_secret.txt").write_bytes(b"\xff" * 100),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("what", FILES)
def test_files_come_back(course, what):
    course.human()
    before, folder = course.state(), course.root / "autograded" / "ada" / "circle"
    FILES[what](folder)
    assert course.restore().submissions == ["ada"]
    assert course.state() == before
    assert len((folder / "submission_secret.txt").read_text()) == 128
    assert course.restore() == restoring.Restored()


def test_a_store_without_the_attempt_leaves_what_the_gradebook_has(course):
    course.human()
    before = course.state()
    with course.open() as (store, book):
        kept = store.recorded("circle")
        gone = replace(kept["ada"], key="gone")
        assert restoring.restore(store, book, "circle", [(handed_in("ada"), gone)]) == restoring.Restored()
        (course.root / "autograded" / "ada" / "circle" / "circle.ipynb").unlink()
        assert restoring.restore(store, book, "circle", [(handed_in("ada"), gone)]).lost == ["ada"]
    course.restore()
    assert course.state() == before


def test_a_class_that_is_complete_takes_as_many_queries_as_one_student(course):
    statements = []
    with course.open() as (store, book):
        event.listen(book._database._engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        kept = store.recorded("circle")
        graded = [(each, kept[each.student]) for each in course.submissions()]
        counts = []
        for number in (1, 3):
            statements.clear()
            assert restoring.restore(store, book, "circle", graded[:number]) == restoring.Restored()
            counts.append(len(statements))
    assert counts[0] == counts[1] <= 8
