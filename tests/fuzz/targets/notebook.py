"""A file that was handed in: refused in one line, or rebuilt into the release with nothing but answers in it."""

from __future__ import annotations

import base64
import copy
import json
import re
from functools import cache
from pathlib import Path

import nbformat
from hypothesis import strategies as st
from nbformat import NotebookNode
from strategies.notebooks import NAMES, RELEASED, added_cells, named_cells

from autograder.gradebook import sanitise
from autograder.grading.cells import forbidden
from autograder.model.assignment import Limits
from autograder.model.submission import SubmittedFile
from autograder.notebooks.document import MAX_CODE, UnreadableNotebook, grade_id, parse
from autograder.notebooks.pictures import NOT_SHOWN
from autograder.notebooks.rebuild import rebuild
from autograder.notebooks.repairs import MOST_LINES

SECONDS = 30
"""As many characters of code as are allowed take their time to parse."""
LIMITS = Limits()
PICTURE = re.compile(r"picture-\d+\.(png|jpeg|gif|webp)")
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
FILES = [SubmittedFile("photo.gif", GIF), SubmittedFile("a.txt", b"words")]
FORBIDDEN = ("numpy.convolve", "scipy", "torch")
PLAIN = {
    "look": NotebookNode(cell_type="code", id="look", metadata=NotebookNode(), source="look()", outputs=[]),
    "note": NotebookNode(cell_type="markdown", id="note", metadata=NotebookNode(), source="a note"),
}
"""Released cells that nbgrader does not handle, which are the student's to edit."""
STUBS = {
    "a-solution": "def a():\n    raise NotImplementedError()",
    "b-solution": "def b():\n    raise NotImplementedError()",
}
SMALL = NotebookNode(RELEASED, cells=[PLAIN["look"], *copy.deepcopy(RELEASED.cells), PLAIN["note"]])
for _cell in SMALL.cells:
    _cell.source = STUBS.get(_cell.id, _cell.source)
LARGE = Path(__file__).parents[3] / "assignments" / "convolution" / "convolution.ipynb"
WORDS = [
    *(f'"{word}"'.encode() for word in (*NAMES, *PLAIN, "code", "markdown", "raw", "heading", "cell-3", "convolve2d")),
    *(b'"cells":[', b'"worksheets":[{"cells":[', b'"nbformat":4', b'"nbformat":3', b'"level":', b'"input":'),
    *(b'"source":', b'"id":', b'"metadata":{"nbgrader":{"solution":true,"grade_id":', b'{"cell_type":"code",'),
]


@cache
def large() -> NotebookNode:
    """A real assignment, as it was released."""
    return nbformat.read(LARGE, as_version=4)


def check(data: bytes) -> bool:
    try:
        submitted = parse(data, LIMITS)
    except UnreadableNotebook as refusal:
        assert refusal.cause == "type"
        assert "expected" in refusal.message
        assert "\n" not in refusal.message
        return True
    released = large() if b"convolve2d" in data else SMALL
    rebuilt = rebuild(released, submitted, FILES)
    notebook = rebuilt.notebook
    nbformat.validate(notebook)
    told = [*rebuilt.repairs, *rebuilt.warnings]
    json.dumps([notebook, told], ensure_ascii=False, allow_nan=False).encode()
    assert all("\n" not in line for line in told)
    handed_in = [cell.source for cell in submitted.cells]
    ids = [cell.id for cell in released.cells]
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert [cell.id for cell in notebook.cells if cell.id in ids] == ids
    originals = dict(zip(ids, released.cells, strict=True))
    assert len(rebuilt.repairs) <= MOST_LINES
    assert {*rebuilt.manual} <= {*map(grade_id, released.cells)}
    lines = {line.strip() for source in handed_in for line in source.splitlines()} | {"---", ""}
    everything = "\n".join(handed_in)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.keys() <= {"cell_type", "id", "metadata", "source", "outputs", "execution_count", "attachments"}
        assert all(PICTURE.fullmatch(name) for name in cell.get("attachments", ()))
        original = originals.get(cell.id)
        if original is None:
            assert cell.metadata == {}
        else:
            assert (cell.cell_type, cell.metadata) == (original.cell_type, original.metadata)
            if original.metadata.get("nbgrader", {}).get("locked"):
                assert cell.source == original.source
        own = lines | {line.strip() for line in original.source.splitlines()} if original else lines
        assert all(is_the_students(line.strip(), own, everything) for line in cell.source.splitlines())
    assert code(notebook) <= code(released) + MAX_CODE + 4 * len(submitted.cells)
    annotate_texts(notebook)
    for name, failure in forbidden(notebook, FORBIDDEN).items():
        assert name in map(grade_id, released.cells)
        assert failure.cause == "forbidden"
    return True


def is_the_students(line: str, lines: set[str], everything: str) -> bool:
    """Whether a line was handed in: as it is, as a comment, without its mark, or with a picture in it."""
    return line in lines or "![" in line or NOT_SHOWN in line or line.removeprefix("# ") in everything


def annotate_texts(notebook: NotebookNode) -> None:
    """Pages are made of what was rebuilt: each picture that a text shows is there."""
    gallery = sanitise.Gallery()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            pictures = sanitise.attachments(cell, gallery)
            text = sanitise.markdown(cell.source, pictures)
            assert {*re.findall(r"!\[[^\]]*\]\(attachment:([^)]*)\)", text)} <= pictures.keys()


def code(notebook: NotebookNode) -> int:
    return sum(len(cell.source) for cell in notebook.cells if cell.cell_type == "code")


stems = st.builds(
    lambda letter, length: letter * length, st.sampled_from("ab"), st.sampled_from([1, 2, 49, 50, 51, 64])
)
ids = st.one_of(
    st.builds(lambda stem, number: f"{stem}-{number}" if number else stem, stems, st.integers(0, 9)),
    st.sampled_from([*NAMES, *PLAIN, "cell-1", "cell-2", "added-1", "added-2", "", None, 7, "a b"]),
)
pasted = base64.b64encode(GIF).decode()
tokens = st.lists(
    st.sampled_from(
        [
            *("def a():", "    return 1", "def b(): pass", "a-solution as released", "b as released", "x = 1", "# a"),
            *("```python", "```", "%%time", "from __future__ import x", "class a:", "@b", "    def b(self):", "words"),
            *("![](photo.gif)", "![x](attachment:p)", "<img src=attachment:p>", f"![](data:image/gif;base64,{pasted})"),
            *("![](attachment:picture-1.gif)", "<img src='photo.gif", "![](", "[x]: attachment:p", "\x0c", "\u2028"),
        ]
    ),
    max_size=8,
).map("\n".join)
texts = st.one_of(
    tokens,
    st.text(max_size=12),
    st.just("x = '\ud800'"),
    st.lists(st.text(max_size=4), max_size=3),
    st.integers(),
    st.none(),
)
long_texts = st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(["x = 1\n", "y", "import scipy\n"]),
    st.sampled_from([1, 1000, 30_000, 90_000, 260_000]),
)
raw_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw", "heading", "html", "x", 1]), "source": texts},
    optional={
        "id": ids,
        "level": st.one_of(st.integers(-1, 8), texts),
        "input": texts,
        "outputs": texts,
        "attachments": st.one_of(
            texts, st.dictionaries(st.sampled_from(["p", "picture-1.gif"]), st.just({"image/gif": pasted}))
        ),
        "metadata": st.one_of(texts, st.dictionaries(st.sampled_from(["nbgrader", "name"]), texts, max_size=2)),
    },
)
small_cells = st.one_of(
    named_cells,
    added_cells,
    st.builds(lambda cell, given: {**cell, "id": given}, st.one_of(named_cells, added_cells), ids),
    raw_cells,
)
twins = st.builds(
    lambda stem, numbers: [
        {"cell_type": "raw", "source": "", "id": f"{stem}-{number}" if number else stem} for number in numbers
    ],
    stems,
    st.lists(st.integers(0, 6), min_size=3, max_size=6),
)
"""Cells whose ids are each other's, and what is made of those that are there twice."""
large_cells = st.builds(lambda cell, text: {**cell, "source": text}, named_cells, st.one_of(texts, long_texts))
retyped = st.builds(
    lambda name, kind, text: {
        "cell_type": kind,
        "source": text,
        "id": name,
        "metadata": {"nbgrader": {"grade_id": name}},
    },
    st.sampled_from([*NAMES, *PLAIN]),
    st.sampled_from(["markdown", "raw"]),
    st.builds(lambda unit, times: unit * times, st.sampled_from(["x = 1\n", "import scipy\n"]), st.integers(0, 90_000)),
)
any_cells = st.one_of(*[small_cells] * 12, large_cells, retyped)


def document(cells: list[object], version: object, fields: dict[str, object], old: bool) -> dict[str, object]:
    holder = {"worksheets": [{"cells": cells}, {"cells": []}]} if old else {"cells": cells}
    return {"nbformat": 3 if old else version, **holder, **fields}


documents = st.builds(
    document,
    st.one_of(
        st.lists(any_cells, max_size=12),
        twins,
        st.builds(lambda cell, n: [cell] * n, small_cells, st.integers(12, 2100)),
    ),
    st.sampled_from([4] * 8 + [4.0, "4", 5, None]),
    st.dictionaries(st.sampled_from(["metadata", "nbformat_minor", "cells", "x"]), texts, max_size=1),
    st.sampled_from([False] * 5 + [True]),
)
cases = st.builds(
    lambda document, ascii_only, encoding: json.dumps(document, ensure_ascii=ascii_only).encode(encoding, "replace"),
    documents,
    st.booleans(),
    st.sampled_from(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "latin-1"]),
)
