"""What is recorded is what nbgrader reads: its feedback, export and grading rule are run on it here."""

import csv
import errno
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from circle import DUE, SOURCE, answered, handed_in, report
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin, LateSubmissionPlugin
from nbgrader.preprocessors import SaveAutoGrades
from sqlalchemy import event

from autograder.errors import CheckerError, UsageError
from autograder.gradebook import pages
from autograder.gradebook.export import QuotedCsv
from autograder.gradebook.feedback import annotate
from autograder.gradebook.late import LatePenalties
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.model.report import Provenance, Report
from autograder.model.submission import Submission
from autograder.notebooks.release import model_answer, release

CLASS = {
    "late": (70.0, 20.0, 50.0),
    "human": (93.0, 0.0, 93.0),
    "empty": (0.0, 0.0, 0.0),
    "absent": (0.0, 0.0, 0.0),
}
"""What the class of `TestNbgraderReadsIt` must come to: score, late penalty, and what is left."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("solutions") / "circle" / "notebook.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def released(source, tmp_path_factory):
    return nbformat.read(release(source, tmp_path_factory.mktemp("assignments")), as_version=4)


@pytest.fixture
def course(tmp_path):
    (tmp_path / "course").mkdir()
    return tmp_path / "course"


@pytest.fixture
def gradebook(course, released):
    with CourseGradebook(course, wait_seconds=0.2) as opened:
        opened.register("circle", released, DUE)
        yield opened


def record(gradebook, released, *, submission=None, notebook=None, **scores):
    submission = submission or handed_in()
    made = report(student=submission.student, **scores)
    return gradebook.record(submission, made, annotate(notebook or answered(released), made))


def record_many(gradebook, released, number):
    for student in range(number):
        record(gradebook, released, submission=handed_in(f"student-{student}"))


def grades(course, student="alice"):
    """By cell, what nbgrader's own API says: (auto, manual, needs a look)."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
        notebook = theirs.find_submission_notebook("circle", "circle", student)
        return {g.cell.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades}


def comments(course, student="alice"):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
        notebook = theirs.find_submission_notebook("circle", "circle", student)
        return {c.cell.name: c.comment for c in notebook.comments}


def penalty(course, student="alice"):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
        return theirs.find_submission("circle", student).late_submission_penalty


def autograded(course, student="alice"):
    return course / "autograded" / student / "circle" / "circle.ipynb"


class TestRegister:
    def test_makes_the_rows_that_nbgraders_generator_makes(self, source, released, course, tmp_path):
        rows = []
        theirs = tmp_path / "theirs"
        (theirs / "source" / "circle").mkdir(parents=True)
        nbformat.write(model_answer(source), theirs / "source" / "circle" / "circle.ipynb")
        CourseGradebook(theirs).__exit__()  # the tables, which nbgrader starts a program to make
        where = CourseDirectory(root=str(theirs.resolve()), assignment_id="circle", course_id="default_course")
        GenerateAssignment(coursedir=where).start()
        with CourseGradebook(course) as ours:
            ours.register("circle", released)
        for root in (theirs, course):
            with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as opened:
                notebook = opened.find_notebook("circle", "circle")
                cells = [*notebook.grade_cells, *notebook.solution_cells, *notebook.source_cells]
                assignment = opened.find_assignment("circle")
                rows.append(
                    [notebook.kernelspec, assignment.course_id, assignment.max_score]
                    + [{k: v for k, v in cell.to_dict().items() if k != "id"} for cell in cells]
                )
        assert rows[0] == rows[1]

    def test_again_keeps_scores_and_renews_texts_points_and_due_date(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        changed = answered(released)
        changed.cells[2].metadata.nbgrader.points = 80
        changed.cells[2].source = "print(area(2.0))"
        gradebook.register("circle", changed, DUE + timedelta(days=1))
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            assert theirs.find_grade_cell("area", "circle", "circle").max_score == 80
            assert theirs.find_source_cell("area", "circle", "circle").source == "print(area(2.0))"
            assert theirs.find_assignment("circle").duedate == (DUE + timedelta(days=1)).replace(tzinfo=None)
        assert grades(course)["area"] == (30.0, None, False)

    def test_may_drop_cells_before_there_are_submissions_and_not_after(self, gradebook, released, course):
        fewer = answered(released)
        del fewer.cells[3:5]
        gradebook.register("circle", fewer)
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            assert theirs.find_assignment("circle").max_score == 65
        gradebook.register("circle", released)
        record(gradebook, released)
        with pytest.raises(UsageError, match="cells were removed from the release"):
            gradebook.register("circle", fewer)
        assert grades(course)["rim"] == (40.0, None, False)

    def test_adds_students_once(self, gradebook, course):
        gradebook.add_students(["bob", "alice"])
        gradebook.add_students(["alice", "carol"])
        gradebook.add_students([])
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            assert {student.id for student in theirs.students} == {"alice", "bob", "carol"}


class TestRecord:
    def test_scores_cells_and_leaves_written_answers_to_humans(self, gradebook, released, course):
        assert record(gradebook, released, area=30.0)
        assert grades(course) == {
            "area": (30.0, None, False),
            "rim": (40.0, None, False),
            "written": (None, None, True),
        }
        assert comments(course) == {"area-solution": None, "rim-solution": None, "written": None}

    def test_an_answer_that_nobody_touched_is_nbgraders_no_response(self, gradebook, released, course):
        record(gradebook, released, notebook=released, area=0.0, rim=0.0)
        assert grades(course)["written"] == (0.0, None, False)
        assert set(comments(course).values()) == {"No response."}

    def test_nbgraders_own_grading_of_the_recorded_notebook_agrees(self, gradebook, released, course):
        record(gradebook, released, area=30.0, rim=0.0)
        before = grades(course), comments(course)
        db_url = f"sqlite:///{course / 'gradebook.db'}"
        names = {"notebook": "circle", "assignment": "circle", "student": "alice", "db_url": db_url}
        SaveAutoGrades().preprocess(nbformat.read(autograded(course), 4), {"nbgrader": names})
        assert (grades(course), comments(course)) == before

    def test_a_second_grading_keeps_what_a_human_gave(self, gradebook, released, course):
        record(gradebook, released, area=0.0)
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            grade = theirs.find_grade("area", "circle", "circle", "alice")
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 45.0, 2.0, False
            theirs.find_grade("written", "circle", "circle", "alice").manual_score = 4.0
            theirs.find_comment("area-solution", "circle", "circle", "alice").manual_comment = "Nearly."
            theirs.db.commit()
        record(gradebook, released, area=60.0)
        assert grades(course) == {
            "area": (60.0, 45.0, True),
            "rim": (40.0, None, False),
            "written": (None, 4.0, True),
        }
        assert comments(course)["area-solution"] == "Nearly."
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            assert theirs.find_submission("circle", "alice").score == 45 + 2 + 40 + 4

    def test_writes_a_valid_notebook_and_its_time(self, gradebook, released, course):
        record(gradebook, released)
        nbformat.validate(nbformat.read(autograded(course), 4))
        theirs = CourseDirectory(root=str(course.resolve()))
        assert theirs.get_existing_timestamp(str(autograded(course).parent)) == DUE.replace(tzinfo=None)
        assert sorted(path.name for path in autograded(course).parent.iterdir()) == [
            "circle.ipynb",
            "submission_secret.txt",
            "timestamp.txt",
        ]

    def test_a_failed_report_touches_nothing(self, gradebook, released, course):
        failed = Report("alice", "circle", "failed", (), Provenance("", "", "", "", ""), error="engine gone")
        assert gradebook.record(handed_in(), failed, released) is False
        assert not autograded(course).exists()
        record(gradebook, released, area=30.0)
        before = grades(course), autograded(course).read_bytes()
        assert gradebook.record(handed_in(), failed, released) is False
        assert (grades(course), autograded(course).read_bytes()) == before

    def test_an_assignment_that_is_not_registered_or_changed_is_said_plainly(self, gradebook, released, course):
        made = report()
        other = Submission("alice", "square", b"", DUE)
        with pytest.raises(UsageError, match="square is not in the gradebook"):
            gradebook.record(other, made, annotate(answered(released), made))
        fewer = answered(released)
        del fewer.cells[-2]  # the last one says what it is graded with
        with pytest.raises(UsageError, match="registered with other cells"):
            record(gradebook, released, notebook=fewer)
        assert not autograded(course).exists()

    def test_a_notebook_that_was_not_annotated_is_refused(self, gradebook, released):
        with pytest.raises(CheckerError, match=r"nbgrader reads 60\.0 points, the report gives 30"):
            gradebook.record(handed_in(), report(area=30.0), answered(released))

    @pytest.mark.parametrize("student", ["..", "", "a/b", "../alice"])
    def test_a_name_never_leads_out_of_the_folder(self, gradebook, released, student):
        with pytest.raises(UsageError, match="cannot be a student's name"):
            record(gradebook, released, submission=handed_in(student))

    def test_a_thousand_statements_are_not_needed(self, gradebook, released):
        statements = []
        event.listen(gradebook._database._engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        record(gradebook, released)
        assert len(statements) <= 15
        statements.clear()
        record(gradebook, released)
        assert len(statements) <= 12


class TestLate:
    @pytest.mark.parametrize(
        ("policy", "late", "expected"),
        [
            ("none", timedelta(days=9), None),
            ("zero", timedelta(seconds=1), 70.0),
            ("zero", timedelta(), None),
            ("per_day", timedelta(seconds=1), 10.0),
            ("per_day", timedelta(days=1), 10.0),
            ("per_day", timedelta(days=1, seconds=1), 20.0),
            ("per_day", timedelta(days=60), 70.0),
            ("per_day", timedelta(days=-1), None),
        ],
    )
    def test_policies(self, released, course, policy, late, expected):
        with CourseGradebook(course, late=policy, points_per_day=10.0) as gradebook:
            gradebook.register("circle", released, DUE)
            record(gradebook, released, submission=handed_in(late=late), area=30.0)
        assert penalty(course) == (expected or 0.0)

    def test_an_extension_and_a_humans_score_count(self, released, course):
        with CourseGradebook(course, late="zero") as gradebook:
            gradebook.register("circle", released, DUE)
            record(gradebook, released, submission=handed_in(late=timedelta(hours=30)))
            assert penalty(course) == 100.0
            with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
                theirs.find_grade("written", "circle", "circle", "alice").manual_score = 5.0
                theirs.grant_extension("circle", "alice", days=1)
            record(gradebook, released, submission=handed_in(late=timedelta(hours=30)))
            assert penalty(course) == 105.0
            record(gradebook, released, submission=handed_in(late=timedelta(hours=20)))
            assert penalty(course) == 0.0

    def test_a_changed_policy_counts_for_what_is_graded_already_and_a_humans_points_stay(self, released, course):
        submission = handed_in(late=timedelta(hours=30))
        with CourseGradebook(course, late="none") as gradebook:
            gradebook.register("circle", released, DUE)
            record(gradebook, released, submission=submission, area=30.0)
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            for grade in theirs.find_submission_notebook("circle", "circle", "alice").grades:
                grade.manual_score, grade.needs_manual_grade = 10.0, False
            theirs.db.commit()
        before = grades(course)
        for policy, expected in (("zero", 10.0 * len(before)), ("per_day", 20.0), ("none", 0.0)):
            with CourseGradebook(course, late=policy, points_per_day=10.0) as gradebook:
                gradebook.register("circle", released, DUE)
                gradebook.record_time(submission)
            assert penalty(course) == expected
        assert grades(course) == before

    def test_a_changed_time_of_handing_in_counts_for_what_is_graded_already(self, released, course):
        with CourseGradebook(course, late="per_day", points_per_day=10.0) as gradebook:
            gradebook.register("circle", released, DUE)
            record(gradebook, released)
            for late, expected in ((timedelta(hours=30), 20.0), (timedelta(), 0.0)):
                gradebook.record_time(handed_in(late=late))
                assert penalty(course) == expected
            gradebook.record_time(replace(handed_in(), timestamp=None))
            assert penalty(course) == 0.0

    def test_any_plugin_of_nbgraders_kind(self, monkeypatch):
        class Half(LateSubmissionPlugin):
            def late_submission_penalty(self, student_id, score, total_seconds_late):
                return score / 2 if student_id == "bob" else -3.0

        monkeypatch.setattr(sys.modules[__name__], "Half", Half, raising=False)
        penalties = LatePenalties(f"{__name__}.Half")
        assert penalties.penalty("bob", 80.0, 1.0) == 40.0
        assert penalties.penalty("ann", 80.0, 1.0) == 0.0

    def test_an_unknown_policy_is_said_plainly(self):
        for policy in ("sometimes", "no.such.Plugin", "json.JSONDecoder"):
            with pytest.raises(UsageError, match="expected none, zero, per_day"):
                LatePenalties(policy)


class TestTrouble:
    def test_a_locked_database_is_waited_for_and_then_said_plainly(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        before = grades(course), autograded(course).read_bytes()
        with sqlite3.connect(course / "gradebook.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(UsageError, match=r"still locked by another program after 0\.2 s") as caught:
                record(gradebook, released, area=60.0)
            assert "\n" not in str(caught.value)
            other.execute("ROLLBACK")
        other.close()
        assert (grades(course), autograded(course).read_bytes()) == before
        record(gradebook, released, area=60.0)
        assert grades(course)["area"][0] == 60.0

    def test_a_database_on_a_full_disk_loses_nothing(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        before = autograded(course).read_bytes()
        gradebook._database.close()

        def fill(connection, _record):
            # SQLite's own full disk: not one page more than there are
            connection.execute("PRAGMA max_page_count = 1")

        event.listen(gradebook._database._engine, "connect", fill)
        with pytest.raises(UsageError, match="the disk is full: make room and grade again"):
            record_many(gradebook, released, 200)
        event.remove(gradebook._database._engine, "connect", fill)
        gradebook._database.close()
        assert grades(course)["area"] == (30.0, None, False)
        assert autograded(course).read_bytes() == before
        graded = {
            path.name for path in (course / "autograded").iterdir() if (path / "circle" / "circle.ipynb").exists()
        }
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            assert {submission.student.id for submission in theirs.assignment_submissions("circle")} == graded

    def test_a_full_disk_under_the_notebooks_loses_nothing(self, gradebook, released, course, monkeypatch):
        record(gradebook, released, area=30.0)
        before = grades(course), autograded(course).read_bytes()

        def full(path, *_args, **_options):
            path.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(UsageError, match="No space left on device: make room"):
            record(gradebook, released, area=60.0)
        monkeypatch.undo()
        assert (grades(course), autograded(course).read_bytes()) == before
        assert len(list(autograded(course).parent.iterdir())) == 3

    def test_what_is_no_gradebook_is_said_plainly(self, course, tmp_path):
        (course / "gradebook.db").write_text("this is no database, but a text of some length " * 50)
        with pytest.raises(UsageError, match="file is not a database"):
            CourseGradebook(course)
        with pytest.raises(UsageError, match="unable to open database file"):
            CourseGradebook(tmp_path / "nowhere")
        with pytest.raises(UsageError, match=r"expected e\.g\. sqlite:///gradebook\.db"):
            CourseGradebook(course, "gradebook.db")

    def test_another_schema_is_said_plainly(self, gradebook, course):
        gradebook._database.close()
        with sqlite3.connect(course / "gradebook.db") as database:
            database.execute("UPDATE alembic_version SET version_num = 'old'")
        database.close()
        with pytest.raises(UsageError, match=r"has schema old.*nbgrader db upgrade"):
            CourseGradebook(course)

    def test_a_password_is_never_shown(self, course):
        with pytest.raises(UsageError) as caught:
            CourseGradebook(course, "nodriver://user:secret@host/db")
        assert "secret" not in str(caught.value)


class TestNbgraderReadsIt:
    """A class of three: one late, one changed by a human, one that handed in nothing but the release."""

    @pytest.fixture
    def graded(self, course, released):
        with CourseGradebook(course, late="per_day", points_per_day=10.0) as gradebook:
            gradebook.register("circle", released, DUE)
            gradebook.add_students(["absent"])
            record(gradebook, released, submission=handed_in("late", timedelta(hours=30)), area=30.0)
            record(gradebook, released, submission=handed_in("human"), area=0.0)
            record(gradebook, released, submission=handed_in("empty"), notebook=released, area=0.0, rim=0.0)
            with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
                theirs.find_grade("area", "circle", "circle", "human").manual_score = 50.0
                theirs.find_grade("written", "circle", "circle", "human").manual_score = 3.0
                theirs.db.commit()
            record(gradebook, released, submission=handed_in("human"), area=30.0)
        return course

    def exported(self, path):
        with path.open() as file:
            return {
                row["student_id"]: (
                    float(row["raw_score"]),
                    float(row["late_submission_penalty"]),
                    float(row["score"]),
                )
                for row in csv.DictReader(file)
            }

    def test_its_export(self, graded, tmp_path):
        with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as theirs:
            CsvExportPlugin(to=str(tmp_path / "grades.csv")).export(theirs)
        assert self.exported(tmp_path / "grades.csv") == CLASS

    def test_our_export_is_nbgraders_with_quotes(self, graded, tmp_path):
        tables = []
        with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as theirs:
            theirs.add_student("Lovelace, Ada")
            for plugin in (QuotedCsv, CsvExportPlugin):
                plugin(to=str(tmp_path / "grades.csv")).export(theirs)
                tables.append((tmp_path / "grades.csv").read_text().splitlines())
        assert [line.replace('"Lovelace, Ada"', "Lovelace, Ada") for line in tables[0]] == tables[1]
        assert sum('"Lovelace, Ada"' in line for line in tables[0]) == 1

    def test_our_own_table_says_the_same(self, graded):
        with CourseGradebook(graded) as gradebook:
            standing = gradebook.standing("circle")
            assert gradebook.standing("square").unread == 0
        assert standing.penalties == {student: late for student, (_, late, _) in CLASS.items() if late}
        with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as theirs:
            notebooks = [
                notebook for handed in theirs.assignment_submissions("circle") for notebook in handed.notebooks
            ]
            assert standing.unread == sum(grade.needs_manual_grade for each in notebooks for grade in each.grades)
        assert standing.unread

    def test_its_feedback(self, graded, monkeypatch):
        monkeypatch.chdir(graded)
        where = CourseDirectory(root=str(graded.resolve()), assignment_id="circle")
        GenerateFeedback(coursedir=where).start()
        headings = {
            "late": "circle (Score: 50.0 / 105.0)",
            "human": "(Score: 93.0 / 105.0)",
            "empty": "(Score: 0.0 /",
        }
        for student, heading in headings.items():
            html = (graded / "feedback" / student / "circle" / "circle.html").read_text()
            assert heading in html
        html = (graded / "feedback" / "late" / "circle" / "circle.html").read_text()
        for text in (
            "Late submission penalty (Score: -20.0)",
            "Score: 30.0 / 60.0",
            "area-1",
            "These checks",
        ):
            assert text in html
        assert "No response." in (graded / "feedback" / "empty" / "circle" / "circle.html").read_text()

    def test_our_page_says_the_same_and_names_each_cell_once(self, graded):
        db_url = f"sqlite:///{graded.resolve() / 'gradebook.db'}"
        students = ["late", "human", "empty"]
        assert pages._pages(graded.resolve(), db_url, "circle", "default_course", students, 0o600) == {}
        told = {
            "late": (
                "50 of 100 points, and up to 5 for what is not read yet, 20 taken off for lateness",
                "not read yet: up to 5 points",
                "Checks of area 30 of 60 points top",
            ),
            "human": ("93 of 105 points", "Checks of area 50 of 60 points, changed by a person (the checks: 30) top"),
            "empty": ("0 of 105 points", "Comment No response."),
        }
        for student, sentences in told.items():
            html = (graded / "feedback" / student / "circle" / "circle.html").read_text()
            text = " ".join(BeautifulSoup(html, "html.parser").body.get_text(" ").split()).replace(" ,", ",")
            assert [sentence for sentence in sentences if sentence not in text] == []
            assert text.count("Checks of area") == 1
            assert "These checks" not in text
            assert "Test cell" not in text
            assert "area-1" in html

    def test_processes_that_make_pages_find_nbgraders_default_course(self, course, released, monkeypatch):
        with CourseGradebook(course, course_id="cnn") as gradebook:
            gradebook.register("circle", released, DUE)
            record(gradebook, released, area=30.0)
        found = []

        class Pool:
            def __init__(self, *_, **__):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def submit(self, *_):
                with sqlite3.connect(course / "gradebook.db") as connection:
                    found.extend(name for (name,) in connection.execute("SELECT id FROM course"))
                done = Future()
                done.set_result({})
                return done

        monkeypatch.setattr(pages, "ProcessPoolExecutor", Pool)
        pages.generate(course, f"sqlite:///{course / 'gradebook.db'}", "circle", "cnn")
        assert sorted(found) == ["cnn", "default_course"]

    @pytest.mark.slow
    def test_its_commands(self, graded):
        for arguments in (["generate_feedback", "circle"], ["export"]):
            subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=graded, check=True, capture_output=True)
        assert self.exported(graded / "grades.csv") == CLASS
        assert (graded / "feedback" / "human" / "circle" / "circle.html").is_file()


class TestAskedAgain:
    """Grading again asks for a person again only where the answer or its automatic score changed."""

    def read(self, course, **flags):
        """A person gives points and comments to every cell, and everything is read then."""
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as theirs:
            notebook = theirs.find_submission_notebook("circle", "circle", "alice")
            for grade in notebook.grades:
                grade.manual_score, grade.needs_manual_grade = flags.get("score", 3.0), False
            for comment in notebook.comments:
                comment.manual_comment = "Read."
            theirs.db.commit()

    def asked(self, course):
        return {name for name, (_, _, needs) in grades(course).items() if needs}

    def changed(self, released, name):
        notebook = answered(released)
        for cell in notebook.cells:
            if cell.metadata.nbgrader.grade_id == name:
                cell.source += " More."
        return notebook

    def test_nothing_changed(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        self.read(course)
        before = grades(course)
        record(gradebook, released, area=30.0)
        assert grades(course) == before
        assert self.asked(course) == set()
        assert set(comments(course).values()) == {"Read."}

    @pytest.mark.parametrize(
        ("cell", "asked"), [("written", {"written"}), ("area-solution", {"area"}), ("rim-solution", {"rim"})]
    )
    def test_an_answer_changed(self, gradebook, released, course, cell, asked):
        record(gradebook, released, area=30.0)
        self.read(course)
        record(gradebook, released, area=30.0, notebook=self.changed(released, cell))
        assert self.asked(course) == asked
        assert {manual for _, manual, _ in grades(course).values()} == {3.0}
        record(gradebook, released, area=30.0, notebook=self.changed(released, cell))
        assert self.asked(course) == asked, "nobody has read it yet"
        self.read(course)
        record(gradebook, released, area=30.0, notebook=self.changed(released, cell))
        assert self.asked(course) == set()

    def test_an_automatic_score_changed(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        self.read(course)
        record(gradebook, released, area=60.0)
        assert self.asked(course) == {"area"}
        assert grades(course)["area"] == (60.0, 3.0, True)

    def test_a_score_that_somebody_overwrote_has_not_changed(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        self.read(course)
        with sqlite3.connect(course / "gradebook.db") as database:
            database.execute("UPDATE grade SET auto_score = 1")
        record(gradebook, released, area=30.0)
        assert self.asked(course) == set()
        assert grades(course)["area"][0] == 30.0

    @pytest.mark.parametrize("added", ["above", "below"])
    def test_a_cell_beside_a_written_answer_belongs_to_it(self, gradebook, released, course, added):
        record(gradebook, released)
        self.read(course)
        notebook = answered(released)
        cell = nbformat.v4.new_markdown_cell("And more.")
        notebook.cells.insert(len(notebook.cells) - (added == "above"), cell)
        record(gradebook, released, notebook=notebook)
        assert self.asked(course) == {"written"}

    def test_a_notice_of_the_grader_is_no_answer(self, gradebook, released, course):
        record(gradebook, released)
        self.read(course)
        record(gradebook, released, repairs=("A cell was put back.",), notes=("Look at that.",))
        assert self.asked(course) == set()

    def test_without_a_ledger_the_graded_notebook_says_what_the_answer_was(self, gradebook, released, course):
        record(gradebook, released, area=30.0)
        self.read(course)
        for path, asked in ((None, {"written"}), (autograded(course), {"area", "rim", "written"})):
            with sqlite3.connect(course / "gradebook.db") as database:
                database.execute("DELETE FROM autograder_ledger")
            if path is not None:
                path.unlink()
            record(gradebook, released, area=30.0, notebook=self.changed(released, "written"))
            assert self.asked(course) == asked

    def test_what_the_grader_is_not_sure_of_is_asked_once(self, gradebook, released, course):
        record(gradebook, released, manual=("area", "no such cell"))
        assert self.asked(course) == {"area", "written"}
        record(gradebook, released, manual=("area",))
        assert self.asked(course) == {"area", "written"}
        self.read(course, score=None)  # as formgrader does, where a person confirms the score that is there
        record(gradebook, released, manual=("area",))
        assert self.asked(course) == {"written"}, "there is no score of a written answer to confirm"
        record(gradebook, released, manual=("area", "rim"))
        assert self.asked(course) == {"rim", "written"}
        record(gradebook, released, manual=("area",), notebook=self.changed(released, "area-solution"))
        assert self.asked(course) == {"area", "written"}
        self.read(course)
        record(gradebook, released, manual=("area", "rim"), notebook=self.changed(released, "area-solution"))
        assert self.asked(course) == set(), "a person has scored these very answers"


class TestCompanions:
    """`submission_secret.txt` names a student's feedback in nbgrader's exchange: whatever it holds stops nobody."""

    def secret(self, course):
        return (autograded(course).parent / "submission_secret.txt").read_text()

    def hand_in(self, course):
        folder = course / "submitted" / "alice" / "circle"
        folder.mkdir(parents=True)
        return folder / "submission_secret.txt"

    def test_what_was_handed_in_is_kept(self, gradebook, released, course):
        path = self.hand_in(course)
        for secret in ("first", "second\n"):
            path.write_text(secret)
            record(gradebook, released)
            assert self.secret(course) == secret

    def test_without_one_there_is_one_that_stays(self, gradebook, released, course):
        record(gradebook, released)
        secret = self.secret(course)
        assert len(secret) == 128
        record(gradebook, released)
        assert self.secret(course) == secret

    @pytest.mark.parametrize("hostile", ["empty", "binary", "large", "link", "folder", "pipe", "linked folder"])
    def test_what_cannot_be_one_is_replaced(self, gradebook, released, course, hostile, tmp_path):
        path = self.hand_in(course)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "submission_secret.txt").write_text("staff's")
        {
            "empty": path.touch,
            "binary": lambda: path.write_bytes(b"\xff"),
            "large": lambda: path.write_text("x" * 5000),
            "link": lambda: path.symlink_to(tmp_path / "elsewhere" / "submission_secret.txt"),
            "folder": path.mkdir,
            "pipe": lambda: os.mkfifo(path),
            "linked folder": lambda: (path.parent.rmdir(), path.parent.symlink_to(tmp_path / "elsewhere")),
        }[hostile]()
        record(gradebook, released)
        assert len(self.secret(course)) == 128

    def test_a_time_that_is_not_known_is_an_empty_file(self, gradebook, released, course):
        record(gradebook, released, submission=replace(handed_in(), timestamp=None))
        assert (autograded(course).parent / "timestamp.txt").read_text() == ""
        assert (
            CourseDirectory(root=str(course.resolve())).get_existing_timestamp(str(autograded(course).parent)) is None
        )
