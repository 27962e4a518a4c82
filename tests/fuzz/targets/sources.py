"""What a student wrote as code: forbidden shortcuts are found in it or it is no Python, and nobody is hurt."""

from __future__ import annotations

from hypothesis import strategies as st
from nbformat import NotebookNode

from autograder.checks.rebinding import ANY, Notebook
from autograder.checks.shortcuts import UNPARSED, aliases, names_defined, names_used, shortcuts
from autograder.grading.cells import forbidden

SECONDS = 30
FORBIDDEN = ("numpy.convolve", "numpy.fft", "scipy", "torch")
WORDS = [
    *(
        word.encode()
        for word in [
            "import",
            "from",
            "as",
            "getattr(",
            "np",
            "numpy",
            "scipy",
            "torch",
            "fft",
            "convolve",
            "__import__(",
            "def",
            "lambda",
        ]
    ),
    *(
        b"importlib.import_module('",
        b"\n%time ",
        b"\n!ls",
        b"np.fft",
        b"?\n",
        b"    ",
        b"\t",
        b"\x0c",
        b"\\\n",
        b"'''",
        b'f"{',
    ),
    *(
        b"import numpy as np\n",
        b"from numpy import *\n",
        b"n=getattr(n,'",
        b"match x:\n case ",
        b"async ",
        b":=",
        b"\xc2\xb5",
    ),
]


def check(data: bytes) -> bool:
    source = data.decode("utf-8", "replace").replace("\ufffd", "?")
    known = aliases(source, FORBIDDEN, {"np": "numpy"})
    assert all(type(name) is type(meant) is str for name, meant in known.items())
    assert sum(map(len, known.values())) <= 50 * len(source) + 2000, "an alias grows with each use"
    used = shortcuts(source, FORBIDDEN, {"np": "numpy"})
    assert all(name in FORBIDDEN and 1 <= line <= source.count("\n") + source.count("\r") + 1 for name, line in used)
    names = names_defined(source), names_used(source)
    assert all(type(name) is str for found in names for name in found)
    if parses(more := f"{source}\nimport scipy\nnp = numpy"):
        assert "scipy" in [name for name, _ in shortcuts(more, FORBIDDEN)]
        assert "np" in names_defined(more)
    changed = Notebook(["def f():\n    return np.pad", source]).changed_after(1, {"f"})
    assert changed <= {"f", "np", ANY}
    bans = forbidden(exercise(source), FORBIDDEN)
    assert bool(used) <= bool(bans)
    asked = forbidden(exercise(source), FORBIDDEN, exercise("def f():\n    raise NotImplementedError()"))
    assert bool(asked) <= bool(bans), "what is no shortcut in the whole cell is none in a part of it"
    for failure in (*bans.values(), *asked.values()):
        assert failure.cause == "forbidden"
        failure.message.encode()
    return True


def parses(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec")
    except UNPARSED:
        return False
    return True


def exercise(source: str) -> NotebookNode:
    """A notebook with the source as an answer, and once more as a cell that the student added."""
    texts = ("import numpy as np", source, source, "")
    cells = [NotebookNode(cell_type="code", metadata=NotebookNode(), source=text) for text in texts]
    for cell, solution in ((cells[2], True), (cells[3], False)):
        cell.metadata["nbgrader"] = NotebookNode(grade_id="f", solution=solution, grade=not solution)
    return NotebookNode(cells=cells)


names = st.sampled_from(["np", "numpy", "n", "m", "scipy", "fft", "convolve", "f", "x", "getattr", "torch", "_", "µ"])
atoms = st.one_of(
    names,
    st.sampled_from(
        ["1", "'a'", "'fft'", "'scipy'", "...", "[]", "f'{n!r:>{m}}'", "b''", "1j", "lambda: 0", "*n", "**m"]
    ),
    st.text(max_size=4).map(repr),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, names),
        st.builds("{}({}, {})".format, inner, inner, inner),
        st.builds("getattr({}, {})".format, inner, inner),
        st.builds("__import__({}).{}".format, inner, names),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, names, inner, inner),
        st.builds("({} := {})".format, names, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("{{{}: {}, **{}}}".format, inner, inner, inner),
    ),
    max_leaves=10,
)
lines = st.one_of(
    st.builds("{} = {}".format, names, expressions),
    st.builds("{}, ({}, *{}) = {}".format, names, names, names, expressions),
    st.builds("import {}".format, names),
    st.builds("import {}.{} as {}".format, names, names, names),
    st.builds("from {} import {} as {}".format, names, names, names),
    st.builds("from {} import *".format, names),
    st.builds("from .{} import {}".format, names, names),
    st.builds("def {}({}={}):\n    return {}".format, names, names, expressions, expressions),
    st.builds("class {}({}):\n    {} = {}".format, names, expressions, names, expressions),
    st.builds("for {} in {}:\n    {}".format, names, expressions, expressions),
    st.builds("with {} as {}: global {}".format, expressions, names, names),
    st.builds("match {}:\n    case {}: del {}".format, expressions, atoms, names),
    st.builds("{}: {} = {}".format, names, expressions, expressions),
    st.builds(
        "{}{}{}".format, st.sampled_from(["%time ", "!ls ", "?", "%%bash\n", "x = !", "\t%"]), expressions, st.just("?")
    ),
    expressions,
)
chains = st.builds(
    lambda link, count: "import numpy as a0\n" + "".join(link.format(i, i - 1) + "\n" for i in range(1, count + 1)),
    st.sampled_from(
        [
            "a{0} = getattr(a{1}, 'y' 'yyyyyyyyyyyy')",
            "a{0} = a{1}.real.real",
            "a0 = a0.x",
            "a{0} = a{1}",
            "a0 = getattr(a0, 'xx')",
            "def a{0}(): return a{1}",
            "import a{0}.a{1}",
            "from a{0} import *",
            "class a{0}(a{1}): pass",
            "x = [a{1}, a{0}]",
        ]
    ),
    st.sampled_from([3, 3, 30, 30, 300, 2000]),
)
nests = st.builds(
    lambda left, middle, right, depth: left * depth + middle + right * depth,
    st.sampled_from(
        ["(", "[", "{1:", "f(", "getattr(", "not ", "-", "lambda x=", "(yield ", "a if b else ", "*", "x[", "await "]
    ),
    atoms,
    st.sampled_from([")", "]", "}", ",)", ", 'x')", "", ":0", ".x", "\n"]),
    st.sampled_from([5, 50, 99, 150, 220, 3000]),
)
blocks = st.builds(
    lambda head, depth: "".join(" " * level + head + "\n" for level in range(depth)) + " " * depth + "pass",
    st.sampled_from(["if x:", "def f(x):", "class C:", "for x in y:", "with a as b:", "try:", "while x:"]),
    st.integers(1, 110),
)
many = st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(
        ["a\n", "a;", "0,", "f(a)\n", "'a'", "np.fft\n", "x = 1 # y\n", "%x\n", "a?", " ", "\t", "\\\n", "a=b,"]
    ),
    st.sampled_from([1, 100, 100, 300, 300, 12_000]),
)
sources = st.one_of(
    *[st.lists(lines, min_size=1, max_size=5).map("\n".join)] * 12,
    *[nests] * 3,
    *[blocks] * 2,
    st.text(max_size=30),
    chains,
    many,
)
cases = sources.map(lambda source: source.encode("utf-8", "replace"))
