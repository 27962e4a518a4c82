"""nbgrader's own commands and formgrader, with the course's configuration: they list, generate, and never grade."""

import shutil
import tomllib
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets import import_item
from traitlets.config import PyFileConfigLoader

from autograder.gradebook.database import Database
from autograder.gradebook.page import FeedbackPage

ROOT = Path(__file__).parents[2]
NAMES = [assignment["name"] for assignment in tomllib.loads((ROOT / "course/course.toml").read_text())["assignments"]]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of what nbgrader sees of the project."""
    monkeypatch.delenv("AUTOGRADER_DB_URL", raising=False)
    shutil.copytree(ROOT / "assignments", tmp_path / "assignments")
    (tmp_path / "course").mkdir()
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / "course" / name, tmp_path / "course")
    return tmp_path


@pytest.fixture
def api(project):
    """What formgrader's pages ask."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(project / "course")).load_config()
    config.Exchange.root = str(project / "exchange")
    Database(config.CourseDirectory.db_url, config.CourseDirectory.course_id, 5).close()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_assignments_of_the_course_are_listed(api):
    assert {assignment["name"] for assignment in api.get_assignments()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_generate_copies_what_is_released_and_changes_nothing_in_it(api, project, name):
    before = contents(project / "assignments")
    for _ in range(2):  # the second time there is an older copy to replace
        assert api.generate_assignment(name)["success"]
    assert contents(project / "assignments") == before
    copied = contents(project / "course/release")
    assert copied == {path: content for path, content in before.items() if path.parts[0] == name}


def test_nbgrader_makes_our_feedback_page(api):
    assert import_item(api.config.GenerateFeedback.exporter_class) is FeedbackPage


def test_nbgraders_own_grading_is_refused_before_it_touches_anything(api, project):
    api.generate_assignment("convolution")
    canary = project / "ran"
    for folder in ("submitted", "autograded"):
        made = project / "course" / folder / "ada/convolution"
        shutil.copytree(project / "assignments/convolution", made)
        notebook = made / "convolution.ipynb"
        notebook.write_text(notebook.read_text().replace("raise NotImplementedError()", f"open({str(canary)!r}, 'w')"))
    before = contents(project / "course")
    answer = api.autograde("convolution", "ada")
    assert not answer["success"]
    assert "autograder grade convolution" in answer["log"]
    assert not canary.exists()
    assert contents(project / "course") == before
    with Gradebook(api.coursedir.db_url) as gradebook:
        assert gradebook.students == []
