"""Submitted notebooks of a small release: cells named, copied, split, merged, retyped, relabelled and added."""

from __future__ import annotations

import copy
import random

from hypothesis import strategies as st
from nbformat import NotebookNode

NAMES = ("imports", "a-solution", "a", "text", "b-solution", "b", "written")


def released_cell(name):
    solution, grade = name.endswith("-solution") or name == "written", name in ("a", "b", "written")
    flags = {
        "grade": grade,
        "solution": solution,
        "locked": not solution,
        "grade_id": name,
        "schema_version": 3,
    }
    flags |= {"points": 10} if grade else {}
    kind = "markdown" if name in ("written", "text") else "code"
    made = NotebookNode(
        cell_type=kind,
        id=name,
        metadata=NotebookNode(nbgrader=NotebookNode(flags)),
        source=f"{name} as released",
    )
    return NotebookNode(made, outputs=[], execution_count=None) if kind == "code" else made


RELEASED = NotebookNode(
    cells=[released_cell(name) for name in NAMES],
    metadata=NotebookNode(kernelspec=NotebookNode(name="python3", display_name="Python 3")),
    nbformat=4,
    nbformat_minor=5,
)

flag_values = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.none(), st.just([]))
flags = st.dictionaries(
    st.sampled_from(["grade", "solution", "locked", "task", "points", "schema_version", "checksum"]),
    flag_values,
)
named_cells = st.builds(
    lambda name, kind, source, flags, cell_id: {
        "cell_type": kind,
        "id": cell_id,
        "source": source,
        "metadata": {"nbgrader": {**flags, "grade_id": name}},
    },
    st.sampled_from([*NAMES, "unknown"]),
    st.sampled_from(["code", "markdown", "raw"]),
    st.one_of(st.sampled_from([f"{name} as released" for name in NAMES]), st.text(max_size=20)),
    flags,
    st.sampled_from([*NAMES, "x", "", None]),
)
added_cells = st.builds(
    lambda kind, source: {"cell_type": kind, "source": source, "metadata": {}},
    st.sampled_from(["code", "markdown", "raw"]),
    st.integers(0, 999).map("added {}".format),
)
submissions = st.lists(st.one_of(named_cells, added_cells), max_size=14)


def exercise_cell(name, kind, source, **flags):
    told = {"grade": False, "solution": False, "locked": False, "grade_id": name, "schema_version": 3, **flags}
    made = NotebookNode(cell_type=kind, id=name, metadata=NotebookNode(nbgrader=NotebookNode(told)), source=source)
    return NotebookNode(made, outputs=[], execution_count=None) if kind == "code" else made


STUB = "def {0}(side):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
EXERCISES = NotebookNode(
    cells=[
        exercise_cell("setup", "code", "SIDES = 4", locked=True),
        exercise_cell("area-text", "markdown", "## The area of a square", locked=True),
        exercise_cell("area-solution", "code", STUB.format("area"), solution=True),
        exercise_cell("area", "code", "assert area(2) == 4", grade=True, locked=True, points=6),
        exercise_cell("perimeter-text", "markdown", "## Its perimeter", locked=True),
        exercise_cell("perimeter-solution", "code", STUB.format("perimeter"), solution=True),
        exercise_cell("perimeter", "code", "assert perimeter(2) == 8", grade=True, locked=True, points=4),
        exercise_cell("why-text", "markdown", "## Why is that so?", locked=True),
        exercise_cell("why", "markdown", "YOUR ANSWER HERE", solution=True, grade=True, points=5),
    ],
    metadata=NotebookNode(),
    nbformat=4,
    nbformat_minor=5,
)
"""Two exercises and a question, with code in them."""
ANSWERED = copy.deepcopy(EXERCISES)
for _cell in ANSWERED.cells:
    if _cell.metadata.nbgrader.grade_id == "area-solution":
        _cell.source = "def _square(x):\n    return x * x\n\n\ndef area(side):\n    return _square(side)"
    elif _cell.metadata.nbgrader.grade_id == "perimeter-solution":
        _cell.source = "COUNT = SIDES\n\n\ndef perimeter(side, count=COUNT):\n    return count * side"
    elif _cell.metadata.nbgrader.grade_id == "why":
        _cell.source = "A square has four equal sides."


class ChangeOf:
    """A change of one cell or two, drawn by its name and numbers, so that a failure says what was done."""

    def __init__(self, kind, first, second):
        self.kind, self.first, self.second = kind, first, second

    def __repr__(self):
        return f"ChangeOf({self.kind!r}, {self.first}, {self.second})"

    def __call__(self, cells):
        getattr(self, self.kind)(cells, self.first % len(cells), self.second % len(cells))

    def fresh(self, cell, **others):
        made = copy.deepcopy(cell) | others
        made["id"] = f"new-{random.Random(repr((self, made['source']))).getrandbits(40):x}"
        return made

    def nameless(self, cells, first, _second):
        cells[first]["metadata"] = {}

    def anonymous(self, cells, first, _second):
        cells[first] = self.fresh(cells[first], metadata={})

    def all_nameless(self, cells, _first, _second):
        for cell in cells:
            cell["metadata"] = {}

    def copied(self, cells, first, _second):
        cells.insert(first + 1, self.fresh(cells[first]))

    def stub_copied(self, cells, first, second):
        stubs = [cell for cell in EXERCISES.cells if cell.metadata.nbgrader.solution]
        cells.insert(first, self.fresh(stubs[second % len(stubs)]))

    def stub_pasted(self, cells, first, second):
        stubs = [cell for cell in EXERCISES.cells if cell.metadata.nbgrader.solution and cell.cell_type == "code"]
        cells.insert(first, self.fresh(stubs[second % len(stubs)], metadata={}))

    def split(self, cells, first, _second):
        if "\n\n\n" in cells[first]["source"] and cells[first]["cell_type"] == "code":
            one, two = cells[first]["source"].split("\n\n\n", 1)
            cells.insert(first + 1, self.fresh(cells[first], source=two))
            cells[first]["source"] = one

    def merged(self, cells, first, second):
        if first + 1 < len(cells) and cells[first]["cell_type"] == cells[first + 1]["cell_type"] == "code":
            text = f"{cells[first]['source']}\n\n{cells[first + 1]['source']}"
            cells[first : first + 2] = [cells[first + second % 2] | {"source": text}]

    def noted(self, cells, first, second):
        cells.insert(first, {"cell_type": "code", "id": f"note-{first}-{second}", "metadata": {}, "source": "1 + 1"})

    def examples_deleted(self, cells, first, _second):
        if any(cells[first]["source"] == cell.source for cell in EXERCISES.cells):
            del cells[first]


changes = st.lists(
    st.builds(
        ChangeOf,
        st.sampled_from([name for name in vars(ChangeOf) if not name.startswith("_") and name != "fresh"]),
        st.integers(0, 20),
        st.integers(0, 20),
    ),
    max_size=5,
)
"""What students and their tools do to the cells of `ANSWERED`, which keeps its answers right."""
