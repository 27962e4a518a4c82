"""What students and their tools do to a notebook of `convolution`: each change of the right one keeps its points.

A change is a function of a `Notebook`, the right answers in the released notebook as plain data.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

Cell = dict[str, Any]


class Notebook:
    """A notebook as plain data, its cells by grade_id, and the released text of each."""

    def __init__(self, cells: list[Cell], released: dict[str, str]) -> None:
        self.cells = copy.deepcopy(cells)
        self.released = released
        self.by_name = {name(cell): cell for cell in self.cells}
        self._fresh = 0

    def __getitem__(self, grade_id: str) -> Cell:
        return self.by_name[grade_id]

    def answer(self, exercise: str) -> Cell:
        return self.by_name[f"{exercise}-solution"]

    def stub(self, exercise: str) -> Cell:
        """Put the released stub back into the answer's cell, and return a new cell with the answer, without a name."""
        cell = self.answer(exercise)
        source, cell["source"] = cell["source"], self.released[f"{exercise}-solution"]
        return self.new(source)

    def new(self, source: str, kind: str = "code", like: Cell | None = None) -> Cell:
        """A new cell with a new id; with the metadata of another one if it is a copy."""
        self._fresh += 1
        metadata = copy.deepcopy(like["metadata"]) if like else {}
        made = {"cell_type": kind, "id": f"new-{self._fresh}", "metadata": metadata, "source": source}
        return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})

    def place(self, cell: Cell) -> int:
        return next(number for number, each in enumerate(self.cells) if each is cell)

    def after(self, cell: Cell, *others: Cell) -> None:
        self.cells[self.place(cell) + 1 : self.place(cell) + 1] = others

    def before(self, cell: Cell, *others: Cell) -> None:
        self.cells[self.place(cell) : self.place(cell)] = others

    def remove(self, *cells: Cell) -> None:
        for cell in cells:
            del self.cells[self.place(cell)]

    def split(self, cell: Cell, *lines: int) -> list[Cell]:
        """Split a cell before these lines, as JupyterLab does: each part has the metadata."""
        text = cell["source"].split("\n")
        cuts = [0, *lines, len(text)]
        parts = ["\n".join(text[start:end]).strip("\n") for start, end in itertools.pairwise(cuts)]
        cell["source"] = parts[0]
        more = [self.new(part, cell["cell_type"], cell) for part in parts[1:]]
        self.after(cell, *more)
        return [cell, *more]

    def merge(self, first: Cell, *others: Cell, kept: Cell | None = None) -> Cell:
        """Merge cells (Shift-M): all text goes into the first place, with the metadata and type of `kept`."""
        kept = kept or first
        kept = {**copy.deepcopy(kept), "source": "\n\n".join(cell["source"] for cell in (first, *others))}
        place = self.place(first)
        self.remove(first, *others)
        self.cells.insert(place, kept)
        return kept

    def nameless(self, *cells: Cell) -> None:
        """Take the metadata away."""
        for cell in cells or self.cells:
            cell["metadata"] = {}

    def anonymous(self, *cells: Cell) -> None:
        """Take metadata and id away."""
        self.nameless(*cells)
        for cell in cells or self.cells:
            cell["id"] = self.new("")["id"]


def name(cell: Cell) -> str | None:
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


Change = Callable[[Notebook], None]
CODE: dict[str, Change] = {}
"""Changes after which all checks pass, by what was done."""


def change(done: str) -> Callable[[Change], Change]:
    def add(made: Change) -> Change:
        assert done not in CODE
        CODE[done] = made
        return made

    return add


TWO = "correlate2d"
HELPER = "def _rows(n, k):\n    return range(n - k + 1)\n\n\n"


def with_helper(nb: Notebook) -> Cell:
    """The answer of `correlate1d` with a helper function above it, of which it makes use."""
    cell = nb.answer("correlate1d")
    cell["source"] = (
        "def _windows(x, k):\n    return [x[i : i + k] for i in range(len(x) - k + 1)]\n\n\n"
        "def correlate1d(x, w):\n    return np.array([window @ w for window in _windows(x, len(w))])"
    )
    return cell


@change("split between two functions")
def _(nb):
    nb.split(with_helper(nb), 4)


@change("split in three, with other cells between")
def _(nb):
    cell = with_helper(nb)
    cell["source"] = f"import math\n\n{cell['source']}"
    one, two, _three = nb.split(cell, 2, 6)
    nb.after(one, nb.new("my note", "markdown"), nb.new("1 + 1"))
    nb.after(two, nb.new("print(_windows([1, 2, 3], 2))"))


@change("split within a function")
def _(nb):
    cell = with_helper(nb)
    cell["source"] = (
        "def correlate1d(x, w):\n    n = len(w)\n\n    made = []\n    for i in range(len(x) - n + 1):\n"
        "        made.append(x[i : i + n] @ w)\n    return np.array(made)"
    )
    nb.split(cell, 3)


@change("split after the line of the def")
def _(nb):
    nb.split(with_helper(nb), 1)


@change("split in reverse: the second half was dragged above the first")
def _(nb):
    one, two = nb.split(with_helper(nb), 4)
    nb.remove(two)
    nb.before(one, two)


@change("split, and one half was dragged to the end")
def _(nb):
    _one, two = nb.split(with_helper(nb), 4)
    nb.remove(two)
    nb.cells.append(two)


@change("split, with a value between the halves that the second needs")
def _(nb):
    cell = nb.answer("correlate1d")
    cell["source"] = (
        "STEP = 1\n\ndef correlate1d(x, w, step=COUNT):\n"
        "    return np.array([x[i : i + len(w)] @ w for i in range(0, len(x) - len(w) + 1, step)])"
    )
    one, _two = nb.split(cell, 2)
    nb.after(one, nb.new("COUNT = STEP * 1"))


@change("split, and the first half lost its name")
def _(nb):
    one, _two = nb.split(with_helper(nb), 4)
    nb.nameless(one)


@change("split, and the second half lost its name")
def _(nb):
    _one, two = nb.split(with_helper(nb), 4)
    nb.nameless(two)


@change("split, all names and ids lost")
def _(nb):
    nb.split(with_helper(nb), 4)
    nb.anonymous()


@change("merged with the examples below")
def _(nb):
    nb.merge(nb.answer(TWO), nb[TWO])


@change("merged with the examples below, under their name")
def _(nb):
    nb.merge(nb.answer(TWO), nb[TWO], kept=nb[TWO])


@change("merged with the text above")
def _(nb):
    nb.merge(nb["match_pattern-text"], nb.answer("match_pattern"), kept=nb.answer("match_pattern"))


@change("merged with the text above, under its name and as text")
def _(nb):
    nb.merge(nb["match_pattern-text"], nb.answer("match_pattern"))


@change("two exercises in one cell, with all between them")
def _(nb):
    first, last = nb.place(nb.answer("box_kernel")), nb.place(nb.answer("gaussian_kernel"))
    nb.merge(*nb.cells[first : last + 1])


@change("two exercises in one cell, nothing between them")
def _(nb):
    nb.merge(nb.answer("pointwise_conv2d"), nb.answer("depthwise_conv2d"))


@change("two exercises in one cell, under the second's name")
def _(nb):
    nb.merge(nb.answer("pointwise_conv2d"), nb.answer("depthwise_conv2d"), kept=nb.answer("depthwise_conv2d"))


@change("two exercises typed into the first's cell, the second's stub untouched")
def _(nb):
    cell = nb.stub("depthwise_conv2d")
    nb.answer("pointwise_conv2d")["source"] += f"\n\n\n# now depthwise\n{cell['source']}"


@change("copied: the last copy is right")
def _(nb):
    cell = nb.answer(TWO)
    right = nb.new(cell["source"], like=cell)
    cell["source"] = "def correlate2d(x, w, border='valid', stride=1):\n    return x"
    nb.after(cell, right)


@change("copied: an older try breaks, the last is right")
def _(nb):
    cell = nb.answer(TWO)
    right = nb.new(cell["source"], like=cell)
    cell["source"] = "def correlate2d(x, w, border='valid', stride=1):\n    return x\n\nassert correlate2d(1, 2) == 2"
    nb.after(cell, right)


@change("copied: an older try does not parse, the last is right")
def _(nb):
    cell = nb.answer(TWO)
    right = nb.new(cell["source"], like=cell)
    cell["source"] = "def correlate2d(x, w, border='valid', stride=1):\n    return x +"
    nb.after(cell, right)


@change("copied twice, unchanged")
def _(nb):
    cell = nb.answer(TWO)
    nb.after(cell, nb.new(cell["source"], like=cell), nb.new(cell["source"], like=cell))


@change("the stub copied below the answer")
def _(nb):
    cell = nb.answer(TWO)
    nb.after(nb[TWO], nb.new(nb.released[f"{TWO}-solution"], like=cell))


@change("the stub pasted below the answer, without a name")
def _(nb):
    nb.after(nb.answer(TWO), nb.new(nb.released[f"{TWO}-solution"] + "\n\n"))


@change("the stub pasted into the answer, below it")
def _(nb):
    nb.answer(TWO)["source"] += "\n\n" + nb.released[f"{TWO}-solution"]


@change("the stub restored, the answer in a cell above without a name")
def _(nb):
    cell = nb.stub(TWO)
    nb.before(nb.answer(TWO), cell, nb.new("print(correlate2d(np.ones((2, 2)), np.ones((1, 1))))"))


@change("the stub without its comment, the answer above")
def _(nb):
    cell = nb.stub(TWO)
    nb.answer(TWO)["source"] = nb.answer(TWO)["source"].replace("    # YOUR CODE HERE\n", "")
    nb.before(nb.answer(TWO), cell)


@change("the answer in a new cell below the stub")
def _(nb):
    nb.after(nb.answer(TWO), nb.stub(TWO))


@change("the answer in a new cell below the examples")
def _(nb):
    nb.after(nb[TWO], nb.stub(TWO))


@change("the answer in new cells below the examples, which need each other")
def _(nb):
    nb.stub("correlate1d")
    nb.after(
        nb["correlate1d"],
        nb.new("def _windows(x, k):\n    return [x[i : i + k] for i in range(len(x) - k + 1)]"),
        nb.new("_one = _windows(np.ones(3), 3)[0][0]"),
        nb.new("def correlate1d(x, w, unit=_one):\n    return np.array([v @ w * unit for v in _windows(x, len(w))])"),
    )


@change("all answers in one new cell at the end")
def _(nb):
    names = [each.removesuffix("-solution") for each in nb.released if each.endswith("-solution")]
    nb.cells.append(nb.new("\n\n\n".join(nb.stub(each)["source"] for each in names)))


@change("all answers in one new cell at the top, the stubs deleted")
def _(nb):
    names = [each.removesuffix("-solution") for each in nb.released if each.endswith("-solution")]
    text = "import numpy as np\n\n" + "\n\n\n".join(nb.answer(each)["source"] for each in names)
    nb.remove(*(nb.answer(each) for each in names))
    nb.cells.insert(0, nb.new(text))


@change("the answer typed into the graded cell")
def _(nb):
    cell = nb.stub(TWO)
    nb[TWO]["source"] = f"{cell['source']}\n\n{nb[TWO]['source']}"


@change("the answer typed into the graded cell instead of the examples")
def _(nb):
    nb[TWO]["source"] = nb.stub(TWO)["source"]


@change("the answer's and the graded cell's metadata swapped")
def _(nb):
    one, two = nb.answer(TWO), nb[TWO]
    one["metadata"], two["metadata"] = two["metadata"], one["metadata"]


@change("the name lost, the id there")
def _(nb):
    nb.nameless(nb.answer(TWO))


@change("all names lost, ids there")
def _(nb):
    nb.nameless()


@change("all names and ids lost")
def _(nb):
    nb.anonymous()


@change("all names and ids lost, texts laid out anew")
def _(nb):
    nb.anonymous()
    for cell in nb.cells:
        cell["source"] = "\n".join(f"{line}  " for line in cell["source"].split("\n")) + "\n\n"


@change("another year's names, ids there")
def _(nb):
    for cell in nb.cells:
        cell["metadata"]["nbgrader"]["grade_id"] = f"2025-{cell['metadata']['nbgrader']['grade_id']}"


@change("one cell of code, as converters to scripts write it")
def _(nb):
    text = "\n\n".join(cell["source"] for cell in nb.cells if cell["cell_type"] == "code")
    nb.cells[:] = [nb.new(text)]


@change("retyped as markdown")
def _(nb):
    nb.answer(TWO)["cell_type"] = "markdown"


@change("retyped as raw, the name lost")
def _(nb):
    nb.answer(TWO)["cell_type"] = "raw"
    nb.nameless(nb.answer(TWO))


@change("retyped as markdown, in fences with words around")
def _(nb):
    cell = nb.answer(TWO)
    cell |= {"cell_type": "markdown", "source": f"This is what I wrote:\n\n```python\n{cell['source']}\n```\n\nDone."}


@change("in fences in a markdown cell, all lost")
def _(nb):
    cell = nb.answer(TWO)
    cell |= {"cell_type": "markdown", "source": f"```python\n{cell['source']}\n```"}
    nb.anonymous()


@change("an import added to the locked cell of imports")
def _(nb):
    nb["setup"]["source"] += "\nimport functools as ft"
    cell = nb.answer("correlate1d")
    cell["source"] = (
        "correlate1d = ft.partial(lambda x, w: np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)]))"
    )


@change("a helper added to a locked cell, which was laid out anew too")
def _(nb):
    cell = with_helper(nb)
    helper, cell["source"] = cell["source"].split("\n\n\n")
    nb["setup"]["source"] = f"{nb['setup']['source'].replace('import', 'import ')}\n\n\n{helper}"


@change("an import added to the graded cell")
def _(nb):
    nb["correlate1d"]["source"] = "from functools import reduce\n" + nb["correlate1d"]["source"]
    nb.answer("correlate1d")["source"] = (
        "def correlate1d(x, w):\n"
        "    return np.array([reduce(lambda a, b: a + b, x[i : i + len(w)] * w) for i in range(len(x) - len(w) + 1)])"
    )


@change("a cell magic above one of two parts")
def _(nb):
    one, two = nb.split(with_helper(nb), 4)
    two["source"] = f"%%time\n{two['source']}"
    one["source"] = f"%matplotlib inline\n{one['source']}"


@change("a future import in the second part, await in the first")
def _(nb):
    one, two = nb.split(with_helper(nb), 4)
    two["source"] = f"from __future__ import annotations\n\n{two['source']}"
    one["source"] += "\n\n\nimport asyncio\nawait asyncio.sleep(0)"


@change("everything deleted but the answers, in another order")
def _(nb):
    nb.cells[:] = [cell for cell in reversed(nb.cells) if name(cell).endswith("-solution")]


@change("split, copied, merged and nameless at once")
def _(nb):
    nb.split(with_helper(nb), 4)
    nb.merge(nb.answer("box_kernel"), nb["box_kernel"], nb.answer("gaussian_kernel"))
    nb.cells.append(nb.stub("sobel"))
    nb.after(nb.answer(TWO), nb.new(nb.released[f"{TWO}-solution"], like=nb.answer(TWO)))
    nb.nameless(*nb.cells[:12])


WRITTEN: dict[str, Change] = {}
"""Places of a written answer, which all a person has to read, by what was done."""
ESSAY = "The same weights slide over the whole image, so a shifted image gives a shifted map."
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFElEQVR4nGP8z8Dwn4GBgYmBgQEADQQCAX9Ue7kAAAAASUVORK5CYII="


def written(done: str) -> Callable[[Change], Change]:
    def add(made: Change) -> Change:
        assert done not in WRITTEN
        WRITTEN[done] = made
        return made

    return add


@written("in its cell")
def _(nb):
    nb["written"]["source"] = ESSAY


@written("in a new cell below")
def _(nb):
    nb.after(nb["written"], nb.new(ESSAY, "markdown"))


@written("in a new cell at the end")
def _(nb):
    nb.cells.append(nb.new(ESSAY, "markdown"))


@written("in a new cell above")
def _(nb):
    nb.before(nb["written"], nb.new(ESSAY, "markdown"))


@written("in a new cell above the question")
def _(nb):
    nb.before(nb["written-text"], nb.new(ESSAY, "markdown"))


@written("in a new cell at the top")
def _(nb):
    nb.cells.insert(0, nb.new(ESSAY, "markdown"))


@written("in two new cells, the answer's cell deleted")
def _(nb):
    nb.after(nb["written"], nb.new(ESSAY, "markdown"), nb.new("And that is cheap.", "markdown"))
    nb.remove(nb["written"])


@written("in its cell, the name lost")
def _(nb):
    nb["written"]["source"] = ESSAY
    nb.nameless(nb["written"])


@written("in its cell, all names and ids lost")
def _(nb):
    nb["written"]["source"] = ESSAY
    nb.anonymous()


@written("in a code cell, as words")
def _(nb):
    nb.after(nb["written"], nb.new(ESSAY))


@written("in a code cell, as comments")
def _(nb):
    nb.after(nb["written"], nb.new(f"# {ESSAY}"))


@written("in a code cell, as a text")
def _(nb):
    nb.after(nb["written"], nb.new(f'"""{ESSAY}"""'))


@written("in a code cell, printed")
def _(nb):
    nb.after(nb["written"], nb.new(f"print({ESSAY!r})"))


@written("in a raw cell")
def _(nb):
    nb.after(nb["written"], nb.new(ESSAY, "raw"))


@written("in its cell, retyped as code")
def _(nb):
    nb["written"].update({"source": ESSAY, "cell_type": "code", "outputs": [], "execution_count": None})


@written("in its cell, which was split")
def _(nb):
    nb["written"]["source"] = f"{ESSAY}\n\nAnd that is cheap."
    nb.split(nb["written"], 2)


@written("typed into the question")
def _(nb):
    nb["written-text"]["source"] += f"\n\n{ESSAY}"


@written("merged with the question, under its name")
def _(nb):
    nb["written"]["source"] = ESSAY
    nb.merge(nb["written-text"], nb["written"])


@written("merged with the question, under the answer's name")
def _(nb):
    nb["written"]["source"] = ESSAY
    nb.merge(nb["written-text"], nb["written"], kept=nb["written"])


@written("as an attachment")
def _(nb):
    nb["written"].update(
        {"source": "![image.png](attachment:image.png)", "attachments": {"image.png": {"image/png": DOT}}}
    )


@written("as an attachment that the text does not name")
def _(nb):
    nb["written"]["attachments"] = {"image.png": {"image/png": DOT}}


@written("as an attachment of a new cell below")
def _(nb):
    cell = nb.new("![my drawing](attachment:my%20drawing.png)", "markdown")
    nb.after(nb["written"], cell | {"attachments": {"my drawing.png": {"image/png": DOT}}})


@written("as pasted data")
def _(nb):
    nb["written"]["source"] = f"![](data:image/png;base64,{DOT})"


@written("as pasted data in HTML")
def _(nb):
    nb["written"]["source"] = f'<img alt="my drawing" src="data:image/png;base64,{DOT}" width="300">'
