"""What IPython makes of a cell, as Python: without prompts and indentation, with the code that magics run."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Any

LONGEST = 20_000
"""Characters of a cell that is transformed: IPython reads all of it again for each magic."""
MOST = 20
"""Lines with magics of such a cell."""
DEEPEST = 4
"""Magics within magics: `%%capture` of `%%time`."""
RUNS = frozenset({"time", "timeit", "prun", "capture", "memit", "mprun", "lprun", "debug"})
"""Magics that run what stands after them."""
PROMPT = re.compile(r"\s*(?:>>>|In \[\d+\]:)")
SPECIAL = re.compile(r"^[ \t]*(?:(?:\w[\w, \t]*=[ \t]*)?[%!].*|[?,;/].*|.*\?)$", re.MULTILINE)
TEXT = r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
MAGIC = re.compile(rf"get_ipython\(\)\.(?:run_line_magic\('(\w+)', {TEXT}\)|(?:system|getoutput)\({TEXT}\))")
"""What IPython writes for a magic or a shell command in a line."""
OPTIONS = re.compile(r"^(?:-\w+(?:[ \t]*\d+)?[ \t]+)*")
CELL_MAGIC = re.compile(r"(\s*)%%(\w+).*\n?")


def as_python(source: str) -> str:
    """The Python of a cell, its lines where they were; nothing of it is executed.

    A cell that is too long, or has too many magics, is returned as it is.

    Raises:
        SyntaxError: IPython refuses it too.
    """
    blank = ""
    for _ in range(DEEPEST):  # a magic of a whole cell runs the rest of it, whichever it is: see `inside/shell.py`
        if (match := CELL_MAGIC.match(source)) is None:
            break
        blank += "\n" * source[: match.end()].count("\n")
        source = source[match.end() :]
    if len(source) > LONGEST or len(SPECIAL.findall(source)) > MOST:
        return blank + source
    blank += "\n" * (len(source) - len(source.lstrip("\n")))
    text: str = _transformer().transform_cell(source.lstrip("\n"))
    return blank + MAGIC.sub(_run_by, text)


def _run_by(match: re.Match[str]) -> str:
    """The Python that a line magic runs; of others and of commands nothing but a value."""
    if match[1] not in RUNS:
        return "None"
    code = str(ast.literal_eval(match[2]))
    return code if match[1] == "time" else OPTIONS.sub("", code, count=1)


@cache
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager  # only for cells that are no Python

    return TransformerManager()
