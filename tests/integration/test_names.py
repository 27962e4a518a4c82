"""Students' names as LMSs and Hubs give them, from `submitted/` to the feedback pages and the table of scores."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.sandbox.bwrap import Bubblewrap
from autograder.settings import Settings

HERE = Path(__file__).parents[2]
NAMES = (
    "O'Brien", "Lovelace, Ada", "ada+x@uni.edu", "D\u2019Arcy (2)", "auth0|5f", "R&D #1",
    "Jose\u0301", "Jos\u00e9", "Bob", "bob",
    "\u0905\u0928\u0940\u0924\u093e", "\u674e\u96f7",
    "\u0645\u062d\u0645\u062f \u0639\u0644\u064a", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "x" * 80,
)  # fmt: skip
SHOWN = {"COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
REFUSED = ("=1+1", "\u202eeve", "a\nb", "-rf")


def run(course: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=course,
        env={**os.environ, **SHOWN, "AUTOGRADER_ROOT": str(course), **environment},
        capture_output=True, text=True, check=False, timeout=500, encoding="utf-8",
    )  # fmt: skip


@pytest.mark.slow
def test_names_are_graded_and_get_pages_and_rows(project: Path) -> None:
    sandbox = "none" if Bubblewrap().missing() else "bwrap"
    task = Task.load(Settings.read(project).assignment("output_sizes"), HERE, "secret")
    content = json.dumps(specimens.right(task))  # its answers are right for the numbers of its own student alone
    for name in (*NAMES, *REFUSED):
        folder = project / "course" / "submitted" / name / "output_sizes"
        folder.mkdir(parents=True)
        (folder / "output_sizes.ipynb").write_text(content)
    grade = ("-m", "autograder.cli", "grade", "output_sizes", "--sandbox", sandbox, "--json", "reports.json")
    done = run(project, *grade)
    assert done.returncode == 0, done.stderr
    reports = {report["student"]: report["score"] for report in json.loads((project / "reports.json").read_text())}
    assert reports == dict.fromkeys(NAMES, 100.0)
    assert done.stderr.count("cannot be a student's name") == len(REFUSED)
    assert done.stderr.count("differ only in case or in how Unicode writes them") == 2
    assert not any(name in done.stdout + done.stderr for name in ("\u202e", "a\nb"))

    for name in ("O'Brien", "Lovelace, Ada"):
        (project / "course" / "submitted" / name / "output_sizes" / "output_sizes.ipynb").write_text(content + "\n")
    done = run(project, *grade, "--student", "O'Brien", "--student", "Lovelace, Ada", "--student", "=1+1")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 graded (2 now, 0 before)" in done.stdout

    done = run(project, "-m", "autograder.cli", "feedback", "output_sizes", *(f"--student={name}" for name in NAMES))
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        page = project / "course" / "feedback" / name / "output_sizes" / "output_sizes.html"
        assert "100 of 100 points" in re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")), ascii(name)

    done = run(project / "course", "-m", "nbgrader", "export", "--to=scores.csv")
    assert done.returncode == 0, done.stderr
    with (project / "course" / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    assert rows == dict.fromkeys(NAMES, 100.0)


def test_a_terminal_without_the_letters_of_a_name_ends_nothing(project: Path) -> None:
    (project / "course" / "submitted" / "\u674e\u96f7" / "output_sizes").mkdir(parents=True)
    grade = ("-m", "autograder.cli", "grade", "output_sizes", "--sandbox", "none")
    done = run(project, *grade, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert r"\u674e\u96f7" in done.stdout
    assert r"look at: \u674e\u96f7: There is nothing to grade" in done.stderr
