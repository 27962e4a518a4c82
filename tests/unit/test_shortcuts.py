"""A forbidden shortcut is found however it is imported, aliased or reached, and nobody else is accused."""

from __future__ import annotations

import symtable
import weakref
from textwrap import dedent

import pytest

from autograder.checks import magics
from autograder.checks.shortcuts import (
    Names,
    _parse,
    aliases,
    names_defined,
    names_used,
    shortcuts,
    statements,
    symbols,
)

FORBIDDEN = ("numpy.convolve", "numpy.fft", "scipy", "torch")
KNOWN = {"np": "numpy", "nn": "torch.nn"}


def found(source, known=KNOWN):
    return [name for name, _ in shortcuts(dedent(source), FORBIDDEN, known)]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("y = np.convolve(a, b)", "numpy.convolve"),
        ("import numpy\nnumpy.convolve(a, b)", "numpy.convolve"),
        ("import numpy as n\nn.convolve(a, b)", "numpy.convolve"),
        ("from numpy import convolve", "numpy.convolve"),
        ("from numpy import convolve as mine\ndef f(a):\n    return mine(a, a)", "numpy.convolve"),
        ("from numpy import *\nconvolve(a, b)", "numpy.convolve"),
        ("from numpy import fft", "numpy.fft"),
        ("from numpy.fft import *\nx = 1", "numpy.fft"),
        ("np.fft.fft2(x)", "numpy.fft"),
        ("import numpy.fft", "numpy.fft"),
        ("import scipy.signal as s", "scipy"),
        ("from scipy.signal import convolve2d", "scipy"),
        ("def f(x):\n    import scipy\n    return scipy.signal.convolve2d(x, x)", "scipy"),
        ("nn.functional.conv2d(x, w)", "torch"),
        ("n = np\nm = n\nm.convolve(a, b)", "numpy.convolve"),
        ("apply = np.convolve", "numpy.convolve"),
        ("getattr(np, 'convolve')(a, b)", "numpy.convolve"),
        ("__import__('scipy').signal", "scipy"),
        ("import importlib\nimportlib.import_module('scipy.signal')", "scipy"),
        ("%time\nnp.convolve(a, b)", "numpy.convolve"),
        ("%%time\nnp.convolve(a, b)", "numpy.convolve"),
        ("def f(a):\n    !ls\n    files = !ls\n    return np.convolve(a, a)", "numpy.convolve"),
        ("np.convolve?\nnp.convolve(a, b)", "numpy.convolve"),
        ("    y = np.convolve(a, b)\n    z = 1", "numpy.convolve"),
        (">>> y = np.convolve(a, b)", "numpy.convolve"),
        (">>> def f(a):\n...     return np.convolve(a, a)", "numpy.convolve"),
        ("In [1]: y = np.convolve(a, b)", "numpy.convolve"),
        ("%time y = np.convolve(a, b)", "numpy.convolve"),
        ("y = %timeit -n 3 -o np.convolve(a, b)", "numpy.convolve"),
        ("def f(a):\n    %time y = np.convolve(a, a)\n    return y", "numpy.convolve"),
        ("%%capture told\n%%time\ny = np.convolve(a, b)", "numpy.convolve"),
        ("\n\n%%time\n    y = np.convolve(a, b)", "numpy.convolve"),
    ],
)
def test_a_shortcut_is_found(source, name):
    assert name in found(source)


@pytest.mark.parametrize(
    "source",
    [
        "y = np.pad(x, 1)",
        "convolve = 3\nconvolve + 1",
        "def convolve(a, b):\n    return a\nconvolve(1, 2)",
        "self.convolve(a)",
        "'np.convolve(a, b)'",
        "# np.convolve(a, b)",
        "import numpy as np",
        "np.convolver(x)",
        "from .scipy import signal",
        "F, C, H, W = w.shape\nF.sum()",
        "%matplotlib inline\nx = 1",
        "!grep np.convolve notes.txt",
        "%time x = 1",
        "    x = 1",
    ],
)
def test_right_code_is_not_accused(source):
    assert found(source) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("\n\n    x = 1\n    y = np.convolve(a, b)", 4),
        (">>> x = 1\n>>> y = np.convolve(a, b)", 2),
        ("%%time\n%%capture\n\ny = np.convolve(a, b)", 4),
        ("%time x = 1\n%time y = np.convolve(a, b)", 2),
    ],
)
def test_the_line_is_that_of_the_cell(source, line):
    assert shortcuts(source, FORBIDDEN, KNOWN) == [("numpy.convolve", line)]


@pytest.mark.parametrize(
    "line", ["%time x = (", "x = %time y", "!ls {a} $b", "?x", "x?", ">>> x", "/f 1, 2", ",f a b", "%%time"]
)
def test_a_cell_full_of_magics_is_not_transformed_once_for_each(line, monkeypatch):
    monkeypatch.setattr(magics, "_transformer", lambda: pytest.fail("it was transformed"))
    many = f"{line}\n" * (magics.LONGEST // len(line)) + "x = 1\n"
    assert magics.as_python(many).endswith("x = 1\n")
    assert magics.as_python("%time x = 1\n" * (magics.MOST + 1)).endswith("x = 1\n")


@pytest.mark.parametrize("length", [5, 500, 900])
def test_a_shortcut_is_found_at_the_root_of_any_chain(length):
    assert "numpy.fft" in found("np.fft" + ".real" * length)


def test_an_alias_of_an_alias_without_end_is_read_to_the_end():
    assert found("np = np.x\n" * 5000 + "import scipy") == ["scipy"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", None), ("a.b", "a.b"), ("a.b" + ".x" * 9, "a.b"), ("c.d.e.f", "c.d.e"), ("c.d.x", None), ("ab.c", None)],
)
def test_a_name_lies_under_what_forbids_it(name, expected):
    assert Names(["a.b", "c.d.e"]).over(name) == expected
    assert Names([]).over(name) is None


def test_names_that_stand_for_names_do_not_fill_the_memory():
    lines = [f"a{number} = getattr(a{number - 1}, '{'y' * 24}')" for number in range(1, 2000)]
    names = aliases("\n".join(["import numpy as a0", *lines]), FORBIDDEN)
    assert sum(map(len, names.values())) < 100_000


def test_one_syntax_tree_is_kept():
    tree = weakref.ref(_parse("a = 1"))
    assert tree() is not None
    found("b = 2")
    assert tree() is None


def test_the_line_of_each_use_is_told_once():
    source = "x = 1\nnp.convolve(np.convolve(a, b), c)\n\nnp.fft.fft(x)"
    assert shortcuts(source, FORBIDDEN, KNOWN) == [("numpy.convolve", 2), ("numpy.fft", 4)]


@pytest.mark.parametrize(
    "source", ["def f(:", "\0", "(" * 10_000, "x = '", "1 +", "%%bash\nls | grep np.convolve", "np.fft" + ".x" * 20_000]
)
def test_what_is_no_python_uses_nothing(source):
    assert found(source) == []
    assert names_defined(source) == set()
    assert names_used(source) == set()


def test_a_name_stands_for_what_an_earlier_cell_imported():
    known = aliases("import numpy as n\nfrom scipy import signal", FORBIDDEN)
    assert found("n.convolve(a, b)", known) == ["numpy.convolve"]
    assert found("signal.convolve2d(a, b)", known) == ["scipy"]
    assert found("np.convolve(a, b)", known) == []


def test_functions_classes_and_variables_are_defined_names():
    source = """
    import os
    import numpy as np
    def f(parameter):
        local = 1
    class C:
        attribute = 1
    a, (b, *c) = 1, (2, 3)
    d: int = 4
    for e in range(3):
        pass
    np.random.seed = 1
    """
    assert names_defined(dedent(source)) == set("fCabcde")


def test_used_names_are_those_that_another_cell_must_define():
    source = """
    import numpy as np
    own = 1
    def f(x, kernel=default):
        out = helper(x)
        def inner():
            return out + other + own + np.pi
        return [item for item in inner()] + f(x)
    result = f(expected)
    """
    assert names_used(dedent(source)) == {"default", "helper", "other", "expected"}


def test_the_symbols_of_a_scope_are_those_of_the_standard_library():
    source = "import a\nglobal g\nb: int = a\ndef f(x, *y):\n    global h\n    h = [z for z in x]\n    return lambda: y"
    scopes = [symtable.symtable(source, "<cell>", "exec")]
    for scope in scopes:
        scopes += scope.get_children()
        tests = [name for name in dir(symtable.Symbol) if name.startswith("is_") and name != "is_namespace"]
        assert [[getattr(each, test)() for test in tests] for each in symbols(scope)] == [
            [getattr(each, test)() for test in tests] for each in scope.get_symbols()
        ]
    assert len(scopes) == 4


def test_a_parameter_is_no_use_of_a_variable_of_that_name():
    assert "x" not in names_used("def f(x):\n    y = x\n    return y")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1\n\n@f\ndef g():\n    pass\nb", ["a = 1", "@f\ndef g():\n    pass", "b"]),
        ("a; b = '''\n'''; c\r\nd\re", ["a; b = '''\n'''; c", "d", "e"]),
        ("%time x\ny = !ls", ["x", "y = None"]),
        ("def", []),
        ("", []),
    ],
)
def test_statements_are_taken_line_by_line(source, expected):
    assert [part.text for part in statements(source)] == expected


def test_a_statement_knows_its_line():
    assert [part.line for part in statements("a = 1\n\n@f\ndef g():\n    pass\nb")] == [1, 3, 6]
