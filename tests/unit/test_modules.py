"""Modules beside a notebook: what they do by a forbidden shortcut is one, and what else they do is not."""

from textwrap import dedent

import pytest
from handed_in import RELEASED, cell, graded, notebook, solution

from autograder.grading.cells import forbidden
from autograder.grading.modules import MOST_NAMES
from autograder.model.submission import SubmittedFile

NAMES = ("numpy.convolve", "scipy")
HELPERS = """
    import numpy as np
    def conv(x, w):
        return np.convolve(x, w)
    def outer(x):
        return conv(x, x)
    def mine(x):
        return 2 * x
"""


def banned(cells, **sources):
    files = [SubmittedFile(f"{name.replace('_', '/')}.py", dedent(text).encode()) for name, text in sources.items()]
    own, answers = [cell(source) for source in cells[:-1]], [solution("double", cells[-1]), graded("double", 6)]
    found = forbidden(notebook(*own, *answers), NAMES, RELEASED, files)
    return found["double"].message if found else None


@pytest.mark.parametrize(
    "cells",
    [
        ["import helpers\ndef double(x):\n    return helpers.conv(x, [2])"],
        ["import helpers as h", "def double(x):\n    return h.outer(x)"],
        ["from helpers import outer as o", "def double(x):\n    return o(x)"],
        ["from helpers import *", "def double(x):\n    return conv(x, x)"],
        ["def double(x):\n    from helpers import conv\n    return conv(x, [2])"],
        ["import helpers\ndef own(x):\n    return helpers.conv(x, x)", "def double(x):\n    return own(x)"],
    ],
)
def test_a_shortcut_in_a_module_is_found(cells):
    message = banned(cells, helpers=HELPERS)
    assert "`numpy.convolve`" in message or "`helpers.conv`" in message


@pytest.mark.parametrize(
    "cells",
    [
        ["import helpers\ndef double(x):\n    return helpers.mine(x)"],
        ["from helpers import mine", "def double(x):\n    return mine(x)"],
        ["import helpers", "def double(x):\n    return 2 * x"],
    ],
)
def test_what_else_a_module_does_is_allowed(cells):
    assert banned(cells, helpers=HELPERS) is None


def test_a_shortcut_goes_through_modules_and_packages():
    use = ["import a\ndef double(x):\n    return a.f(x)"]
    chain = {
        "a": "from b import f", "b": "import c\ndef f(x):\n    return c.g(x)", "c": "from helpers import conv as g",
        "helpers": HELPERS,
    }  # fmt: skip
    assert "numpy.convolve" in banned(use, **chain)
    package = {"a___init__": "from .impl import f", "a_impl": "import scipy\ndef f(x):\n    return scipy.x(x)"}
    files = [
        SubmittedFile("a/__init__.py", package["a___init__"].encode()),
        SubmittedFile("a/impl.py", package["a_impl"].encode()),
    ]
    found = forbidden(notebook(solution("double", use[0]), graded("double", 6)), NAMES, RELEASED, files)
    assert "scipy" in found["double"].message


def test_a_module_that_a_cell_writes_is_read():
    written = "%%writefile helpers.py\n" + dedent(HELPERS)
    assert "numpy.convolve" in banned([written, "import helpers\ndef double(x):\n    return helpers.conv(x, x)"])
    assert banned([written, "import helpers\ndef double(x):\n    return helpers.mine(x)"]) is None


def test_more_names_than_are_looked_for_are_all_forbidden():
    many = "import numpy as np\n" + "\n".join(f"f{n} = np.convolve" for n in range(MOST_NAMES + 1)) + "\ngood = 1"
    assert "helpers" in banned(["import helpers\ndef double(x):\n    return helpers.good"], helpers=many, other="x = 1")


def test_a_module_that_is_no_python_forbids_nothing():
    assert banned(["import helpers\ndef double(x):\n    return helpers.f(x)"], helpers="def f(:\n") is None
