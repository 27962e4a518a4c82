"""No permutation, deletion, copying, splitting, merging, retyping or relabelling of cells changes what is graded."""

import copy
import json
import re

import nbformat
from hypothesis import example, given
from hypothesis import strategies as st
from strategies.notebooks import ANSWERED, EXERCISES, NAMES, RELEASED, ChangeOf, changes, submissions

from autograder.model.assignment import Limits
from autograder.notebooks.document import grade_id, parse
from autograder.notebooks.rebuild import rebuild


def rebuilt(cells):
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    return rebuild(RELEASED, parse(content, Limits()))


@given(submissions)
def test_every_released_cell_is_there_once_in_order_with_its_type_and_metadata(cells):
    result = rebuilt(cells)
    kept = [cell for cell in result.notebook.cells if grade_id(cell)]
    assert [grade_id(cell) for cell in kept] == list(NAMES)
    for cell, original in zip(kept, RELEASED.cells, strict=True):
        assert (cell.cell_type, cell.id, cell.metadata) == (
            original.cell_type,
            original.id,
            original.metadata,
        )
        if not original.metadata.nbgrader.solution:
            assert cell.source == original.source
    nbformat.validate(result.notebook)


@given(submissions)
def test_every_answer_is_made_of_what_was_handed_in_or_the_stub(cells):
    handed_in = {c["source"].strip() for c in cells}
    for cell in rebuilt(cells).notebook.cells:
        name = grade_id(cell)
        if name and cell.metadata.nbgrader.solution and cell.source != f"{name} as released":
            parts = {part.strip() for part in re.split(r"\n\n", cell.source)}
            assert cell.source.strip() in handed_in or parts <= handed_in | {"", "---", f"{name} as released"}


@given(submissions)
def test_an_answer_with_its_name_is_run(cells):
    released = {cell.source for cell in RELEASED.cells}
    sources = [cell.source for cell in rebuilt(cells).notebook.cells]
    for cell in cells:
        answers = cell["metadata"].get("nbgrader", {}).get("grade_id") in ("a-solution", "b-solution")
        if answers and cell["source"].strip() and cell["source"].strip() not in released:
            assert any(cell["source"].strip() in source for source in sources)


@given(submissions)
def test_added_cells_are_all_kept(cells):
    text = "\n".join(cell.source for cell in rebuilt(cells).notebook.cells)
    assert {*re.findall(r"added \d+", text)} == {c["source"] for c in cells if c["source"].startswith("added ")}


@given(submissions)
def test_it_is_deterministic_and_rebuilding_again_changes_nothing(cells):
    once = rebuilt(cells)
    assert rebuilt(cells) == once
    again = rebuild(RELEASED, parse(nbformat.writes(once.notebook).encode(), Limits()))
    assert [c.source for c in again.notebook.cells] == [c.source for c in once.notebook.cells]
    assert again.repairs == ()


@given(st.permutations(range(len(NAMES))), st.sets(st.sampled_from(NAMES)))
def test_an_answer_survives_any_order_and_any_deletion_of_others(order, deleted):
    cells = [copy.deepcopy(RELEASED.cells[index]) for index in order if NAMES[index] not in deleted]
    for cell in cells:
        cell.source = f"{cell.metadata.nbgrader.grade_id}, answered"
    by_name = {grade_id(cell): cell.source for cell in rebuilt(cells).notebook.cells}
    for name in ("a-solution", "b-solution", "written"):
        assert by_name[name] == (f"{name} as released" if name in deleted else f"{name}, answered")


@given(changes)
@example([ChangeOf("stub_copied", 2, 0), ChangeOf("merged", 2, 0)])
@example([ChangeOf("stub_copied", 5, 0), ChangeOf("merged", 5, 0)])
@example([ChangeOf("stub_copied", 6, 0), ChangeOf("examples_deleted", 0, 0), ChangeOf("merged", 13, 0)])
@example(
    [*(ChangeOf(*c) for c in (("stub_copied", 3, 0), ("nameless", 2, 0), ("merged", 2, 0), ("stub_copied", 0, 0)))]
)
def test_right_answers_stay_right_whatever_is_done_to_their_cells(done):
    cells = copy.deepcopy(ANSWERED.cells)
    for change in done:
        change(cells)
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    result = rebuild(EXERCISES, parse(content, Limits()))
    nbformat.validate(result.notebook)
    assert len(result.repairs) <= 10
    found = {}
    for cell in result.notebook.cells:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade"):
            try:
                exec(cell.source, found)
            except Exception:  # noqa: BLE001 - as a kernel does
                assert "nbgrader" not in cell.metadata
    assert (found["area"](3), found["perimeter"](3)) == (9, 12)
    (written,) = (cell for cell in result.notebook.cells if grade_id(cell) == "why")
    assert written.source != "YOUR ANSWER HERE" or result.manual == ("why",)
