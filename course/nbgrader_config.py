"""nbgrader's configuration of this course: run nbgrader's own commands and JupyterLab in this folder."""

import os
import tomllib
from pathlib import Path

here = Path(__file__).resolve().parent
with (here / "course.toml").open("rb") as file:
    course = tomllib.load(file)

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader puts it here
c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = course["course"]["id"]
c.CourseDirectory.db_url = os.environ.get("AUTOGRADER_DB_URL", f"sqlite:///{here / 'gradebook.db'}")
c.CourseDirectory.source_directory = "source"
