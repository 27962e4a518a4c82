"""Whatever was done to a notebook, its answers end up in the released one, and repairs are told."""

import copy
import json

import nbformat
import pytest
from nbformat import v4

from autograder.model.assignment import Limits
from autograder.notebooks.document import MAX_CODE, parse
from autograder.notebooks.rebuild import rebuild

STUB = "def conv2d(x, w):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
ANSWER = "def conv2d(x, w):\n    return x * w"


def cell(source, name=None, kind="code", *, grade=False, solution=False, locked=False, points=None):
    made = (v4.new_code_cell if kind == "code" else v4.new_markdown_cell)(source)
    if name:
        flags = {
            "grade_id": name,
            "grade": grade,
            "solution": solution,
            "locked": locked,
            "schema_version": 3,
        }
        flags |= {"points": points} if points is not None else {}
        made.metadata.update(nbgrader=flags, deletable=False)
        made.id = name
    return made


@pytest.fixture
def released():
    notebook = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [
        cell("# Convolution", kind="markdown"),
        cell("import numpy as np", "imports", locked=True),
        cell(STUB, "conv2d-solution", solution=True),
        cell("assert conv2d(1, 2) == 2", "conv2d", grade=True, locked=True, points=12),
        cell("YOUR ANSWER HERE", "written", "markdown", grade=True, solution=True, points=5),
    ]
    notebook.cells[0].id = "title"
    return notebook


@pytest.fixture
def submitted(released):
    """An honest submission: both answers given, nothing else touched."""
    notebook = copy.deepcopy(released)
    notebook.cells[2].source = ANSWER
    notebook.cells[4].source = "Weights are shared."
    return notebook


def rebuilt(released, submitted):
    result = rebuild(released, parse(json.dumps(submitted).encode(), Limits()))
    nbformat.validate(result.notebook)
    return result


def sources(result):
    return [cell.source for cell in result.notebook.cells]


def test_an_honest_submission_needs_no_repair(released, submitted):
    result = rebuilt(released, submitted)
    assert sources(result) == [c.source for c in submitted.cells]
    assert [c.metadata for c in result.notebook.cells] == [c.metadata for c in released.cells]
    assert result.notebook.metadata == released.metadata
    assert result.repairs == ()


def test_neither_notebook_is_changed(released, submitted):
    parsed = parse(json.dumps(submitted).encode(), Limits())
    before = copy.deepcopy((released, parsed))
    result = rebuild(released, parsed)
    result.notebook.cells[3].metadata.nbgrader.points = 0
    result.notebook.metadata.kernelspec.name = "bash"
    assert (released, parsed) == before


def test_a_deleted_answer_is_the_released_stub(released, submitted):
    del submitted.cells[2]
    result = rebuilt(released, submitted)
    assert result.notebook.cells[2].source == STUB
    assert result.repairs == ("`conv2d-solution` was missing: it was put back as it was released.",)


def test_an_empty_notebook_is_the_released_one(released):
    result = rebuilt(released, v4.new_notebook())
    assert sources(result) == [c.source for c in released.cells]
    assert result.repairs == (
        "No cell of this assignment is in the notebook: it is another's, or its cells have lost their names.",
    )


def test_of_copies_all_that_differ_run_and_the_last_counts(released, submitted):
    stub, second, third = (copy.deepcopy(submitted.cells[2]) for _ in range(3))
    stub.source = STUB + "  \n"  # an editor's trailing blanks are no answer
    second.source = "def conv2d(x, w):\n    return 0"
    third.source += "\n"
    submitted.cells[2:3] = [second, submitted.cells[2], third, stub]
    result = rebuilt(released, submitted)
    assert sources(result)[2:4] == [second.source, third.source]
    assert [cell.metadata for cell in result.notebook.cells[2:4]] == [{}, released.cells[2].metadata]
    assert result.repairs == (
        "Answers in several cells: `conv2d-solution` (2). All were run in their order: what is defined last counts.",
    )


def test_parts_of_an_answer_become_one_cell(released, submitted):
    second = copy.deepcopy(submitted.cells[2])
    submitted.cells[2].source = "import math\n\ndef half(x):\n    return x / 2"
    submitted.cells[2:3] = [submitted.cells[2], cell("half(1)"), second]
    result = rebuilt(released, submitted)
    assert sources(result)[2:4] == [f"import math\n\ndef half(x):\n    return x / 2\n\n\n{ANSWER}", "half(1)"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import numpy_of_mine\ndef half(x): ...", ANSWER),
        ("half(1)", ANSWER),
        ("def half(x): ...", f"%%time\n{ANSWER}"),
        (f"%%time\n{ANSWER}", "def half(x): ..."),
        ("def half(x): ...", f"from __future__ import annotations\n{ANSWER}"),
        ("def half(x:", ANSWER),
        ("def conv2d(x, w):\n    return x\n", f"def half(x): ...\n{ANSWER}"),
        ("@cache\ndef half(x): ...", ANSWER),
    ],
)
def test_parts_stay_apart_where_one_cell_would_not_be_the_same(released, submitted, first, second):
    more = copy.deepcopy(submitted.cells[2])
    submitted.cells[2].source, more.source = first, second
    submitted.cells.insert(3, more)
    result = rebuilt(released, submitted)
    assert sources(result)[2:4] == [first, second]
    (answer,) = (cell for cell in result.notebook.cells if cell.id == "conv2d-solution")
    assert "def conv2d" in answer.source


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("def conv2d(x, w):\n    y = x", "    return y * w", True),
        ("def conv2d(x, w):", "    return x * w", True),
        ("class conv2d:\n    def f(self):\n        return 1", "    def g(self):\n        return 2", True),
        ("conv2d = [", "]", True),
        ("def half(x):\n    return x", "    def conv2d(x, w):\n        return x * w", False),
        ("def half(x:", "    return y +", False),
    ],
)
def test_a_definition_that_was_split_is_whole_again(released, submitted, first, second, joined):
    more = copy.deepcopy(submitted.cells[2])
    submitted.cells[2].source, more.source = first, second
    submitted.cells.insert(3, more)
    assert (f"{first}\n{second}" in sources(rebuilt(released, submitted))) == joined


def test_where_an_answer_needs_released_cells_further_down_a_person_confirms_its_score(released, submitted):
    released.cells.insert(4, cell("SIDE = 3", "numbers", locked=True))
    submitted = copy.deepcopy(released)
    submitted.cells.insert(5, cell("def conv2d(x, w, side=SIDE):\n    return x * w"))
    result = rebuilt(released, submitted)
    assert sources(result) == [c.source for c in submitted.cells]
    assert result.manual == ("conv2d",)
    assert "`conv2d-solution`: the answer stands further down" in result.warnings[0]


def test_a_stub_without_a_name_is_answered_by_what_its_graded_cell_uses(released, submitted):
    for notebook in (released, submitted):
        notebook.cells[2].source = "# Set area.\nraise NotImplementedError()"
        notebook.cells[3].source = "assert isinstance(area, float)"
    submitted.cells.append(cell("import math\narea = math.pi"))
    assert sources(rebuilt(released, submitted))[2] == "import math\narea = math.pi"


def test_what_undoes_a_locked_cell_is_not_kept(released, submitted):
    released.cells[1].source = "import numpy as np\nSIDE = 3"
    submitted.cells[1].source = "import numpy as np, math\nSIDE = 4\nEDGE = 2\nprint(SIDE)\n"
    result = rebuilt(released, submitted)
    assert sources(result)[1:3] == ["import numpy as np\nSIDE = 3", "import numpy as np, math\nEDGE = 2\nprint(SIDE)"]
    assert result.notebook.cells[2].metadata == {}


def test_a_locked_cell_that_was_laid_out_anew_adds_nothing(released, submitted):
    submitted.cells[3].source = "assert   conv2d( 1,2 ) == 2  # mine"
    result = rebuilt(released, submitted)
    assert len(result.notebook.cells) == 5
    assert result.repairs == ("`conv2d` is locked and had been changed: its released text was used.",)


def test_repairs_are_a_few_lines_however_many_cells_they_are_about(released):
    released.cells[2:4] = [
        each
        for number in range(50)
        for each in (
            cell(f"def f{number}():\n    raise NotImplementedError()", f"f{number}-solution", solution=True),
            cell(f"f{number}()", f"f{number}", grade=True, locked=True, points=1),
        )
    ]
    submitted = copy.deepcopy(released)
    kept = submitted.cells[2:5]
    submitted.cells = [each for each in kept for _ in range(3)]
    missing, copied = rebuilt(released, submitted).repairs
    assert missing == (
        "`imports`, `f1`, `f2-solution`, `f2` and 95 more were missing: they were put back as they were released."
    )
    assert copied == (
        "`f0-solution` was there 3 times, `f0` was there 3 times and `f1-solution` was there 3 times: "
        "one of each was kept."
    )


def test_of_copies_without_an_answer_one_is_kept(released):
    submission = copy.deepcopy(released)
    submission.cells.append(copy.deepcopy(released.cells[2]))
    assert rebuilt(released, submission).notebook.cells[2].source == STUB


def test_a_retyped_answer_gets_its_type_back(released, submitted):
    submitted.cells[2] = v4.new_markdown_cell(ANSWER, metadata=submitted.cells[2].metadata)
    result = rebuilt(released, submitted)
    assert (result.notebook.cells[2].cell_type, result.notebook.cells[2].source) == ("code", ANSWER)
    assert result.repairs == ("`conv2d-solution` was a markdown cell instead of a code cell: changed back.",)


def test_text_never_becomes_more_code_than_a_notebook_may_hold(released, submitted):
    submitted.cells[2] = v4.new_markdown_cell("x" * MAX_CODE, metadata=submitted.cells[2].metadata)
    result = rebuilt(released, submitted)
    assert result.notebook.cells[2].source == STUB
    assert result.repairs[1].startswith("`conv2d-solution` was too long")


def test_changed_settings_are_the_releases(released, submitted):
    submitted.cells[3].metadata.nbgrader.update(points=1000, locked=False)
    submitted.cells[2].metadata.nbgrader.update(grade=True, points=50)
    result = rebuilt(released, submitted)
    assert result.notebook.cells[3].metadata.nbgrader.points == 12
    assert result.notebook.cells[2].metadata == released.cells[2].metadata
    (repair,) = result.repairs
    assert repair == (
        "`conv2d-solution` had other settings (grade, points) and `conv2d` had other settings (locked, points): "
        "those of the assignment were used."
    )


def test_a_locked_cell_is_the_releases(released, submitted):
    submitted.cells[3].source = "pass"
    result = rebuilt(released, submitted)
    assert result.notebook.cells[3].source == "assert conv2d(1, 2) == 2"
    assert result.repairs == ("`conv2d` is locked and had been changed: its released text was used.",)


def test_a_graded_cells_name_on_the_answer_changes_nothing(released, submitted):
    submitted.cells[2].metadata.nbgrader.grade_id = "conv2d"
    result = rebuilt(released, submitted)
    assert sources(result)[2:4] == [ANSWER, "assert conv2d(1, 2) == 2"]
    assert result.notebook.cells[2].metadata == released.cells[2].metadata


def test_another_order_is_put_right(released, submitted):
    submitted.cells.reverse()
    result = rebuilt(released, submitted)
    assert sources(result) == [
        "# Convolution",
        "import numpy as np",
        ANSWER,
        "assert conv2d(1, 2) == 2",
        "Weights are shared.",
    ]
    assert result.repairs == ("The cells were in another order: they were put back in the order of the assignment.",)


def test_added_cells_stay_behind_the_cell_they_followed(released, submitted):
    helper = v4.new_code_cell("def helper(): ...", metadata={"tags": ["hide"]}, id="conv2d")
    note = v4.new_markdown_cell("my note", attachments={"a.png": {"image/png": "x"}})
    submitted.cells[2:2] = [helper, note]
    submitted.cells.insert(0, v4.new_code_cell("import math"))
    result = rebuilt(released, submitted)
    assert sources(result) == [
        "import math",
        "# Convolution",
        "import numpy as np",
        "def helper(): ...",
        "my note",
        ANSWER,
        "assert conv2d(1, 2) == 2",
        "Weights are shared.",
    ]
    assert result.notebook.cells[3].metadata == {}
    assert "attachments" not in result.notebook.cells[4]
    assert result.repairs == ()


def test_cells_with_names_that_the_release_does_not_have_are_added_cells(released, submitted):
    submitted.cells.append(cell("print('me too')", "bonus", grade=True, locked=True, points=100))
    result = rebuilt(released, submitted)
    assert result.notebook.cells[-1].source == "print('me too')"
    assert result.notebook.cells[-1].metadata == {}


def test_a_plain_cell_is_the_students_to_edit(released, submitted):
    submitted.cells[0].source = "# Convolution, by me"
    assert sources(rebuilt(released, submitted))[0] == "# Convolution, by me"


def test_a_plain_cell_is_known_by_its_text_when_an_editor_gave_it_a_new_id(released, submitted):
    submitted.cells[0].id = "new"
    assert len(rebuilt(released, submitted).notebook.cells) == 5


def test_outputs_and_attachments_of_the_release_are_dropped(released, submitted):
    released.cells[1].outputs = [v4.new_output("stream", text="old")]
    released.cells[4]["attachments"] = {"a.png": {"image/png": "x"}}
    result = rebuilt(released, submitted)
    assert result.notebook.cells[1].outputs == []
    assert "attachments" not in result.notebook.cells[4]
