"""A source becomes the notebook that students get: the same bytes each time, no line of an answer in it."""

import json
import platform
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import compute_checksum

from autograder.errors import UsageError
from autograder.model.assignment import Limits
from autograder.model.submission import SubmittedFile
from autograder.notebooks import files
from autograder.notebooks.document import MAX_CODE, grade_id, parse
from autograder.notebooks.rebuild import rebuild
from autograder.notebooks.release import Exercise, exercises, is_stale, leaks, model_answer, release


def header(name, *, grade=False, solution=False, points=None):
    flags = {
        "grade": grade,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
    }
    flags |= {"task": False} | ({"points": points} if points is not None else {})
    return f"nbgrader={json.dumps(flags)}"


SOURCE = f'''# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
# ---

# %% [markdown]
# # Addition
# Write a function.

# %% {header("imports")}
import numpy as np

# %% {header("add-solution", solution=True)}
def add(a, b):
    """The sum of two numbers."""
    ### BEGIN SOLUTION
    total = a + b

    return total
    ### END SOLUTION

# %% {header("add", grade=True, points=60)}
assert add(1, 2) == 3

# %% {header("twice-solution", solution=True)}
def twice(a):
    ### BEGIN SOLUTION
    return 2 * a
    ### END SOLUTION

# %% {header("twice", grade=True, points=40)}
assert twice(2) == 4

# %% [markdown] {header("written", grade=True, solution=True, points=5)}
# Addition is commutative because it is.
'''


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "solutions" / "addition" / "notebook.py"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    return path


@pytest.fixture
def released(source, tmp_path):
    return release(source, tmp_path / "assignments" / "addition")


def test_students_get_stubs_locks_and_checksums(released):
    assert released.name == "addition.ipynb"
    notebook = nbformat.read(released, as_version=4)
    nbformat.validate(notebook)
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells[1:-1]}
    assert list(cells) == ["imports", "add-solution", "add", "twice-solution", "twice", "written"]
    assert cells["add-solution"].source == (
        'def add(a, b):\n    """The sum of two numbers."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    )
    assert cells["written"].source == "YOUR ANSWER HERE"
    assert cells["add"].metadata.editable is False
    for cell in cells.values():
        assert cell.metadata.nbgrader.checksum == compute_checksum(cell)
    assert notebook.metadata.kernelspec.name == "python3"


def test_what_the_author_says_of_a_cell_is_kept_and_how_the_text_is_laid_out_is_not(source, tmp_path):
    named = header("imports")
    source.write_text(SOURCE.replace(named, f'{named} jupyter={{"source_hidden": true}} tags=["setup"]'))
    known = {"nbgrader", "jupyter", "tags", "deletable", "editable"}
    for notebook in (model_answer(source), nbformat.read(release(source, tmp_path / "a"), as_version=4)):
        assert notebook.cells[1].metadata.jupyter == {"source_hidden": True}
        assert notebook.cells[1].metadata.tags == ["setup"]
        assert all(cell.metadata.keys() <= known for cell in notebook.cells)


def test_the_same_source_gives_the_same_bytes(source, released, tmp_path):
    again = release(source, tmp_path / "elsewhere")
    assert again.read_bytes() == released.read_bytes()
    assert "jupytext" not in released.read_text()


def test_an_edit_changes_no_other_cells_id(source, released, tmp_path):
    source.write_text(SOURCE.replace("# Write a function.", "# Write a function.\n\n# %%\nx = 1"))
    before, after = (nbformat.read(p, 4).cells for p in (released, release(source, tmp_path / "new")))
    assert [c.id for c in before] == [c.id for i, c in enumerate(after) if i != 1]


def test_works_from_any_folder_and_stays_there(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    release(source.relative_to(tmp_path), tmp_path / "assignments" / "addition")
    assert Path.cwd() == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assignments", "solutions"]


def test_says_nothing(source, tmp_path, capfd):
    release(source, tmp_path / "assignments" / "addition")
    assert capfd.readouterr() == ("", "")


def test_exercises_are_the_graded_cells_in_order(source):
    assert exercises(source) == (
        Exercise("add", 60.0, manual=False),
        Exercise("twice", 40.0, manual=False),
        Exercise("written", 5.0, manual=True),
    )


def test_the_model_answer_fits_into_the_release(source, released):
    answer = model_answer(source)
    nbformat.validate(answer)
    rebuilt = rebuild(nbformat.read(released, 4), parse(json.dumps(answer).encode(), Limits()))
    assert rebuilt.repairs == ()
    *cells, graded_with = rebuilt.notebook.cells
    assert [cell.source for cell in cells] == [cell.source for cell in answer.cells]
    assert graded_with.source.startswith("*Graded with Python")


def test_a_release_is_stale_when_its_source_changed_or_it_was_edited_or_is_missing(source, released):
    assert not is_stale(source, released)
    source.write_text(SOURCE.replace("assert add(1, 2) == 3", "assert add(1, 2) == 3.0"))
    assert is_stale(source, released)
    source.write_text(SOURCE)
    released.write_text(released.read_text().replace("Addition", "addition"))
    assert is_stale(source, released)
    released.unlink()
    assert is_stale(source, released)


def test_no_answer_leaks(source, released):
    assert leaks(source, released) == ()


@pytest.mark.parametrize(
    "line", ["    total = a + b", "    ### BEGIN SOLUTION", "Addition is commutative because it is."]
)
def test_a_leaked_line_is_found(source, released, line):
    notebook = nbformat.read(released, 4)
    notebook.cells[0].source += f"\n{line}"
    nbformat.write(notebook, released)
    assert leaks(source, released) == (line.strip(),)


def test_a_line_that_the_source_shows_elsewhere_is_public(source, tmp_path):
    source.write_text(SOURCE.replace("assert twice(2) == 4", "def three(a):\n    return 2 * a"))
    assert leaks(source, release(source, tmp_path / "a")) == ()


def test_a_missing_source_or_release_is_said_plainly(source, tmp_path):
    for call in (model_answer, exercises, lambda path: release(path, tmp_path)):
        with pytest.raises(UsageError, match="no source notebook at"):
            call(tmp_path / "nowhere" / "notebook.py")
    with pytest.raises(UsageError, match="no released notebook at"):
        leaks(source, tmp_path / "nowhere.ipynb")


def test_a_wrong_sum_of_points_is_refused_and_nothing_written(source, tmp_path):
    source.write_text(SOURCE.replace('"points": 60', '"points": 61'))
    with pytest.raises(UsageError, match="sum to 101 points, expected 100"):
        release(source, tmp_path / "a")
    assert not (tmp_path / "a").exists()


ADD = 'nbgrader={"grade": true, "grade_id": "add"'


@pytest.mark.filterwarnings("ignore:Non-unique cell id")
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f"    ### END SOLUTION\n\n# %% {ADD}", f"\n# %% {ADD}", "no end solution statement"),
        ('"grade_id": "twice"', '"grade_id": "add"', "Duplicate grade id: add"),
        ('"grade_id": "twice"', '"grade_id": "tw ice"', "'tw ice' does not match"),
        (
            "assert twice(2) == 4",
            "### BEGIN SOLUTION\n### END SOLUTION",
            "Solution region detected in a non-solution",
        ),
    ],
)
def test_what_nbgrader_refuses_is_said_with_its_reason(source, tmp_path, old, new, reason):
    assert old in SOURCE
    source.write_text(SOURCE.replace(old, new))
    with pytest.raises(UsageError, match=reason) as caught:
        release(source, tmp_path / "a")
    assert "\n" not in str(caught.value)


def test_a_release_says_what_it_is_graded_with_and_is_not_stale_for_another_version(source, released, monkeypatch):
    python = ".".join(platform.python_version_tuple()[:2])
    told = nbformat.read(released, as_version=4).cells[-1]
    assert (told.cell_type, grade_id(told)) == ("markdown", None)
    assert re.fullmatch(rf"\*Graded with Python {python}, numpy \d+\.\d+, .*torch \d+\.\d+.*\.\*", told.source)
    release(source, released.parent, profile="python")
    assert nbformat.read(released, as_version=4).cells[-1].source == f"*Graded with Python {python}.*"
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "99", "1"))
    assert not is_stale(source, released)
    before = released.read_bytes()
    release(source, released.parent)
    assert b"Python 3.99" in released.read_bytes() != before
    released.write_text(released.read_text().replace("# Addition", "# Division"))
    assert is_stale(source, released)


def test_files_of_the_source_are_released_and_nothing_else_is(source, tmp_path):
    folder = source.parent
    for name in (
        "files/data/points.csv",
        "files/helpers.py",
        "reference.py",
        "files/.hidden",
        "files/__pycache__/a.pyc",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    target = tmp_path / "assignments" / "addition"
    release(source, target)
    there = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert there == ["addition.ipynb", "data/points.csv", "helpers.py"]
    assert files.stale(source, target) == ([], [])
    given = files.released(source, target, Limits())
    assert [(file.name, file.content) for file in given] == [
        ("data/points.csv", b"files/data/points.csv"),
        ("helpers.py", b"files/helpers.py"),
    ]
    (target / "helpers.py").write_text("edited")
    (target / "notes.txt").write_text("not released")
    (target / "data" / "points.csv").unlink()
    assert files.stale(source, target) == (["data/points.csv", "helpers.py"], ["notes.txt"])
    with pytest.raises(UsageError, match="autograder release addition"):
        files.released(source, target, Limits())


def test_what_cannot_be_released_is_refused(source, tmp_path):
    folder = source.parent / "files"
    folder.mkdir()
    link = folder / "secret.txt"
    link.symlink_to(source)
    with pytest.raises(UsageError, match="no plain file"):
        release(source, tmp_path / "a")
    link.unlink()
    for name, told in (("addition.ipynb", "name of the released notebook"), ("a\\b", "under this name")):
        (folder / name).touch()
        with pytest.raises(UsageError, match=told):
            release(source, tmp_path / "a")
        (folder / name).unlink()
    (folder / "large.bin").write_bytes(bytes(10**6))
    release(source, tmp_path / "a")
    with pytest.raises(UsageError, match="raise disk_mb"):
        files.released(source, tmp_path / "a", Limits(disk_bytes=10**6))


def test_of_files_handed_in_the_released_ones_stay_and_the_rest_is_capped():
    given = (SubmittedFile("data.csv", b"released"),)
    handed_in = [
        SubmittedFile("data.csv", b"changed"),
        SubmittedFile("helpers.py", b"x = 1"),
        SubmittedFile("../outside.py", b""),
        SubmittedFile(".bashrc", b""),
        SubmittedFile("a\nb", b""),
        SubmittedFile("large.bin", bytes(600)),
        SubmittedFile("small.bin", bytes(100)),
        SubmittedFile("long.py", b"#" * (MAX_CODE + 1)),
    ]
    taken, told = files.admitted(given, handed_in, Limits(disk_bytes=1000))
    assert [(file.name, len(file.content)) for file in taken] == [
        ("data.csv", 8),
        ("helpers.py", 5),
        ("small.bin", 100),
    ]
    assert [line.partition(" w")[0] for line in told] == [
        "`data.csv`",
        "`../outside.py`, `.bashrc`, `a?b`",
        "`large.bin`, `long.py`",
    ]
    many = [SubmittedFile(f"{number}.txt", b"") for number in range(3000)]
    taken, told = files.admitted((), many, Limits())
    assert len(taken) == 1000
    assert "and 1997 more" in told[0]
