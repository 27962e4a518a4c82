"""A written answer is read by a person wherever it stands, and its pictures are seen: it is never an automatic 0."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from changed_notebooks import DOT, ESSAY, WRITTEN, Change, Notebook
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.gradebook.feedback import annotate
from autograder.gradebook.page import FeedbackPage
from autograder.model.assignment import Limits
from autograder.model.report import Provenance, Report
from autograder.model.submission import SubmittedFile
from autograder.notebooks.document import parse
from autograder.notebooks.rebuild import rebuild

CONVOLUTION = Path(__file__).parents[2] / "assignments" / "convolution" / "convolution.ipynb"
PNG = base64.b64decode(DOT)


@pytest.fixture(scope="module")
def released():
    return nbformat.read(CONVOLUTION, as_version=4)


@pytest.fixture
def notebook(released):
    plain = json.loads(nbformat.writes(released, version=4, split_lines=False))
    return Notebook(plain["cells"], {c.metadata.nbgrader.grade_id: c.source for c in released.cells})


def rebuilt(released, notebook, files=()):
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": notebook.cells}).encode()
    made = rebuild(released, parse(content, Limits()), [SubmittedFile(*file) for file in files])
    nbformat.validate(made.notebook)
    return made


def answer(made):
    """The answer's cell as staff see it."""
    text_cells = [cell for cell in made.notebook.cells if cell.cell_type != "code"]
    shown = annotate(nbformat.v4.new_notebook(cells=text_cells), Report("ada", "c", "graded", (), Provenance(*"12345")))
    nbformat.validate(shown)
    return next(cell for cell in shown.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "written")


def pictures(*cells):
    """What pictures a page of these cells shows."""
    found = {"notebook": "c", "student": "ada", "score": 0.0, "max_score": 5.0, "late_penalty": 0.0}
    notebook = nbformat.v4.new_notebook(cells=[NotebookNode({**cell, "metadata": NotebookNode()}) for cell in cells])
    made = FeedbackPage().from_notebook_node(notebook, {"nbgrader": found, "inlining": {"css": []}})[0]
    return [(tag["src"], tag["alt"]) for tag in BeautifulSoup(made, "html.parser").select("img")]


@pytest.mark.parametrize("change", WRITTEN.values(), ids=WRITTEN)
def test_a_person_reads_it_wherever_it_stands(released, notebook, change: Change):
    change(notebook)
    made = rebuilt(released, notebook)
    cell = answer(made)
    assert determine_grade(cell) == (None, 5.0) or made.manual == ("written",)
    everything = "\n".join(each.source for each in made.notebook.cells)
    assert ESSAY in everything or pictures(cell) != []
    assert everything.count(ESSAY) <= 1


def test_what_stands_elsewhere_stays_there_and_staff_are_told(released, notebook):
    WRITTEN["in a new cell at the top"](notebook)
    made = rebuilt(released, notebook)
    assert made.notebook.cells[0].source == ESSAY
    assert made.manual == ("written",)
    assert made.warnings == (
        "`written`: no answer in the cell, but there are words elsewhere. Read it before it gets 0.",
    )


def test_an_empty_answer_is_an_automatic_zero(released, notebook):
    notebook.cells.append(notebook.new("x = correlate1d([1, 2], [1])\nprint(x)"))
    notebook.cells.insert(0, notebook.new("# Notes", "markdown"))
    notebook.cells.insert(0, notebook.new("  \n", "markdown"))
    made = rebuilt(released, notebook)
    assert determine_grade(answer(made)) == (0, 5.0)
    assert (made.manual, made.warnings, made.repairs) == ((), (), ())


def test_words_beside_a_given_answer_stay_where_they_are(released, notebook):
    notebook["written"]["source"] = "Because."
    notebook.after(notebook["written"], notebook.new(ESSAY, "markdown"))
    made = rebuilt(released, notebook)
    assert answer(made).source == "Because."
    assert ESSAY in [cell.source for cell in made.notebook.cells]
    assert (made.manual, made.repairs) == ((), ())


def test_a_template_is_kept_above_what_was_found(released, notebook):
    template = copy.deepcopy(released)
    (cell,) = (cell for cell in template.cells if cell.metadata.nbgrader.grade_id == "written")
    cell.source = notebook["written"]["source"] = "1. What?\n2. Why?"
    notebook.after(notebook["written"], notebook.new(ESSAY, "markdown"))
    assert answer(rebuilt(template, notebook)).source == f"1. What?\n2. Why?\n\n---\n\n{ESSAY}"


SHOWN = [(f"data:image/png;base64,{DOT}", "")]


@pytest.mark.parametrize(
    ("source", "attachments"),
    [
        ("![](attachment:a.png)", {"a.png": {"image/png": DOT}}),
        ("![](attachment:a.png)", {"a.png": {"image/png": [DOT[:20], DOT[20:]]}}),
        ("![](<attachment:a b.png>)", {"a b.png": {"image/jpeg": DOT}}),
        ("![](attachment:a%20b.png 'a title')", {"a b.png": {"image/png": DOT}}),
        ('<IMG width=3 SRC="attachment:a.png">', {"a.png": {"image/png": DOT}}),
        (f"![](data:image/png;base64,{DOT})", {}),
        (f"<img src=data:image/png;base64,{DOT}>", {}),
        ("![](photo.png)", {}),
        ("![](./photo.png)", {}),
        ("![](images\\photo.png)", {}),
        ("![](../convolution/photo.png)", {}),
        ("<img src='photo.png' style='width:9000px' onerror=alert(1)>", {}),
        ("![](my%20photo%20(1).png)", {}),
    ],
)
def test_pictures_are_shown(released, notebook, source, attachments):
    notebook["written"].update({"source": source, "attachments": attachments})
    made = rebuilt(released, notebook, [("photo.png", PNG), ("my photo (1).png", PNG), ("data.csv", b"1,2")])
    assert pictures(answer(made)) == SHOWN
    assert made.warnings == ()


def test_what_describes_a_picture_is_plain_text(released, notebook):
    notebook["written"]["source"] = '![my "><script> drawing](photo.png)'
    shown = answer(rebuilt(released, notebook, [("photo.png", PNG)]))
    assert pictures(shown) == [(SHOWN[0][0], "my    script  drawing")]


def test_pictures_of_other_text_cells_are_shown(released, notebook):
    cell = notebook.new("![](attachment:a.png)", "markdown")
    notebook.cells.insert(0, cell | {"attachments": {"a.png": {"image/png": DOT}}})
    made = rebuilt(released, notebook)
    assert made.notebook.cells[0].attachments == {"picture-1.png": {"image/png": DOT}}


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\x89PNG\r\n\x1a\n",
        PNG[:16] + (100_000).to_bytes(4, "big") * 2 + PNG[24:],
        b"GIF89a" + b"\xff\xff\xff\xff\x00\x00\x00" + b"\x3b",
        b"\xff\xd8\xff\xe0" + b"\x00\x02\xff" * 1000,
        b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\xff" * 14,
        b"BM" + b"\x00" * 60,
        b"",
    ],
    ids=["svg", "cut", "huge png", "huge gif", "endless jpeg", "huge webp", "bmp", "empty"],
)
@pytest.mark.parametrize("how", ["attachment", "data", "file"])
def test_what_is_no_picture_of_a_bearable_size_is_never_shown(released, notebook, content, how):
    encoded = base64.b64encode(content).decode()
    address = {"attachment": "attachment:x.png", "data": f"data:image/png;base64,{encoded}", "file": "x.png"}[how]
    notebook["written"].update({"source": f"Look: ![]({address})", "attachments": {"x.png": {"image/png": encoded}}})
    shown = answer(rebuilt(released, notebook, [("x.png", content)]))
    assert pictures(shown) == []
    assert "attachments" not in shown
    assert shown.source.startswith("Look: ")
    assert encoded[:20] not in shown.source or len(encoded) < 20


def test_a_picture_that_nothing_shows_is_shown_in_an_empty_answer(released, notebook):
    made = rebuilt(released, notebook, [("scans/page 1.png", PNG), ("data.csv", b"1,2")])
    assert pictures(answer(made)) == [(SHOWN[0][0], "page 1.png")]
    assert determine_grade(answer(made)) == (None, 5.0)
    assert made.manual == ("written",)


def test_a_document_beside_an_empty_answer_is_for_a_person(released, notebook):
    made = rebuilt(released, notebook, [("answer.pdf", b"%PDF-1.7")])
    assert made.manual == ("written",)
    assert "answer.pdf" in made.warnings[0]


def test_there_is_room_for_so_many_pictures_only(released, notebook):
    large = PNG + bytes(6 * 2**20)
    names = [f"{number}.png" for number in range(6)]
    notebook["written"]["source"] = "\n\n".join(f"![]({name})" for name in names)
    made = rebuilt(released, notebook, [(name, large) for name in names])
    assert len(pictures(answer(made))) == 3
    assert made.warnings == (
        "3 pictures are too large to be shown, or no PNG, JPEG, GIF or WebP: look at what was handed in.",
    )
