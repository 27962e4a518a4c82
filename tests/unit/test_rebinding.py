"""What later cells change of an exercise is found; what they leave alone is not, or little is gained by looking."""

from __future__ import annotations

import pytest

from autograder.checks.rebinding import ANY, Notebook

ABOVE = [
    "import numpy as np\nimport matplotlib.pyplot as plt\nk = 3\ndef helper(x):\n    return np.sum(x) * k\n",
    "def combine(x):\n    return helper(x) + sum(x)\nx = np.arange(3)\nprint(combine(x))",
    None,
]


def changed(*later):
    return Notebook([*ABOVE, *later]).changed_after(len(ABOVE), {"combine"})


@pytest.mark.parametrize(
    ("later", "names"),
    [
        ("def combine(x):\n    return 0", {"combine"}),
        ("async def combine(x):\n    return 0", {"combine"}),
        ("class helper:\n    pass", {"helper"}),
        ("def mark(f):\n    return f\n@mark\ndef combine(x):\n    return 1", {"combine"}),
        ("k = 5", {"k"}),
        ("k += 1", {"k"}),
        ("k: int = 4", {"k"}),
        ("(k, y) = 1, 2", {"k"}),
        ("[k := 4]", {"k"}),
        ("for k in range(3):\n    pass", {"k"}),
        ("with open('x') as k:\n    pass", {"k"}),
        ("if True:\n    try:\n        pass\n    except Exception as k:\n        pass", {"k"}),
        ("match x:\n    case [k]:\n        pass", {"k"}),
        ("del combine", {"combine"}),
        ("from os.path import join as combine", {"combine"}),
        ("import scipy as np", {"np"}),
        ("sum = 0", {"sum"}),
        ("combine.cache = 3", {"combine"}),
        ("np = None", {"np"}),
        ("np.random = None", {ANY}),
        ("import numpy\nnumpy.sum = None", {ANY}),
        ("import torch\ntorch.set_default_dtype(torch.float64)", {ANY}),
        ("def other():\n    global k\n    k = 4\nother()", {"k"}),
        ("def one():\n    two()\ndef two():\n    global k\n    k = 2\ny = one()", {"k"}),
        ("def more(into):\n    into.append(1)\nmore(k)", {"k"}),
        ("k.append(1)", {"k"}),
        ("y = k.pop()", {"k"}),
        ("next(k)", {"k"}),
        ("exec('k = 5')", {ANY}),
        ("globals()['k'] = 5", {ANY}),
        ("globals().update(k=5)", {ANY}),
        ("everything = globals()\neverything['k'] = 5", {ANY}),
        ("setattr(np, 'sum', 0)", {ANY}),
        ("from numpy import *", {ANY}),
        ("open('data.txt', 'w')", {ANY}),
        ("import os\nos.chdir('/')", {ANY}),
        ("%run x.py", {ANY}),
        ("%reset -f", {ANY}),
        ("k = !ls", {ANY}),
        ("%%time\nk = 3", {"k"}),
    ],
)
def test_what_a_later_cell_changes_is_found(later, names):
    assert changed("y = 1", later) == names


@pytest.mark.parametrize(
    "later",
    [
        "",
        "import numpy as np",
        "import numpy.linalg",
        "x = 3",
        "def other(x, k):\n    y = k = 4\n    return x",
        "def other(x):\n    global k\n    k = 4",
        "y = [k for k in range(3)]",
        "y = np.dot(x, x)",
        "np.random.seed(3)",
        "y = combine(x).clip(0, 1)",
        "plt.plot(x)\nplt.show()",
        "plt.rcParams['figure.figsize'] = (1, 2)",
        "print(combine(x))\nassert combine(x) == 3",
        "y = sorted([1], key=combine)",
        "y = list(map(combine, x))",
        "show(combine)",
        "text = open('data.txt').read()",
        "if 'k' in globals():\n    print(globals()['k'], globals().get('x'), dict(**globals()))",
        "%matplotlib inline\ny = 1",
        "!pip install x",
        "def broken(",
    ],
)
def test_what_a_later_cell_leaves_alone_is_not(later):
    assert changed(later) == set()


def test_a_name_is_followed_through_what_stands_above_the_exercise_alone():
    cells = ["def f(x):\n    return g(x)", None, "def g(x):\n    return h(x)", None, "h = 3"]
    assert Notebook(cells).changed_after(1, {"f"}) == {"g"}
    assert Notebook(cells).changed_after(3, {"f"}) == {"h"}
    assert Notebook(cells).changed_after(3, {"other"}) == set()


def test_definitions_below_and_above_are_told_apart():
    cells = ["def f(x):\n    return 1", None, "def g(x):\n    return 1", "f = 2"]
    assert Notebook(cells).binds_before(1, {"f", "g"}) == {"f"}
    assert Notebook(cells).binds_after(1, {"f", "g"}) == {"f", "g"}
