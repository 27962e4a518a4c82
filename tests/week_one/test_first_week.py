"""Week one: 12 of 15 students hand in one assignment of three, under names and in forms that no course is without.

One `make grade`, no error; every honest student has the points that the work deserves; what is doubtful is to be
looked at.
"""

from __future__ import annotations

import copy
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import oddities as odd
import pytest
from oddities import NAME, Change, HandedIn

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]
COMPOSED, DECOMPOSED = "Jos\N{LATIN SMALL LETTER E WITH ACUTE}", "Jose\N{COMBINING ACUTE ACCENT}"
CLASS: dict[str, list[Change]] = {
    "O'Brien": [odd.another_file_name, odd.shell_lines_above_a_function, odd.an_answer_split_in_two],
    "Müller, Jürgen": [odd.one_level_too_deep, odd.two_answers_merged_into_one_cell, odd.a_written_answer_below],
    "ada@example.org": [odd.without_the_assignments_folder, odd.the_answer_in_a_new_cell_below_the_stub],
    "ada+cnn@example.org": [odd.a_helper_file_handed_in, odd.a_written_answer_as_a_picture],
    "grace": [odd.metadata_and_ids_lost],
    "Grace": [odd.the_stub_pasted_again_below_the_answer, odd.a_global_variable_used_again],
    COMPOSED: [odd.text_in_utf16],
    DECOMPOSED: [odd.a_pool_of_processes, odd.a_helper_file_that_a_cell_writes],
    "Nguyễn Thị Ánh": [odd.a_helpers_name_used_again, odd.a_self_test_with_a_forbidden_function],
    "李明 (2)": [odd.google_drive, odd.one_cell_without_metadata],
    "आर्या": [odd.an_archive_of_the_notebook],
    "محمد": [odd.an_import_added_to_the_locked_setup_cell, odd.all_metadata_lost],
}
ABSENT = ("karl", "sofia", "zoë")


def hand_in(root: Path, student: str, perfect: HandedIn, changes: list[Change]) -> None:
    work = copy.deepcopy(perfect)
    for change in changes:
        change(work)
    for name, content in work.written().items():
        path = root / "course" / "submitted" / student / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, perfect: HandedIn) -> Path:
    """A copy of the project with this class, and with what else lies in submitted/ after a week."""
    root = tmp_path_factory.mktemp("week one") / "project"
    unwanted = shutil.ignore_patterns(".*", "build", "submitted", "autograded", "feedback", "release", "*.db*", "tests")
    shutil.copytree(HERE, root, ignore=unwanted)
    submitted = root / "course" / "submitted"
    for student, changes in CLASS.items():
        hand_in(root, student, perfect, changes)
    (submitted / "O'Brien" / NAME / "timestamp.txt").write_text("1E+999999999 days and 12 hours UTC")
    (submitted / "=cmd()" / NAME).mkdir(parents=True)
    (submitted / "=cmd()" / NAME / f"{NAME}.ipynb").write_bytes(perfect.content())
    (submitted / "linked").symlink_to("/etc")
    (submitted / "grades.xlsx").write_bytes(b"PK\x03\x04")
    (submitted / "grace" / NAME / "old" / "older").mkdir(parents=True)
    (submitted / "locked" / NAME).mkdir(parents=True)
    (submitted / "locked" / NAME / f"{NAME}.ipynb").write_bytes(perfect.content())
    (submitted / "locked" / NAME).chmod(0)
    for student in ABSENT:
        add = [sys.executable, "-m", "nbgrader", "db", "student", "add", student]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # nbgrader starts alembic by its name
        subprocess.run(add, cwd=root / "course", env={**os.environ, "PATH": path}, check=True, capture_output=True)
    yield root
    (submitted / "locked" / NAME).chmod(0o700)


@pytest.fixture(scope="module")
def made(project: Path) -> subprocess.CompletedProcess[str]:
    """`make grade`, as the README says."""
    venv = Path(sys.prefix)
    if not (venv / "bin" / "autograder").exists():
        pytest.skip(f"no virtual environment with the command `autograder` in it at {venv}")
    command = ["make", "grade", f"VENV={venv}", "--assume-old", f"{venv}/.made", "SANDBOX=auto"]
    environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_make_grade_ends_without_an_error(made: subprocess.CompletedProcess[str]) -> None:
    assert made.returncode == 0, made.stdout[-6000:] + made.stderr[-6000:]
    assert "Traceback" not in made.stdout + made.stderr


@pytest.mark.parametrize("student", CLASS)
def test_an_honest_student_has_the_points(student: str, made: subprocess.CompletedProcess[str], project: Path) -> None:
    assert made.returncode == 0
    reports = json.loads((project / "build" / "reports" / f"{NAME}.json").read_text())
    report = next(each for each in reports if each["student"] == student)
    lost = {check["name"]: check["message"] for check in report["checks"] if check["verdict"] != "pass"}
    assert not lost, report["repairs"]
    page = project / "course" / "feedback" / student / NAME / f"{NAME}.html"
    assert "100" in page.read_text()


def test_everything_doubtful_is_to_be_looked_at(made: subprocess.CompletedProcess[str]) -> None:
    told = [line for line in (made.stdout + made.stderr).splitlines() if line.startswith("look at: ")]
    unreadable = ["locked"] if os.geteuid() != 0 else []
    for doubtful in ("timestamp.txt", "=cmd()", "linked", "grades.xlsx", ascii(COMPOSED), "Grace", *unreadable):
        assert any(doubtful in line for line in told), (doubtful, told)


def test_who_and_what_is_missing_is_told(made: subprocess.CompletedProcess[str]) -> None:
    told = made.stdout + made.stderr
    for missing in (*ABSENT, "output_sizes", "architectures"):
        assert missing in told


def test_the_table_of_scores_has_everybody(made: subprocess.CompletedProcess[str], project: Path) -> None:
    assert made.returncode == 0
    text = (project / "build" / "scores.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["student"].lstrip("'") for row in rows} >= set(CLASS)
