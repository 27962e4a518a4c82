"""The first week of a real course: right answers to `convolution` in every form in which students hand them in.

Each oddity is a function that gets a `HandedIn`, a perfect submission, and does to it what a student, an editor or a
learning platform did. What it deserves is written beside it: all 100 points unless something else is said.
"""

from __future__ import annotations

import base64
import copy
import io
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

NAME = "convolution"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG file of one pixel."""


@dataclass
class HandedIn:
    """A submission before it is written to `submitted/<student>/`.

    `files` are paths below the student's folder. Without `whole` the notebook is put at `place` when it is written.
    """

    notebook: NotebookNode
    released: NotebookNode
    others: dict[str, NotebookNode]
    place: str = f"{NAME}/{NAME}.ipynb"
    files: dict[str, bytes] = field(default_factory=dict)
    whole: bool = False

    def position(self, name: str) -> int:
        """Where the first cell of this `grade_id` is."""
        return next(
            place
            for place, cell in enumerate(self.notebook.cells)
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        )

    def cell(self, name: str) -> NotebookNode:
        return self.notebook.cells[self.position(name)]

    def stub(self, name: str) -> str:
        """The released text of a cell."""
        return next(
            cell.source for cell in self.released.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        )

    def insert(self, name: str, *cells: NotebookNode, after: bool = False) -> None:
        place = self.position(name) + after
        self.notebook.cells[place:place] = cells

    def content(self) -> bytes:
        return nbformat.writes(self.notebook).encode()

    def written(self) -> dict[str, bytes]:
        return dict(self.files) if self.whole else {self.place: self.content(), **self.files}


Change = Callable[[HandedIn], None]


@dataclass(frozen=True)
class Oddity:
    """What was done to a perfect submission, and what comes of it.

    Attributes:
        lost: checked cells whose points are lost all the same, and are none of the grader's to give.
        says: a pattern that some text that the student reads must match: a repair, a note or a message.
        staff: a pattern that a line under "look at" must match.
        status: `graded`, or `failed` for what waits for a person and costs nothing.
        manual: the written answers that wait for a person, as nbgrader's gradebook has it.
    """

    change: Change
    lost: tuple[str, ...] = ()
    says: str = ""
    staff: str = ""
    status: str = "graded"
    manual: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.change.__name__.replace("_", "-")


ODDITIES: list[Oddity] = []


def oddity(
    *, lost: Sequence[str] = (), says: str = "", staff: str = "", status: str = "graded", manual: Sequence[str] = ()
) -> Callable[[Change], Change]:
    def note(change: Change) -> Change:
        ODDITIES.append(Oddity(change, tuple(lost), says, staff, status, tuple(manual)))
        return change

    return note


def _halves(source: str, at: str) -> tuple[str, str]:
    before, after = source.split(at, 1)
    return before.rstrip(), at + after


# where the notebook lies


@oddity(says="named")
def another_file_name(work: HandedIn) -> None:
    work.place = f"{NAME}/{NAME} (1).ipynb"


@oddity(says="named")
def a_capital_letter(work: HandedIn) -> None:
    work.place = f"{NAME}/Convolution_final.ipynb"


@oddity()
def one_level_too_deep(work: HandedIn) -> None:
    work.place = f"{NAME}/my homework/{NAME}.ipynb"


@oddity()
def without_the_assignments_folder(work: HandedIn) -> None:
    work.place = f"{NAME}.ipynb"


@oddity()
def a_downloaded_copy_without_the_folder(work: HandedIn) -> None:
    work.place = f"{NAME} (2).ipynb"


@oddity()
def the_folder_with_a_capital_letter(work: HandedIn) -> None:
    work.place = f"Convolution/{NAME}.ipynb"


@oddity()
def with_checkpoints_beside_it(work: HandedIn) -> None:
    work.files[f"{NAME}/.ipynb_checkpoints/{NAME}-checkpoint.ipynb"] = nbformat.writes(work.released).encode()


@oddity(staff="not graded: 2 files may be the notebook", status="failed")
def two_notebooks_under_other_names(work: HandedIn) -> None:
    work.whole = True
    work.files[f"{NAME}/final.ipynb"] = work.content()
    work.cell("box_kernel-solution").source = "def box_kernel(k):\n    return np.ones((k, k))"
    work.files[f"{NAME}/really_final.ipynb"] = work.content()


@oddity()
def the_same_notebook_twice(work: HandedIn) -> None:
    work.whole = True
    for name in ("copy", "copy (1)"):
        work.files[f"{NAME}/{name}.ipynb"] = work.content()


# answers split, merged, copied, moved


@oddity()
def an_answer_split_in_two(work: HandedIn) -> None:
    """JupyterLab gives both halves the cell's metadata."""
    cell = work.cell("correlate2d-solution")
    first, second = "def _offset(k):\n    return (k - 1) // 2", cell.source
    other = copy.deepcopy(cell)
    cell.source = first
    other.source, other.id = second, "split-1"
    work.insert("correlate2d-solution", other, after=True)


@oddity()
def an_answer_split_with_a_test_between(work: HandedIn) -> None:
    cell = work.cell("sobel-solution")
    other = copy.deepcopy(cell)
    other.id = "split-2"
    cell.source = "def _frame(x):\n    return np.pad(x, 1)"
    other.source = other.source.replace("np.pad(x, 1)", "_frame(x)")
    work.insert("sobel-solution", new_code_cell("_frame(np.ones((2, 2)))"), other, after=True)


@oddity()
def two_answers_merged_into_one_cell(work: HandedIn) -> None:
    box, gaussian = work.cell("box_kernel-solution"), work.position("gaussian_kernel-solution")
    box.source += "\n\n\n" + work.notebook.cells[gaussian].source
    del work.notebook.cells[gaussian]


@oddity()
def an_answer_merged_with_its_examples(work: HandedIn) -> None:
    examples = work.position("box_kernel")
    work.cell("box_kernel-solution").source += "\n\n\n" + work.notebook.cells[examples].source
    del work.notebook.cells[examples]


@oddity()
def a_stale_copy_above_the_answer(work: HandedIn) -> None:
    """Python uses the last one."""
    old = copy.deepcopy(work.cell("box_kernel-solution"))
    old.source, old.id = "def box_kernel(k):\n    return np.ones((k, k))", "copied-1"
    work.insert("box_kernel-solution", old)


@oddity()
def the_stub_pasted_again_below_the_answer(work: HandedIn) -> None:
    again = copy.deepcopy(work.cell("conv2d-solution"))
    again.source, again.id = work.stub("conv2d-solution"), "stub-again"
    work.insert("conv2d-solution", again, after=True)


@oddity()
def the_stub_in_a_cell_of_its_own_at_the_end(work: HandedIn) -> None:
    work.notebook.cells.append(new_code_cell(work.stub("correlate3d-solution")))


@oddity()
def the_answer_in_a_new_cell_below_the_stub(work: HandedIn) -> None:
    cell = work.cell("convolve2d-solution")
    answer, cell.source = cell.source, work.stub("convolve2d-solution")
    work.insert("convolve2d-solution", new_code_cell(answer), after=True)


@oddity()
def the_answer_in_a_new_cell_above_the_stub(work: HandedIn) -> None:
    cell = work.cell("convolve2d-solution")
    answer, cell.source = cell.source, work.stub("convolve2d-solution")
    work.insert("convolve2d-solution", new_code_cell(answer))


@oddity()
def the_answer_at_the_end_of_the_notebook(work: HandedIn) -> None:
    cell = work.cell("skyline_score-solution")
    answer, cell.source = cell.source, work.stub("skyline_score-solution")
    work.notebook.cells.append(new_code_cell(answer))


@oddity()
def the_answer_in_the_cell_of_examples(work: HandedIn) -> None:
    cell, examples = work.cell("correlate1d-solution"), work.cell("correlate1d")
    examples.source = cell.source + "\n\n\n" + examples.source
    cell.source = work.stub("correlate1d-solution")


@oddity()
def an_answer_retyped_as_text(work: HandedIn) -> None:
    place = work.position("correlate3d-solution")
    cell = work.notebook.cells[place]
    work.notebook.cells[place] = new_markdown_cell(cell.source, id=cell.id, metadata=cell.metadata)


# metadata lost


@oddity()
def one_cell_without_metadata(work: HandedIn) -> None:
    work.cell("conv2d-solution").metadata = NotebookNode()


@oddity()
def all_metadata_lost(work: HandedIn) -> None:
    for cell in work.notebook.cells:
        cell.metadata = NotebookNode()


@oddity()
def metadata_and_ids_lost(work: HandedIn) -> None:
    for number, cell in enumerate(work.notebook.cells):
        cell.metadata, cell.id = NotebookNode(), f"new-{number}"


@oddity()
def metadata_and_ids_lost_and_an_answer_split(work: HandedIn) -> None:
    an_answer_split_in_two(work)
    metadata_and_ids_lost(work)


@oddity()
def the_old_format_without_ids(work: HandedIn) -> None:
    work.whole = True
    document = json.loads(work.content())
    document["nbformat_minor"] = 4
    for cell in document["cells"]:
        del cell["id"]
    work.files[work.place] = json.dumps(document).encode()


@oddity()
def an_import_added_to_the_locked_setup_cell(work: HandedIn) -> None:
    work.cell("setup").source += "\nimport math"
    cell = work.cell("box_kernel-solution")
    cell.source = "def box_kernel(k):\n    return np.full((k, k), 1 / math.pow(k, 2))"


# written answers


def _written(work: HandedIn) -> str:
    cell = work.cell("written")
    text, cell.source = cell.source, work.stub("written")
    return text


@oddity(manual=["written"])
def a_written_answer_below(work: HandedIn) -> None:
    text = _written(work)
    work.insert("written", new_markdown_cell(text), after=True)


@oddity(manual=["written"])
def a_written_answer_without_metadata(work: HandedIn) -> None:
    work.cell("written").metadata = NotebookNode()


@oddity(manual=["written"])
def a_written_answer_as_a_picture(work: HandedIn) -> None:
    cell = work.cell("written")
    cell.source = work.stub("written") + "\n\n![](attachment:answer.png)"
    cell.attachments = {"answer.png": {"image/png": base64.b64encode(PIXEL).decode()}}


@oddity(manual=["written"])
def a_written_answer_as_a_file(work: HandedIn) -> None:
    work.cell("written").source = "![](answer.png)"
    work.files[f"{NAME}/answer.png"] = PIXEL


# names used again


@oddity()
def a_helpers_name_used_again(work: HandedIn) -> None:
    box, gaussian = work.cell("box_kernel-solution"), work.cell("gaussian_kernel-solution")
    box.source = (
        "def combine(a, b):\n    return a * b\n\n\ndef box_kernel(k):\n    return 1 / combine(k, k) * np.ones((k, k))"
    )
    gaussian.source = "def combine(a, b):\n    return np.outer(a, b)\n\n\n" + gaussian.source.replace(
        "np.outer", "combine"
    )


@oddity()
def a_global_variable_used_again(work: HandedIn) -> None:
    box, sobel = work.cell("box_kernel-solution"), work.cell("sobel-solution")
    box.source = "power = 2\n\n\ndef box_kernel(k):\n    return np.full((k, k), 1 / k**power)"
    sobel.source += "\n\n\npower = 3"


@oddity()
def a_function_used_as_a_variable_later(work: HandedIn) -> None:
    work.notebook.cells.append(new_code_cell("sobel = sobel(np.eye(5))"))


# shell lines and packages


@oddity()
def shell_lines_above_a_function(work: HandedIn) -> None:
    cell = work.cell("correlate1d-solution")
    cell.source = "!ls\n!pip install numpy\n%pip install numpy\n%ls\n%cd ..\nfiles = !ls\n" + cell.source


@oddity()
def shell_lines_in_the_cell_of_imports(work: HandedIn) -> None:
    work.cell("setup").source = "!pip install -q numpy\n%matplotlib inline\n" + work.cell("setup").source


@oddity()
def a_cell_of_bash(work: HandedIn) -> None:
    work.insert("correlate1d-solution", new_code_cell("%%bash\nls /nowhere\necho done"))


@oddity()
def google_drive(work: HandedIn) -> None:
    cell = work.cell("correlate2d-solution")
    cell.source = "from google.colab import drive\ndrive.mount('/content/drive')\n\n\n" + cell.source


@oddity()
def a_package_that_is_not_there(work: HandedIn) -> None:
    cell = work.cell("conv2d-solution")
    cell.source = "import seaborn as sns\n\n\n" + cell.source


@oddity(lost=["box_kernel"], says="einops")
def a_package_that_is_needed_and_not_there(work: HandedIn) -> None:
    cell = work.cell("box_kernel-solution")
    cell.source = "from einops import rearrange\n\n\ndef box_kernel(k):\n    return rearrange(np.ones((k, k)) / k**2)"


# files and processes


@oddity()
def a_helper_file_handed_in(work: HandedIn) -> None:
    work.files[f"{NAME}/helpers.py"] = b"def square(k):\n    return k * k\n"
    cell = work.cell("box_kernel-solution")
    cell.source = "from helpers import square\n\n\ndef box_kernel(k):\n    return np.full((k, k), 1 / square(k))"


@oddity()
def a_helper_file_that_a_cell_writes(work: HandedIn) -> None:
    work.insert("box_kernel-solution", new_code_cell("%%writefile mine.py\ndef square(k):\n    return k * k\n"))
    cell = work.cell("box_kernel-solution")
    cell.source = "import mine\n\n\ndef box_kernel(k):\n    return np.full((k, k), 1 / mine.square(k))"


@oddity()
def data_handed_in(work: HandedIn) -> None:
    work.files[f"{NAME}/data/power.txt"] = b"2\n"
    cell = work.cell("box_kernel-solution")
    cell.source = (
        "power = np.loadtxt('data/power.txt')\n\n\ndef box_kernel(k):\n    return np.full((k, k), 1 / k**power)"
    )


@oddity()
def a_file_named_like_a_package(work: HandedIn) -> None:
    work.files[f"{NAME}/numpy.py"] = b"raise RuntimeError('the wrong numpy')\n"
    work.files[f"{NAME}/random.py"] = b"raise RuntimeError('the wrong random')\n"


@oddity()
def a_pool_of_processes(work: HandedIn) -> None:
    cell = work.cell("correlate3d-solution")
    cell.source = (
        "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import Pool\n\n\n"
        "def _twice(x):\n    return 2 * x\n\n\n"
        "with Pool(2) as pool:\n    assert pool.map(_twice, range(4)) == [0, 2, 4, 6]\n"
        "with ProcessPoolExecutor(2) as pool:\n    assert list(pool.map(_twice, range(4))) == [0, 2, 4, 6]\n"
        f"\n\n{cell.source}"
    )


@oddity()
def a_self_test_with_a_forbidden_function(work: HandedIn) -> None:
    cell = work.cell("correlate1d-solution")
    cell.source += (
        "\n\n\nx = np.arange(5.0)\nassert np.allclose(correlate1d(x, x[:2]), np.correlate(x, x[:2], 'valid'))"
    )


# versions and other files


@oddity(lost=["skyline_score"] if sys.version_info < (3, 14) else [], says=r"3\.14.*3\.1")
def code_for_a_newer_python(work: HandedIn) -> None:
    work.notebook.metadata.language_info = NotebookNode(name="python", version="3.14.0")
    cell = work.cell("skyline_score-solution")
    cell.source = 'template = t"a string of Python 3.14"\n\n\n' + cell.source


@oddity(lost=["skyline_score"], says=r"numpy [\d.]+")
def a_function_of_another_numpy(work: HandedIn) -> None:
    cell = work.cell("skyline_score-solution")
    cell.source = cell.source.replace("float(np.abs", "np.float(np.abs")


@oddity()
def text_in_utf16(work: HandedIn) -> None:
    work.whole = True
    work.files[work.place] = work.content().decode().encode("utf-16")


@oddity()
def text_with_a_byte_order_mark(work: HandedIn) -> None:
    work.whole = True
    work.files[work.place] = b"\xef\xbb\xbf" + work.content()


@oddity(lost=["*"], says="output_sizes")
def another_assignments_notebook(work: HandedIn) -> None:
    work.notebook = copy.deepcopy(work.others["output_sizes"])


@oddity(lost=["*"], says="(?i)html")
def an_export_as_a_page(work: HandedIn) -> None:
    work.whole = True
    work.files[f"{NAME}/{NAME}.html"] = b"<!DOCTYPE html>\n<html><body>convolution</body></html>"


@oddity(lost=["*"], says="(?i)html|web page")
def a_login_page_under_the_notebooks_name(work: HandedIn) -> None:
    work.whole = True
    work.files[work.place] = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


@oddity()
def an_archive_of_the_notebook(work: HandedIn) -> None:
    work.whole = True
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{NAME}.ipynb", work.content())
    work.files[f"{NAME}/{NAME}.zip"] = packed.getvalue()


@oddity(lost=["*"], says="(?i)cut off|incomplete|truncated|ends")
def half_a_download(work: HandedIn) -> None:
    work.whole = True
    work.files[work.place] = work.content()[:4000]
