"""No permutation, deletion, copying, retyping or relabelling of cells changes what is graded."""

import copy
import json

import nbformat
from hypothesis import given
from hypothesis import strategies as st
from strategies.notebooks import NAMES, RELEASED, submissions

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
def test_every_answer_is_one_that_was_handed_in_or_the_stub(cells):
    handed_in = {
        name: [c["source"] for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name]
        for name in NAMES
    }
    for cell in rebuilt(cells).notebook.cells:
        name = grade_id(cell)
        if name and cell.metadata.nbgrader.solution:
            stub = f"{name} as released"
            answers = [source for source in handed_in[name] if source.rstrip() != stub]
            assert cell.source in (answers or [*handed_in[name], stub])


@given(submissions)
def test_added_cells_are_all_kept_in_their_order_within_a_place(cells):
    added = [cell.source for cell in rebuilt(cells).notebook.cells if cell.source.startswith("added ")]
    assert sorted(added) == sorted(c["source"] for c in cells if c["source"].startswith("added "))


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
