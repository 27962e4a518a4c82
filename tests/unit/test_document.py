"""An untrusted notebook is read into plain cells, or refused with one line that says what to do."""

import json
import os

import nbformat
import pytest

from autograder.errors import UsageError
from autograder.model.assignment import Limits
from autograder.notebooks.document import (
    MAX_CELLS,
    MAX_LINES,
    UnreadableNotebook,
    cells_by_grade_id,
    grade_id,
    parse,
    read,
)

LIMITS = Limits()


def notebook(*cells, **others):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **others}).encode()


def code(source="x = 1", **others):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        **others,
    }


def test_keeps_types_sources_ids_and_nbgrader_flags():
    flags = {
        "grade": False,
        "grade_id": "conv2d-solution",
        "solution": True,
        "locked": False,
        "checksum": "c",
    }
    parsed = parse(
        notebook(
            code(["a = 1\n", "b = 2"], id="first", metadata={"nbgrader": flags, "tags": ["x"], "name": "y"}),
            {"cell_type": "markdown", "source": "text", "metadata": {}, "attachments": {"a.png": {}}},
        ),
        LIMITS,
    )
    assert parsed.cells == [
        {
            "cell_type": "code",
            "id": "first",
            "metadata": {
                "nbgrader": {"grade": False, "grade_id": "conv2d-solution", "solution": True, "locked": False}
            },
            "source": "a = 1\nb = 2",
            "outputs": [],
            "execution_count": None,
        },
        {"cell_type": "markdown", "id": "cell-2", "metadata": {}, "source": "text"},
    ]
    nbformat.validate(parsed)


def test_drops_outputs_without_looking_at_them():
    content = notebook(code(outputs=[{"output_type": 3, "data": "\ud800"}, "nonsense"]), metadata={"widgets": {}})
    assert parse(content, LIMITS).cells[0].outputs == []
    assert parse(content, LIMITS).metadata == {}


def test_gives_every_cell_its_own_id():
    cells = parse(notebook(code(id="a"), code(id="a"), code(id="b c"), code(id="cell-3"), code(id=7)), LIMITS).cells
    assert len({cell.id for cell in cells}) == 5
    assert cells[0].id == "a"
    assert all(len(cell.id) <= 64 for cell in parse(notebook(*[code(id="a" * 64)] * 3), LIMITS).cells)


def test_upgrades_format_3():
    content = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Title"]},
                    {"cell_type": "code", "input": ["x = 1"], "language": "python", "outputs": []},
                ]
            }
        ],
    }
    heading, cell = parse(json.dumps(content).encode(), LIMITS).cells
    assert (heading.cell_type, heading.source) == ("markdown", "## Title")
    assert (cell.cell_type, cell.source) == ("code", "x = 1")


def test_accepts_a_byte_order_mark():
    assert len(parse(b"\xef\xbb\xbf" + notebook(code()), LIMITS).cells) == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b" \n\t", "an empty file"),
        (b"print('hello')", "a mistake at line 1, column 1"),
        (notebook(code())[:-3], "the beginning of a notebook, cut off in its middle"),
        (
            notebook(code("x = 'H\u00e9'")).decode("unicode_escape").encode("latin-1"),
            "another encoding, at byte",
        ),
        (notebook(code()).decode().encode("utf-16"), "another encoding, at byte 0"),
        (b"[]", "a JSON list"),
        (b"null", "a JSON null"),
        (b"3.5", "a JSON number"),
        (b"{}", "no notebook format"),
        (b'{"nbformat": 2, "cells": []}', "format 2"),
        (b'{"nbformat": 5, "cells": []}', "format 5"),
        (b'{"nbformat": [4], "cells": []}', "no notebook format"),
        (b'{"nbformat": 4}', "none"),
        (b'{"nbformat": 4, "cells": {}}', "none"),
        (b'{"nbformat": 3, "worksheets": [7]}', "none"),
        (notebook("cell"), "a JSON string"),
        (notebook({"source": ""}), "another type"),
        (notebook({"cell_type": [], "source": ""}), "another type"),
        (notebook({"cell_type": "widget", "source": ""}), "another type"),
        (notebook({"cell_type": "code"}), "a JSON null"),
        (notebook(code(source={"a": 1})), "a JSON object"),
        (notebook(code(source=["a", 1])), "a JSON list"),
        (notebook(code(source="x = '\ud800'")), "half of a surrogate pair"),
        (notebook(*[code()] * (MAX_CELLS + 1)), "found more"),
        (notebook(code("a\n" * (MAX_LINES + 1))), "lines of code, found more"),
        (notebook(*[code("a;" * (MAX_LINES // 2 + 1))] * 2), "lines of code, found more"),
        (notebook(code("%x\n" * (MAX_LINES + 1))), "lines of code, found more"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"cells":' * 100_000, "nested too deep"),
        (b'{"nbformat": ' + b"4" * 10_000 + b"}", "endless numbers"),
    ],
)
def test_refuses_in_one_line_that_says_what_was_found(content, found):
    with pytest.raises(UnreadableNotebook) as caught:
        parse(content, LIMITS)
    assert caught.value.cause == "type"
    assert found in caught.value.message
    assert "expected" in caught.value.message
    assert caught.value.message.endswith("hand it in again.")
    assert "\n" not in caught.value.message


def test_refuses_a_large_notebook_before_parsing_it():
    with pytest.raises(UnreadableNotebook, match=r"at most 0\.5 MiB"):
        parse(b"[" * (2**19 + 1), Limits(notebook_bytes=2**19))


def test_hostile_depth_in_fields_that_grading_ignores_does_no_harm():
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    content = notebook(code()).replace(b'"metadata": {}', b'"metadata": {"nbgrader": ' + deep + b"}")
    assert parse(content, LIMITS).cells[0].metadata == {"nbgrader": {}}


def test_cells_by_grade_id_lists_copies_and_leaves_plain_cells_out():
    flags = {"grade": True, "solution": False, "locked": True, "grade_id": "a"}
    plain = {"grade": False, "solution": False, "locked": False, "grade_id": "b"}
    parsed = parse(
        notebook(
            code("1", metadata={"nbgrader": flags}),
            code("2", metadata={"nbgrader": plain}),
            code("3", metadata={"nbgrader": flags}),
            code("4", metadata={"nbgrader": "nonsense"}),
        ),
        LIMITS,
    )
    assert {name: [c.source for c in cells] for name, cells in cells_by_grade_id(parsed).items()} == {"a": ["1", "3"]}
    assert [grade_id(cell) for cell in parsed.cells] == ["a", None, "a", None]


class TestRead:
    def test_returns_the_bytes(self, tmp_path):
        (tmp_path / "a.ipynb").write_bytes(b"content")
        assert read(tmp_path / "a.ipynb", LIMITS) == b"content"

    def test_a_missing_file_is_the_students_failure(self, tmp_path):
        with pytest.raises(UnreadableNotebook, match=r"nothing to grade: .* a\.ipynb, found no notebook at all"):
            read(tmp_path / "a.ipynb", LIMITS)

    def test_a_notebook_of_another_name_is_named(self, tmp_path):
        (tmp_path / "my a.ipynb").write_bytes(b"content")
        with pytest.raises(UnreadableNotebook, match=r"found only my a\.ipynb\. Name it so"):
            read(tmp_path / "a.ipynb", LIMITS)

    def test_never_follows_a_link(self, tmp_path):
        (tmp_path / "a.ipynb").symlink_to("/etc/passwd")
        with pytest.raises(UnreadableNotebook, match="a link"):
            read(tmp_path / "a.ipynb", LIMITS)

    def test_refuses_folders_and_pipes(self, tmp_path):
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        for name in ("folder", "pipe"):
            with pytest.raises(UnreadableNotebook, match="special file"):
                read(tmp_path / name, LIMITS)

    def test_stops_at_the_size_cap(self, tmp_path):
        with (tmp_path / "a.ipynb").open("wb") as file:
            file.truncate(10 * 2**30)  # sparse: takes no room, and must not be read into memory
        with pytest.raises(UnreadableNotebook, match="at most 20 MiB"):
            read(tmp_path / "a.ipynb", LIMITS)

    def test_a_file_that_may_not_be_read_is_the_operators_to_mend(self, tmp_path, monkeypatch):
        def refuse(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(UsageError, match="may not be read"):
            read(tmp_path / "a.ipynb", LIMITS)


@pytest.mark.parametrize(
    "source",
    ['data = """\n' + "1;2;3\n" * 3 * MAX_LINES + '"""', "# 1\n\n" * 2 * MAX_LINES, "x = [\n" + "1,\n" * 9000 + "]"],
)
def test_data_of_many_lines_is_no_code_of_many_lines(source):
    assert parse(notebook(code(source)), Limits()).cells[0].source == source
