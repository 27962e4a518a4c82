"""Attacks on the memory and the processor time of the grader itself (lines 27 and 28 of docs/security.md)."""

from __future__ import annotations

from attack import Attack

from autograder.notebooks.document import lines_of

SIZE = 3_900_000
"""Bytes of an answer: what `vault` allows, 4 MiB, but for the rest of its message."""
WRONG = {"scale": r"\S", "smooth": r"\S", "spell": r"\S"}
KEPT = Attack(
    27,
    "answers as large as they may be, to each call",
    scale=f"import numpy as np\ndef scale(x, factor):\n    return np.zeros({SIZE // 8})",
    smooth=f"import torch\ndef smooth(x):\n    return torch.zeros({SIZE // 4})",
    spell=f"def spell(n):\n    return bytes({SIZE})",
    says=WRONG,
)
TEXTS = Attack(
    27,
    "texts as long as they may be, of the characters that take most",
    scale="def scale(x, factor):\n    return '\\N{GRINNING FACE}' * 1_000_000",
    smooth="def smooth(x):\n    return ['\\0' * 1000] * 600",
    spell="def spell(n):\n    return '\\N{GRINNING FACE}' * 300_000",
    says=WRONG,
)
MANY = Attack(
    27,
    "as many parts as there may be",
    scale="def scale(x, factor):\n    return [[]] * 90_000",
    smooth="def smooth(x):\n    return {str(key): None for key in range(40_000)}",
    spell="def spell(n):\n    return [str(n)] * 90_000",
    says={**WRONG, "spell": "the answers before had more than 8 MiB of lists, dicts and texts in all"},
)


def _filled(line: str, size: int) -> str:
    """`line` with a number in it, again and again: `size` characters and 4,500 lines and semicolons at most."""
    times = min(size // (len(line) + 10), 4500 // lines_of(line)) or 1
    return "\n".join(line.format(number, number + 1) for number in range(times))


SOURCES = {
    "functions that call one another": "def f{0}(): return f{1}()",
    "names that stand for names": "a{1} = getattr(a{0}, 'xxxxxxxxxxxxxxxxxxxxxxx')",
    "attributes that are stored": "a{0}.b.c['x'] = a{1}.d",
    "imports": "from a{0}.b import c{1} as d",
    "classes in classes": "class C{1}(C{0}): x = [C{0} for y in C{1}]",
    "globals": "def g{0}(): global h{0}; h{0} = g{1}",
    "decorators": "@f{0}\ndef f{1}(*a, **k): pass",
    "one statement of 190,000 signs": "x = [" + "1," * 94_000 + "]  # {0}",
    "one chain of names": "x = a" + ".b" * 90_000 + "  # {0}",
    "comparisons": "assert f{0}(np.convolve) == f{1}(x)",
}
ATTACKS = [
    KEPT,
    TEXTS,
    MANY,
    *(Attack(28, f"{name}, as many as there may be", last=_filled(line, 190_000)) for name, line in SOURCES.items()),
]
