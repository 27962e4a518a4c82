"""The feedback page is one file: nothing is loaded, nothing runs, and each formula of ours can be read in it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode, v4

from autograder.gradebook import formulas
from autograder.gradebook.page import FeedbackPage

RELEASED = sorted((Path(__file__).parents[2] / "assignments").glob("*/*.ipynb"))


def page(*cells, title="", student="ada"):
    found = {
        "notebook": "circle",
        "assignment": "round_things",
        "student": student,
        "score": 4.0,
        "max_score": 5.0,
        "late_penalty": 0.0,
    }
    notebook = v4.new_notebook(cells=list(cells), metadata={"title": title})
    resources = {"nbgrader": found, "inlining": {"css": []}}
    return BeautifulSoup(FeedbackPage().from_notebook_node(notebook, resources)[0], "html.parser")


def text_cell(source, *, locked):
    made = v4.new_markdown_cell(source)
    made.metadata.nbgrader = NotebookNode(
        grade_id="t", grade=False, solution=not locked, locked=locked, task=False, schema_version=3
    )
    return made


@pytest.mark.parametrize("title", ["Round <things>", ""])
def test_its_heading_is_what_the_assignment_is_called(title):
    made = page(v4.new_code_cell("1"), title=title)
    assert [made.find(tag).get_text() for tag in ("title", "h1")] == [title or "circle"] * 2


@pytest.mark.parametrize("student", ["ada", "O'Brien & <b>Zoë</b>"])
def test_it_says_whose_it_is_and_of_which_assignment(student):
    made = page(v4.new_code_cell("1"), student=student)
    assert made.select_one(".summary .whose").get_text() == f"{student}, assignment round_things"


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_every_formula_of_a_released_notebook_is_drawn(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    made = page(*(text_cell(cell.source, locked=True) for cell in cells))
    assert len(made.select("img.formula")) > 5
    left = [code.get_text() for code in made.select("code") if re.search(r"\\[a-z]+[ {(]|[_^]\{", code.get_text())]
    assert left == []
    assert "$" not in re.sub(r"\$\d", "", " ".join(tag.get_text() for tag in made.select("p")))


def test_a_formula_has_its_tex_for_those_who_cannot_see_it():
    (image,) = page(text_cell("where $a < b^2$ holds", locked=True)).select("img.formula")
    assert image["alt"] == "a < b^2"
    assert image["src"].startswith("data:image/svg+xml;base64,")


def test_a_formula_that_cannot_be_drawn_is_shown_as_it_was_written():
    assert formulas.formula_html(r"\begin{cases} a < b", display=False) == r"<code>\begin{cases} a &lt; b</code>"


def test_a_students_formulas_are_not_drawn():
    made = page(text_cell(r"$\hspace{1e9}$", locked=False))
    assert made.select("img") == []
    assert r"$\hspace{1e9}$" in made.get_text()


def test_it_loads_nothing_and_runs_nothing():
    made = page(text_cell("[a link](https://arxiv.org/) and $x$", locked=True), v4.new_code_cell("print(1)"))
    assert made.select("script, link, iframe") == []
    loaded = [tag["src"] for tag in made.select("[src]")]
    assert [source for source in loaded if not source.startswith("data:image/")] == []
    policy = made.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "url(" not in "".join(style.get_text() for style in made.select("style"))
