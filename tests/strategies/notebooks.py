"""Submitted notebooks of a small release: cells named, copied, retyped, relabelled and added."""

from __future__ import annotations

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
