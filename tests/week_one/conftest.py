"""A course of three assignments in a folder of its own, and the material that its students start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from oddities import NAME, HandedIn

from autograder.errors import UsageError
from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.sandbox import choose
from autograder.settings import Settings

HERE = Path(__file__).parents[2]
UNWANTED = shutil.ignore_patterns("submitted", "autograded", "feedback", "release", "*.db*", ".secret", "__pycache__")


@pytest.fixture(scope="session", autouse=True)
def _sandbox() -> None:
    """Skip where nothing can be graded."""
    try:
        choose.sandbox("auto")
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The project's course: the same checks and releases, no submissions yet."""
    root = tmp_path_factory.mktemp("course")
    for name in ("solutions", "assignments"):
        (root / name).symlink_to(HERE / name)
    shutil.copytree(HERE / "course", root / "course", ignore=UNWANTED)
    (root / "course" / ".secret").write_text("a secret of the tests, long enough to be one")
    return Settings.read(root)


@pytest.fixture(scope="session")
def perfect() -> HandedIn:
    """The model answer to `convolution`, as it is before anything happens to it."""
    settings = Settings.read(HERE)
    tasks = {each.name: Task.load(each, HERE, "") for each in settings.assignments}
    right = {name: specimens.right(task) for name, task in tasks.items()}
    return HandedIn(right[NAME], tasks[NAME].released, right)
