"""What is a notebook in another form is read as one; what is none is told what it seems to be."""

import io
import json
import zipfile

import nbformat
import pytest
from handed_in import handed_in
from nbconvert.exporters import HTMLExporter, PythonExporter

from autograder.model.assignment import Limits
from autograder.notebooks.document import UnreadableNotebook, cells_by_grade_id, parse
from autograder.notebooks.recognise import recognised
from autograder.notebooks.recover import recovered

NOTEBOOK = handed_in(added=["# caf\u00e9"])
TEXT = nbformat.writes(NOTEBOOK)


CONFLICT = '<<<<<<< HEAD\n "cells": 1,\n=======\n>>>>>>> main\n "cells"'


def names(content):
    return list(cells_by_grade_id(parse(content, Limits())))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_other_encodings_are_read_and_told(encoding):
    found = recovered(TEXT.replace("\\u00e9", "\u00e9").encode(encoding))
    assert len(found.repairs) == 1
    assert names(found.content) == names(TEXT.encode())
    assert "caf\u00e9" in parse(found.content, Limits()).cells[1].source
    assert bool(found.warnings) == (encoding == "latin-1")


def test_what_is_a_notebook_already_is_left_as_it_is():
    for content in (
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"",
        b"%PDF-1.7",
        b"\x00\x00",
        b"import os\n",
        b'"text"',
    ):
        assert recovered(content) == recovered(content).__class__(content)


def test_a_reply_of_jupyters_server_and_a_string_hold_a_notebook():
    model = json.dumps({"name": "a.ipynb", "path": "a.ipynb", "content": json.loads(TEXT), "format": "json"})
    for content in (model, json.dumps(TEXT)):
        found = recovered(content.encode())
        assert names(found.content) == names(TEXT.encode())
        assert len(found.repairs) == 1


def test_an_exported_script_is_a_notebook_again():
    notebook = handed_in()
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# Title\n\nText"))
    notebook.cells.append(nbformat.v4.new_markdown_cell("An answer"))
    script, _ = PythonExporter().from_notebook_node(notebook)
    found = recovered(script.encode())
    cells = parse(found.content, Limits()).cells
    assert [cell.source for cell in cells if cell.cell_type == "code"] == [
        cell.source for cell in notebook.cells if cell.cell_type == "code"
    ]
    assert cells[-1].source == "An answer"
    assert "script" in found.repairs[0]
    assert "names of its cells are lost" in found.warnings[0]


def test_a_script_in_the_percent_format_keeps_the_names_of_its_cells():
    import jupytext

    script = jupytext.writes(handed_in(), fmt="py:percent")
    found = recovered(script.encode())
    assert names(found.content) == names(TEXT.encode())
    assert "lost" not in found.warnings[0]


@pytest.mark.parametrize("content", [b"# %%\n" * 5000, b"# In[1]:\nx\n" * 9000, b"# %% x\n" + b"#" * 10**7])
def test_hostile_scripts_are_no_notebooks(content):
    with pytest.raises(UnreadableNotebook, match="expected"):
        parse(recovered(content).content, Limits())


def test_metadata_of_any_depth_is_no_metadata():
    deep = b"# %% nbgrader={" + b'"a":{' * 50_000 + b"}\nx = 1\n# %%\n"
    assert [cell.source for cell in parse(recovered(deep).content, Limits()).cells] == ["x = 1", ""]


def packed(**files):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7\n...", "a PDF document"),
        (packed(word__document="x"), "a document of Word"),
        (packed(xl__workbook="x"), "a table of Excel"),
        (packed(anything="x"), "an archive (zip)"),
        (packed(anything="x")[:40], "a damaged archive (zip)"),
        (b"PK\x03\x04" + b"PK\x01\x02" * 5000, "very many files"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of Word, Excel or PowerPoint"),
        (b"\x1f\x8b\x08", "an archive (gzip)"),
        (b"\x89PNG\r\n", "a picture"),
        (b"<!DOCTYPE html><html><form><input type='password'></form></html>", "a login page"),
        (b"\n<html><body>Sign in to continue", "a login page"),
        (b"<html><body>Not found", "a web page (HTML)"),
        (HTMLExporter().from_notebook_node(handed_in())[0].encode(), "a notebook was exported to (HTML)"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        (b"[InternetShortcut]\nURL=x", "a link to a web page"),
        (b'{"url": "https://drive.google.com/open?id=1", "doc_id": "1"}', "a link to Google Drive"),
        (b"import numpy as np\n\ndef f(x):\n    return x\n", "a Python script"),
        (TEXT.replace(' "cells"', CONFLICT).encode(), "a Git merge conflict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_notebook_is_the_first_thing_told(content, told):
    with pytest.raises(UnreadableNotebook) as caught:
        parse(content, Limits())
    assert caught.value.message.startswith("What you handed in is a")
    assert told in caught.value.message
    assert caught.value.message.endswith("hand it in again.")


@pytest.mark.parametrize("start", [0.3, 0.9])
def test_a_notebook_that_was_cut_off(start):
    with pytest.raises(UnreadableNotebook, match="the beginning of a notebook, cut off"):
        parse(TEXT[: int(len(TEXT) * start)].rstrip(" }\n").encode(), Limits())


def test_a_notebook_is_nothing_else():
    marks = handed_in(double="a = '''\n<<<<<<< HEAD\n=======\n>>>>>>> main\n'''")
    assert recognised(nbformat.writes(marks).encode()) == ""
    assert recognised(TEXT.encode()) == ""
