"""Cells belong to exercises: what is forbidden or broken in one exercise costs no other."""

from __future__ import annotations

import pytest
from handed_in import RELEASED, cell, graded, handed_in, notebook, solution
from nbformat.v4 import new_markdown_cell, new_output

from autograder.errors import KernelLost
from autograder.grading.cells import broken_cells, exercises, forbidden, unfinished
from autograder.kernel.session import Execution, Lost

NAMES = ("numpy.convolve", "scipy")


def banned(*cells):
    return {name: failure.message for name, failure in forbidden(notebook(*cells), NAMES, RELEASED).items()}


def test_a_shortcut_is_forbidden_in_its_own_exercise_alone():
    assert set(banned(*handed_in(double="import scipy").cells)) == {"double"}


def test_a_shortcut_in_a_helper_cell_is_forbidden_where_it_is_used():
    helper = "import numpy as np\ndef helper(x):\n    return np.convolve(x, x)"
    told = banned(*handed_in(triple="def triple(x):\n    return helper(x)", added=[helper]).cells)
    assert set(told) == {"triple"}
    assert "helper" in told["triple"]
    assert "numpy.convolve" in told["triple"]


def test_a_helper_beside_a_shortcut_is_no_crime():
    beside = "try:\n    import scipy\nexcept ImportError:\n    scipy = None\ndef ones(k):\n    return [1] * k"
    assert banned(*handed_in(double="def double(x):\n    return ones(2)", added=[beside]).cells) == {}
    assert set(banned(*handed_in(double="def double(x):\n    return scipy", added=[beside]).cells)) == {"double"}


def test_a_helper_of_a_helper_is_forbidden_too():
    inner, outer = "import numpy\nf = numpy.convolve", "def g(x):\n    return f(x, x)\n@g\ndef h(): pass"
    for name in "gh":
        told = banned(*handed_in(double=f"def double(x):\n    return {name}(x)", added=[outer, inner]).cells)
        (words,) = told.values()
        assert words.startswith(f"`{name}` uses `numpy.convolve`, which does the work of this exercise")


@pytest.mark.parametrize("into", ["tools['c']", "tools.c", "tools.a['b'].c", "other, tools[0]"])
def test_what_a_shortcut_is_put_into_is_forbidden(into):
    added = f"import numpy as np\ntools = make()\n{into} = np.convolve, 1\ndef helper(x):\n    return tools.c(x, x)"
    for answer in ("helper(x)", "tools['c'](x, x)"):
        told = banned(*handed_in(double=f"def double(x):\n    return {answer}", added=[added]).cells)
        assert set(told) == {"double"}


def test_putting_other_things_into_other_things_is_no_crime():
    trial = (
        "import numpy as np\nclass T: pass\nT.y = 1\ndef f(out):\n    out[0] = np.convolve([1], [2])\n"
        "expected = np.convolve([1], [2])\nnp.expected = expected"
    )
    assert banned(*handed_in(double="def double(x):\n    return np.abs(T.y) + out", added=[trial]).cells) == {}


def test_an_alias_from_another_cell_is_known():
    assert set(banned(*handed_in(double="double = np.convolve", added=["import numpy as np"]).cells)) == {"double"}
    assert set(banned(*handed_in(double="double = c", added=["from numpy import convolve as c"]).cells)) == {"double"}


def test_comparing_with_a_shortcut_is_no_crime():
    trial = "import numpy as np\nx = np.convolve([1], [2])\nout = np.convolve(x, x)"
    honest = "def double(x):\n    out = 2 * x\n    return out"
    assert banned(*handed_in(double=honest, added=[trial]).cells) == {}


def test_a_variable_with_a_librarys_usual_name_is_no_crime():
    assert banned(*handed_in(double="def double(F):\n    nn, C = F.shape\n    return nn * F").cells) == {}


HONEST = "import numpy as np\ndef double(x):\n    return 2 * x\n"


@pytest.mark.parametrize(
    "trial",
    [
        "assert np.allclose(double(1), np.convolve([2], [1]))",
        "expected = np.convolve([2], [1])\nassert double(1) == expected, expected",
        "print(double(3), np.convolve([3], [2]))",
        "def right(x):\n    return np.convolve([x], [2])\nassert double(1) == right(1)",
        "def test_double():\n    assert double(1) == np.convolve([1], [2])\ntest_double()",
        "from scipy.signal import convolve\nassert double(1) == convolve([1], [2])",
        "for x in range(3):\n    assert double(x) == np.convolve([x], [2])",
        "if __name__ == '__main__':\n    found = np.convolve([1], [2])\n    assert double(1) == found",
        "errors = {}\nerrors['numpy'] = double(1) - np.convolve([1], [2])",
        "try:\n    np.testing.assert_equal(double(1), np.convolve([1], [2]))\nexcept AssertionError:\n    print('no')",
        "class Test:\n    def run(self):\n        return np.convolve([1], [2])\nTest().run()",
        "with np.errstate(all='ignore'):\n    other = np.convolve([1], [2])",
        "%time np.convolve([1], [2])",
    ],
)
@pytest.mark.parametrize("place", ["after", "before"])
def test_a_test_of_ones_own_in_the_answers_cell_is_no_shortcut(trial, place):
    source = HONEST + trial if place == "after" else f"import numpy as np\n{trial}\n{HONEST}"
    assert banned(*handed_in(double=source).cells) == {}


@pytest.mark.parametrize(
    "answer",
    [
        "double = np.convolve",
        "c = np.convolve\ndef double(x):\n    return c([x], [2])",
        "def double(x, c=np.convolve):\n    return c([x], [2])",
        "def right(x):\n    return np.convolve([x], [2])\ndef double(x):\n    return right(x)",
        "table = [np.convolve([x], [2]) for x in range(9)]\ndef double(x):\n    return table[x]",
        "table = {}\ntable['c'] = np.convolve\ndef double(x):\n    return table['c']([x], [2])",
        "def double(x):\n    return 2 * x\ndouble = lambda x: np.convolve([x], [2])",
        "def double(x):\n    return 2 * x\nglobals()['double'] = np.convolve",
        "def double(x):\n    return 2 * x\nglobals().update(double=np.convolve)",
        "def double(x):\n    return 2 * x\nsys.modules['__main__'].double = np.convolve",
        "def double(x):\n    return 2 * x\nexec('double = f', {'f': np.convolve})",
        "def double(x):\n    return 2 * x\ndouble.__code__ = np.convolve",
        "def double(x):\n    return 2 * x\nget_ipython().push({'double': np.convolve})",
        "def double(x):\n    return 2 * x\nfor double in [np.convolve]:\n    pass",
        "def double(x):\n    return 2 * x\nif (double := np.convolve):\n    pass",
        "class Tool:\n    c = np.convolve\ndef double(x):\n    return Tool.c([x], [2])",
        "if True:\n    def double(x):\n        return np.convolve([x], [2])",
        "@(lambda f: np.convolve)\ndef double(x):\n    return 2 * x",
    ],
)
def test_what_an_answer_is_made_of_is_no_test(answer):
    told = banned(*handed_in(double=f"import numpy as np\n{answer}").cells)
    assert set(told) == {"double"}
    assert "numpy.convolve" in told["double"]


def test_the_line_of_a_shortcut_is_the_cells():
    told = banned(*handed_in(double="import numpy as np\n\n\ndef double(x):\n    return np.convolve(x, 2)").cells)
    assert "(line 5)" in told["double"]


# which cells belong to an exercise


def test_an_exercise_is_the_solution_cells_before_its_checked_cell():
    text = new_markdown_cell("explain")
    text.metadata["nbgrader"] = {"grade": True, "solution": True, "grade_id": "written", "points": 5}
    given = notebook(
        cell("x"), solution("a"), cell("y"), solution("b"), graded("ab", 1), text, graded("none", 1), solution("c"),
        graded("c", 1), solution("unchecked"),
    )  # fmt: skip
    assert exercises(given) == {"ab": [1, 3], "none": [], "c": [7]}


def errors_in(position, ename, lost=()):
    given = handed_in()
    given.cells[position].outputs = [new_output("error", ename=ename, evalue="why", traceback=[])]
    return broken_cells(Execution(given, list(lost)))


def test_a_solution_cell_that_raised_explains_its_exercise():
    causes = errors_in(1, "NameError")
    assert set(causes) == {"double"}
    assert causes["double"].cause == "exception"
    assert "NameError" in causes["double"].message


@pytest.mark.parametrize(("position", "ename"), [(1, "NotImplementedError"), (0, "ImportError"), (2, "AssertionError")])
def test_other_errors_explain_no_exercise(position, ename):
    assert errors_in(position, ename) == {}


def test_a_cell_that_was_lost_explains_its_exercise_by_its_cause():
    causes = errors_in(3, "timeout", [Lost(3, KernelLost("timeout", "the cell was not done after 1 s"))])
    assert {name: failure.cause for name, failure in causes.items()} == {"triple": "timeout"}
    assert "not done after 1 s" in causes["triple"].message


# cells that students added


def added(*sources):
    """A notebook with these cells added, and the position of the first of them."""
    given = handed_in(added=list(sources))
    return given, next(place for place, each in enumerate(given.cells) if each.source == sources[0])


def test_a_cell_of_ones_own_that_did_not_finish_is_told():
    given, first = added("\n  # mine\n  while True:\n    pass", "1 / 0", "x = 1", "raise NotImplementedError", "def")
    for offset, ename, told in (
        (1, "ZeroDivisionError", "division"),
        (3, "NotImplementedError", ""),
        (4, "SyntaxError", "x"),
    ):
        traceback = [] if ename == "SyntaxError" else ["In[1]"]
        given.cells[first + offset].outputs = [new_output("error", ename=ename, evalue=told, traceback=traceback)]
    given.cells[1].outputs = [new_output("error", ename="ValueError", evalue="an exercise's own", traceback=[])]
    assert unfinished(Execution(given, [Lost(first, KernelLost("timeout", "the cell was not done after 1 s"))])) == (
        "Your cell `while True:` was ended: the cell was not done after 1 s, so nothing it defines is there.",
        "Your cell `1 / 0` raised ZeroDivisionError: division, so nothing after that line is there.",
        "Your cell `def` raised SyntaxError: x, so nothing it defines is there.",
    )


def test_what_a_cell_raised_is_told_in_one_line_and_of_few_cells():
    given, first = added(*["raise Odd" + "!" * 60] * 8)
    for each in given.cells[first : first + 8]:
        each.outputs = [new_output("error", ename="Odd", evalue="a\n\u2713 passed\r\n\x85b", traceback=[])]
    *told, last = unfinished(Execution(given, []))
    assert len(told) == 5
    assert (
        told[0] == f"Your cell `raise Odd{'!' * 41}...` raised Odd: a \u2713 passed b, so nothing it defines is there."
    )
    assert last == "3 more of your cells did not run to their end."


@pytest.mark.parametrize("ename", ["SystemExit", "KeyboardInterrupt"])
def test_an_error_without_a_text_has_no_colon(ename):
    given = handed_in()
    traceback = [] if ename == "SystemExit" else ["In[1]"]
    given.cells[1].outputs = [new_output("error", ename=ename, evalue="", traceback=traceback)]
    told = broken_cells(Execution(given, []))["double"].message
    assert told == f"the cell raised {ename}, so nothing after that line is there"
