"""An example class of 40 students, made from a seed: right, second, mistaken, unfinished and broken submissions.

`python -m solutions.example_class` writes them to `course/submitted/<student>/<assignment>/`. `Student.predict`
says, check by check, what the grader must find in each: right answers pass by rule; of the others our own code is
run in this process, without sandbox or notebook machinery, and what breaks a kernel is predicted by rule again.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.shortcuts import names_defined, names_used
from autograder.errors import Cause
from autograder.grading import specimens
from autograder.grading.cells import broken_cells, exercises, is_checked
from autograder.grading.grade import Task
from autograder.kernel.session import Execution
from autograder.model.submission import Submission
from autograder.settings import Settings

NAMES = (
    "ada", "alan", "alonzo", "andrey", "barbara", "blaise", "carl", "claude", "dana", "david", "donald",
    "edsger", "emmy", "ernst", "evelyn", "fei", "frances", "fukushima", "geoffrey", "grace", "hedy", "henri",
    "ida", "ilya", "john", "kaiming", "karen", "katherine", "kunihiko", "leonhard", "lise", "mary", "maryam",
    "niels", "noether", "rosalind", "sophie", "srinivasa", "yann", "yoshua",
)  # fmt: skip

Prediction = dict[str, tuple[str, Cause | None]]
"""For each check its verdict and cause."""


@dataclass(frozen=True, slots=True)
class Student:
    """One submission of the class: its bytes, and what must be found in them: verdicts, and all the hints given."""

    name: str
    kind: str
    content: bytes
    predict: Callable[[], tuple[Prediction, set[str]]]


def make(task: Task, seed: int = 1, students: int = 40) -> list[Student]:
    """The class: the same seed gives the same class, whatever order the students are in."""
    rng = random.Random(f"{seed}:{task.assignment.name}")  # noqa: S311 - an example, not a secret
    makers: list[tuple[str, Callable[[_Maker], Student]]] = [
        *[("right", _Maker.right)] * 8,
        *[("second", _Maker.second)] * 5,
        *[("one mistake", _Maker.one_mistake)] * 11,
        *[("mistakes", _Maker.some_mistakes)] * 4,
        *[("unfinished", _Maker.unfinished)] * 3,
        ("deleted cell", _Maker.deleted),
        ("duplicated cell", _Maker.duplicated),
        ("retyped and relabelled cells", _Maker.retyped),
        ("syntax error", _Maker.syntax_error),
        ("endless loop in a cell", _Maker.loop_in_cell),
        ("endless loop in a call", _Maker.loop_in_call),
        ("memory hog", _Maker.memory_hog),
        ("dead kernel", _Maker.dead_kernel),
        ("invalid JSON", _Maker.invalid_json),
    ]
    mistakes = list(task.suite.mistakes)
    rng.shuffle(mistakes)
    if students < len(makers):
        makers = rng.sample(makers, students)  # some of each kind
    chosen = [makers[index % len(makers)] for index in range(students)]
    rng.shuffle(chosen)
    made = []
    for index, (kind, maker) in enumerate(chosen):
        own = random.Random(rng.random())  # noqa: S311 - as above
        made.append(maker(_Maker(task, _name(index), kind, own, mistakes[index % len(mistakes) :] + mistakes)))
    return made


def _name(index: int) -> str:
    return NAMES[index] if index < len(NAMES) else f"student{index:04d}"


@dataclass(slots=True)
class _Maker:
    """Makes one student's submission of a kind."""

    task: Task
    name: str
    kind: str
    rng: random.Random
    mistakes: Sequence[Any]

    def right(self) -> Student:
        return self._right(specimens.right(self.task))

    def second(self) -> Student:
        return self._right(specimens.second(self.task))

    def one_mistake(self) -> Student:
        return self._student(specimens.mistaken(self.task, self.mistakes[:1], self.name))

    def some_mistakes(self) -> Student:
        chosen: dict[str, Any] = {}
        for mistake in self.mistakes:
            chosen.setdefault(mistake.of, mistake)
        several = list(chosen.values())[: self.rng.choice([2, 3])]
        return self._student(specimens.mistaken(self.task, several, self.name))

    def unfinished(self) -> Student:
        cells = list(exercises(self.task.released))
        return self._student(specimens.unfinished(self.task, cells[self.rng.randint(2, len(cells) - 1) :]))

    def deleted(self) -> Student:
        """The cell comes back as it was released: unfinished."""
        cell, position = self._last_exercise()
        whole = specimens.unfinished(self.task, [cell])
        handed = copy.deepcopy(whole)
        del handed.cells[position]
        return self._student(whole, handed)

    def duplicated(self) -> Student:
        """A copied answer and a copied locked cell change nothing."""
        handed = specimens.right(self.task)
        _, position = self._last_exercise()
        for where in (position, position + 1):
            copied = copy.deepcopy(handed.cells[where])
            copied.id = f"copied-{where}"
            handed.cells.append(copied)
        return self._right(handed)

    def retyped(self) -> Student:
        """Types, points and locks are the release's, whatever the metadata say."""
        handed = specimens.right(self.task)
        _, position = self._last_exercise()
        answer, graded = handed.cells[position], handed.cells[position + 1]
        handed.cells[position] = nbformat.v4.new_markdown_cell(answer.source, id=answer.id, metadata=answer.metadata)
        graded.metadata.nbgrader.points = 1000
        graded.metadata.nbgrader.locked = False
        return self._right(handed)

    def syntax_error(self) -> Student:
        return self._broken_cell(lambda source: source + "\ndef oops(:\n", "exception")

    def loop_in_cell(self) -> Student:
        return self._broken_cell(lambda source: "while True:\n    pass\n" + source, "timeout")

    def memory_hog(self) -> Student:
        hog = "import numpy\nhoard = []\nwhile True:\n    hoard.append(numpy.empty(2**26))\n"
        return self._broken_cell(lambda source: hog + source, "memory")

    def dead_kernel(self) -> Student:
        return self._broken_cell(lambda source: "import os\nos._exit(1)\n" + source, "died")

    def loop_in_call(self) -> Student:
        """An exercise's functions hang: each check that calls them costs its own time, and no other check."""
        cell, position = self._independent_exercise()
        whole = specimens.unfinished(self.task, [cell])
        handed = specimens.right(self.task)
        names = sorted(names_defined(handed.cells[position].source))
        for name in names:
            handed.cells[position].source += f"\n\ndef {name}(*args, **kwargs):\n    while True:\n        pass\n"
        return self._student(whole, handed, {cell: "timeout"})

    def invalid_json(self) -> Student:
        content = nbformat.writes(specimens.right(self.task))[:-200].encode()
        predicted: Prediction = {item.name: ("not_run", "type") for item in self.task.suite.checks}
        return Student(self.name, self.kind, content, lambda: (predicted, set()))

    def _broken_cell(self, breaking: Callable[[str], str], cause: Cause) -> Student:
        """The last exercise's cell breaks; nothing that it defines is there."""
        cell, position = self._last_exercise()
        handed = specimens.right(self.task)
        handed.cells[position].source = breaking(handed.cells[position].source)
        without = copy.deepcopy(handed)
        without.cells[position].source = ""
        return self._student(without, handed, {cell: cause})

    def _last_exercise(self) -> tuple[str, int]:
        """The last checked cell and the position of its (only) solution cell: nothing else builds on it."""
        cell, positions = list(exercises(self.task.released).items())[-1]
        return cell, positions[0]

    def _independent_exercise(self) -> tuple[str, int]:
        """The last checked cell whose solution defines functions that no other cell calls."""
        notebook = specimens.right(self.task)
        for cell, positions in reversed(exercises(notebook).items()):
            names = names_defined(notebook.cells[positions[0]].source)
            others = [
                c.source
                for i, c in enumerate(notebook.cells)
                if c.cell_type == "code" and i != positions[0] and not is_checked(c)
            ]
            if "def " in notebook.cells[positions[0]].source and not any(names & names_used(other) for other in others):
                return cell, positions[0]
        return self._last_exercise()

    def _student(
        self, meant: NotebookNode, handed: NotebookNode | None = None, causes: dict[str, Cause] | None = None
    ) -> Student:
        """What was handed in, and what is to be found in what it amounts to; `causes` are those of broken exercises."""
        content = nbformat.writes(handed if handed is not None else meant).encode()
        attempt = self.task.attempt(Submission(self.name, self.task.assignment.name, content))

        def foretell() -> tuple[Prediction, set[str]]:
            predicted, hints = predict(self.task, meant, attempt)
            for item in self.task.suite.checks:
                if causes and item.cell in causes and predicted[item.name][1] == "missing":
                    predicted[item.name] = ("fail", causes[item.cell])
            return predicted, hints

        return Student(self.name, self.kind, content, foretell)

    def _right(self, handed: NotebookNode) -> Student:
        """A submission that passes every check."""
        content = nbformat.writes(handed).encode()
        return Student(
            self.name, self.kind, content, lambda: ({c.name: ("pass", None) for c in self.task.suite.checks}, set())
        )


def predict(task: Task, notebook: NotebookNode, attempt: Attempt) -> tuple[Prediction, set[str]]:
    """Run the notebook's cells and the checks right here; verdicts and hints. For our own code alone."""
    execution = Execution(copy.deepcopy(notebook))
    transport = LocalTransport(run(execution.notebook, attempt.student))
    outcomes = {item: task.suite.run(item, transport, attempt) for item in task.suite.checks}
    failed = {item: outcome for item, outcome in outcomes.items() if outcome.failed}
    hints = task.suite.diagnose(failed, attempt)
    results = task.suite.counted(
        [task.suite.result(item, outcome, hints.get(item.name)) for item, outcome in outcomes.items()]
    )
    broken = broken_cells(execution)
    predicted: Prediction = {
        r.name: (r.verdict, broken[r.cell].cause if r.cause == "missing" and r.cell in broken else r.cause)
        for r in results
    }
    return predicted, {r.hint for r in results if r.hint}


def run(notebook: NotebookNode, student: str) -> dict[str, Any]:
    """The namespace that the notebook's cells leave. A cell that raises ends there, with its error as its output."""
    import matplotlib as mpl

    mpl.use("agg")
    before = os.environ.get("JUPYTERHUB_USER")
    os.environ["JUPYTERHUB_USER"] = student
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for cell in notebook.cells:
            if cell.cell_type != "code" or is_checked(cell):
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(cell.source, "<cell>", "exec"), namespace)  # noqa: S102 - our own code
            except Exception as error:  # noqa: BLE001 - as in a notebook whose errors are allowed
                cell.outputs = [new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[])]
    finally:
        if before is None:
            del os.environ["JUPYTERHUB_USER"]
        else:
            os.environ["JUPYTERHUB_USER"] = before
        sys.modules["matplotlib.pyplot"].close("all") if "matplotlib.pyplot" in sys.modules else None
    return namespace


def write(folder: Path, task: Task, students: Sequence[Student]) -> None:
    """Put the class where nbgrader's collector would: `<folder>/<student>/<assignment>/<assignment>.ipynb`.

    What lies there already is left as it is.
    """
    due = task.assignment.due or datetime.now(UTC)
    for student in students:
        place = folder / student.name / task.assignment.name
        if place.exists():
            continue
        place.mkdir(parents=True)
        (place / f"{task.assignment.name}.ipynb").write_bytes(student.content)
        handed = due - timedelta(hours=len(student.name))
        (place / "timestamp.txt").write_text(handed.strftime("%Y-%m-%d %H:%M:%S UTC"))


def _told(student: Student) -> dict[str, Any]:
    predicted, hints = student.predict()
    return {"kind": student.kind, "checks": predicted, "hints": sorted(hints)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("assignments", nargs="*", help="all of the course where none is named")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--out", type=Path, help="where to write it [course/submitted]")
    parser.add_argument("--predictions", type=Path, help="also write what must be found, as JSON, to this file")
    options = parser.parse_args()
    settings = Settings.read()
    out = options.out or settings.course_folder / "submitted"
    told = {}
    for name in options.assignments or [assignment.name for assignment in settings.assignments]:
        task = Task.load(settings.assignment(name), settings.root, settings.secret)
        students = make(task, options.seed, options.students)
        write(out, task, students)
        if options.predictions:
            told[name] = {student.name: _told(student) for student in students}
        kinds = dict.fromkeys(student.kind for student in students)
        print(f"{name}: {len(students)} students in {out} ({', '.join(kinds)})")
    if options.predictions:
        options.predictions.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
