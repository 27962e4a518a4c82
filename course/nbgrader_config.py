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

# To nbgrader, what is released already is the source: formgrader lists it, and "Generate" copies it to release/, where
# nbgrader's exchange finds it. Nothing of nbgrader's changes a notebook in a source.
c.CourseDirectory.source_directory = "../assignments"
c.ClearSolutions.enabled = False  # there are none left, and a cell without marks would lose the function's signature

# A submission only runs in a sandbox: nbgrader's own grading says so instead of running it here.
c.Autograde.exporter_class = "autograder.gradebook.refusal.Refusal"

# The page that a student reads: one file that loads nothing. formgrader's own pages stay nbgrader's.
c.GenerateFeedback.exporter_class = "autograder.gradebook.page.FeedbackPage"

# Pages are readable by their owner, and by the group that course.toml names. Their copies in the exchange are the
# students': nobody but their owner knows their names.
c.GenerateFeedback.permissions = 640 if course["course"].get("group") else 600
c.ExchangeFactory.release_feedback = "autograder.gradebook.exchange.ReleaseFeedback"

# Archives of Canvas and Moodle, for `nbgrader zip_collect`: whose a file is, by its name and the gradebook's students.
c.ZipCollectApp.extractor_plugin = "autograder.gradebook.archive.Extractor"
c.ZipCollectApp.collector_plugin = "autograder.gradebook.archive.Collector"

# formgrader shows times as people of the course read them.
c.NbGraderAPI.timezone = course["course"].get("timezone", "UTC")

# A student's name may hold a comma, which nbgrader's own table does not quote.
c.ExportApp.plugin_class = "autograder.gradebook.export.QuotedCsv"
