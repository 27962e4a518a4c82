"""What the names in Canvas's and Moodle's archives say, and whose the files are."""

import zipfile
from types import SimpleNamespace

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook.archive import Collector, Extractor, Named, Roll, named
from autograder.gradebook.database import Database


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("doejane_12345_67890_circle.ipynb", Named("doejane", "12345", 67890, "circle.ipynb")),
        ("doejane_LATE_12345_67890_circle-1.ipynb", Named("doejane", "12345", 67890, "circle-1.ipynb", is_late=True)),
        ("submissions/doejane_12345_67890_my data_2.csv", Named("doejane", "12345", 67890, "my data_2.csv")),
        ("export_2027_02_08/doejane_12345_67890_a.py", Named("doejane", "12345", 67890, "a.py")),
        ("Jane Doe_123456_assignsubmission_file_/circle.ipynb", Named("Jane Doe", "", 123456, "circle.ipynb")),
        ("C-1/Jane Doe_123456_assignsubmission_file_/data/a.csv", Named("Jane Doe", "", 123456, "data/a.csv")),
        ("Jane Doe_123456_assignsubmission_file_circle.ipynb", Named("Jane Doe", "", 123456, "circle.ipynb")),
        ("Jane Doe_1_assignsubmission_file_/ann_2_3_x.py", Named("Jane Doe", "", 1, "ann_2_3_x.py")),
        ("Seán O'Brien_9_assignsubmission_file_/circle.ipynb", Named("Seán O'Brien", "", 9, "circle.ipynb")),
        ("Jane Doe_123456_assignsubmission_onlinetext_/onlinetext.html", None),
        (".._1_assignsubmission_file_/circle.ipynb", None),
        ("circle.ipynb", None),
    ],
)
def test_names_are_read(path, expected):
    assert named(path) == expected


def test_students_are_found_by_number_and_by_name():
    people = [
        {"id": "jd1", "first_name": "Jané", "last_name": "Doe", "lms_user_id": None},
        {"id": "jd2", "first_name": "Jim", "last_name": "Doe", "lms_user_id": "12"},
        {"id": "sam", "first_name": "Sam", "last_name": "Fox", "lms_user_id": None},
        {"id": "sam2", "first_name": "Sam", "last_name": "Fox", "lms_user_id": None},
        {"id": "Ann Lee", "first_name": None, "last_name": None, "lms_user_id": None},
    ]
    roll = Roll(people)
    for name, user, student in (
        ("doejane", "99", "jd1"),
        ("whoever", "12", "jd2"),
        ("Jane Doe", "", "jd1"),
        ("Ann Lee", "", "Ann Lee"),
        ("Sam Fox", "", ""),
        ("foxsam", "7", ""),
    ):
        assert roll.student(Named(name, user, 1, "circle.ipynb")) == student


@pytest.fixture
def app(tmp_path, caplog):
    """What nbgrader's command is to its plugins."""
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    Database(url, "cnn", 1).close()
    extracted = tmp_path / "extracted"
    extracted.mkdir()
    return SimpleNamespace(
        coursedir=SimpleNamespace(db_url=url, course_id="cnn", assignment_id="circle"),
        extracted_directory="extracted",
        _format_collect_path=lambda _step: str(extracted),
        extracted=extracted,
    )


def collected(app, *names):
    for name in names:
        (app.extracted / name).parent.mkdir(parents=True, exist_ok=True)
        (app.extracted / name).write_text("")
    collector = Collector()
    collector._trait_values["parent"] = app
    found = {}
    for path in sorted(path for path in app.extracted.rglob("*") if path.is_file()):
        if told := collector.collect(str(path)):
            found[path.relative_to(app.extracted).as_posix()] = (told["student_id"], told["file_id"])
    return found


def test_the_last_of_several_attempts_counts(app):
    names = (
        "doejane_5_100_circle.ipynb",
        "doejane_5_90_circle-2.ipynb",
        "doejane_LATE_5_101_circle-1.ipynb",
        "doejane_5_102_points.csv",
        "doejane_5_103_timestamp.txt",
        "notes.txt",
    )
    assert collected(app, *names) == {
        "doejane_5_90_circle-2.ipynb": ("doejane_5", "circle.ipynb"),
        "doejane_5_102_points.csv": ("doejane_5", "points.csv"),
    }


def test_people_of_one_name_are_kept_apart(app):
    with Gradebook(app.coursedir.db_url) as book:
        book.add_student("jd", first_name="Jane", last_name="Doe")
        book.add_student("sf", first_name="Sam", last_name="Fox")
    form = "{}_assignsubmission_file_/circle.ipynb".format
    assert collected(app, form("Jane Doe_1"), form("Jane Doe_2"), form("Sam Fox_3"), form("Ann Lee_4")) == {
        form("Jane Doe_1"): ("Jane Doe_1", "circle.ipynb"),
        form("Jane Doe_2"): ("Jane Doe_2", "circle.ipynb"),
        form("Sam Fox_3"): ("sf", "circle.ipynb"),
        form("Ann Lee_4"): ("Ann Lee", "circle.ipynb"),
    }


def test_an_archive_is_unpacked_into_its_own_folder_and_no_further(tmp_path):
    archive, extracted = tmp_path / "archive", tmp_path / "extracted"
    archive.mkdir()
    link = zipfile.ZipInfo("a_1_3_link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive / "submissions.zip", "w") as made:
        made.writestr("a_1_2_circle.ipynb", "{}")
        made.writestr("../outside.ipynb", "{}")
        made.writestr("/absolute.ipynb", "{}")
        made.writestr(link, "/etc/passwd")
        with zipfile.ZipFile(made.open("a_1_4_inner.zip", "w"), "w") as inner:
            inner.writestr("circle.ipynb", "{}")
    (archive / "b_2_5_circle.ipynb").write_text("{}")
    (archive / "b_2_6_linked.ipynb").symlink_to(archive / "submissions.zip")
    Extractor().extract(str(archive), str(extracted))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "archive/b_2_5_circle.ipynb",
        "archive/b_2_6_linked.ipynb",
        "archive/submissions.zip",
        "extracted/b_2_5_circle.ipynb",
        "extracted/submissions/a_1_2_circle.ipynb",
        "extracted/submissions/a_1_4_inner.zip",
    ]
