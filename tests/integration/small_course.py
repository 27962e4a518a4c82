"""A course of small assignments that grade in a moment: each asks for one function, and one for an answer in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from autograder.notebooks.release import model_answer, release

COURSE = """
[course]
id = "small"
title = "Small"
"""
ASSIGNMENT = """
[[assignments]]
name = "{name}"
title = "About {name}"
profile = "python"
points = 10
"""


def _header(name: str, *, grade: bool, solution: bool, points: float | None = None) -> str:
    flags = {"grade": grade, "grade_id": name, "locked": not solution, "schema_version": 3, "solution": solution}
    flags |= {"task": False} | ({} if points is None else {"points": points})
    return f"nbgrader={json.dumps(flags)}"


NOTEBOOK = f"""# %% {_header("double-solution", grade=False, solution=True)}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% {_header("double", grade=True, solution=False, points=10)}
double(1)
"""
WRITTEN = f"""
# %% [markdown] {_header("why", grade=True, solution=True, points=5)}
# Because it is added to itself.
"""
CHECKS = """from autograder.checks import *
from . import reference


@check(cell="double", points=6)
def positive(student, draw):
    '''Positive numbers.'''
    equal(student.double(3), reference.double(3))


@check(cell="double", points=4)
def negative(student, draw):
    '''Negative numbers.'''
    equal(student.double(-3), reference.double(-3))
"""
WRONG = "def double(x):\n    return abs(2 * x)"


class SmallCourse:
    """The course in `root`."""

    def __init__(self, root: Path, *names: str, written: str = "") -> None:
        self.root, self.names = root, names
        (root / "course").mkdir()
        toml = COURSE + "".join(ASSIGNMENT.format(name=name) for name in names)
        (root / "course" / "course.toml").write_text(toml)
        (root / "solutions").mkdir()
        (root / "solutions" / "__init__.py").touch()
        for name in names:
            folder = root / "solutions" / name
            folder.mkdir()
            (folder / "__init__.py").touch()
            (folder / "reference.py").write_text("def double(x):\n    return 2 * x\n")
            (folder / "second.py").write_text("def double(x):\n    return x + x\n")
            (folder / "mistakes.py").touch()
            (folder / "checks.py").write_text(CHECKS)
            (folder / "notebook.py").write_text(NOTEBOOK + (WRITTEN if name == written else ""))
            release(folder / "notebook.py", root / "assignments" / name, 10.0)

    def hand_in(self, student: str, name: str, double: str | None = None, why: str | None = None) -> Path:
        """Write a right notebook, or one with this function and this answer in words."""
        notebook = model_answer(self.root / "solutions" / name / "notebook.py")
        for cell in notebook.cells:
            grade_id = cell.metadata.nbgrader["grade_id"]
            if grade_id == "double-solution" and double is not None:
                cell.source = double
            if grade_id == "why" and why is not None:
                cell.source = why
        folder = self.root / "course" / "submitted" / student / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(notebook))
        return path

    def files(self) -> dict[str, bytes]:
        """Everything in course/ but what was handed in."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in (self.root / "course").rglob("*")
            if path.is_file() and "submitted" not in path.parts
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", *arguments],
            cwd=self.root,
            env={**os.environ, "AUTOGRADER_ROOT": str(self.root), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - nothing here forks while a thread holds a lock
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run a command: its exit code, what it printed, and what it said on standard error."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def grade(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Grade without a sandbox, one submission at a time."""
        return self.run("grade", "--sandbox", "none", "--workers", "1", *arguments, **environment)


def _heed_ctrl_c() -> None:
    """A shell's background jobs, and what they start, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
