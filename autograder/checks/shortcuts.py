"""Forbidden shortcuts, found in the syntax tree: imports and attributes that would do the exercise's work."""

from __future__ import annotations

import ast
import re
import symtable
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import NamedTuple

from autograder.checks.magics import PROMPT, as_python

UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises for source that it does not parse."""
LONGEST_NAME = 16
"""Attributes of a dotted name that are looked at: whatever lies deeper is forbidden by what it lies under."""
LONGEST_BASE = 1000
"""Characters: a name that stands for one name more in each line would fill the memory."""
BINDING = {
    "__builtins__", "__import__", "builtins", "ctypes", "delattr", "eval", "exec", "get_ipython", "globals",
    "importlib", "locals", "setattr", "sys", "types", "vars",
}  # fmt: skip
"""Names by which a statement can define a function without saying so."""
MAGIC = re.compile(r"^([ \t]*)(?:(?:\w[\w, \t]*=[ \t]*)?[%!].*|\?.*|[\w.]+\?+[ \t]*)$", re.MULTILINE)
"""A line in IPython's own language: `%time f()`, `files = !ls`, `?f`, `f?`."""


class Names(frozenset[str]):
    """Forbidden dotted names, indexed: what is looked up in them takes the same time however many there are."""

    def __init__(self, names: Iterable[str]) -> None:
        del names  # the set has them
        self.deepest = max((name.count(".") + 1 for name in self), default=0)
        """Parts of the longest: what lies deeper is decided by those."""
        self.below: dict[str, set[str]] = {}
        """By module, the first parts of what is forbidden in it: what `from module import *` may bring."""
        for name in self:
            parts = name.split(".")
            for end in range(1, len(parts)):
                self.below.setdefault(".".join(parts[:end]), set()).add(parts[end])

    def over(self, name: str) -> str | None:
        """Return the forbidden name that `name` is, or lies under; None where there is none."""
        parts = name.split(".", self.deepest)[: self.deepest]
        prefixes = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        return next((prefix for prefix in prefixes if prefix in self), None)


def aliases(source: str, forbidden: Iterable[str], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The dotted names that names in `source` stand for, by import or by assignment: `{"np": "numpy"}`.

    `known` are those of the cells before. Of `from numpy import *` only what is forbidden gets an alias.
    """
    names = dict(known or {})
    _add_aliases(source, forbidden if isinstance(forbidden, Names) else Names(forbidden), names)
    return names


def _add_aliases(source: str, forbidden: Names, names: MutableMapping[str, str]) -> None:
    starred: set[str] = set()
    for node in ast.walk(_parse(source)):
        if isinstance(node, ast.Import):
            names.update(
                {(name.asname or _top(name.name)): name.name if name.asname else _top(name.name) for name in node.names}
            )
        elif isinstance(node, ast.ImportFrom):
            names.update({(name.asname or name.name): f"{node.module}.{name.name}" for name in node.names})
            if node.names[0].name == "*" and node.module and node.module not in starred:
                starred.add(node.module)
                names.update({name: f"{node.module}.{name}" for name in forbidden.below.get(node.module, ())})
        elif isinstance(node, ast.Assign) and (stands_for := _dotted(node.value, names)) is not None:
            names.update({target.id: stands_for for target in node.targets if isinstance(target, ast.Name)})


def shortcuts(source: str, forbidden: Iterable[str], known: Mapping[str, str] | None = None) -> list[tuple[str, int]]:
    """The forbidden dotted names that `source` uses, each with its line; `known` as for `aliases`.

    A name forbids what lies under it: `scipy` forbids `scipy.signal.convolve`, however it is imported or
    aliased. Source that does not parse uses nothing: it will fail by itself.
    """
    names: ChainMap[str, str] = ChainMap({}, known or {})  # type: ignore[arg-type]  # only the first is written to
    banned = forbidden if isinstance(forbidden, Names) else Names(forbidden)
    _add_aliases(source, banned, names)
    found: dict[tuple[str, int], None] = {}
    for node in ast.walk(_parse(source)):
        for used, line in _uses(node, names):
            if (hit := banned.over(used)) is not None:
                found[hit, line] = None
    return list(found)


def names_defined(source: str) -> set[str]:
    """Top-level functions, classes and variables that `source` defines; empty where it does not parse."""
    outermost = next(_scopes(source), None)
    return {symbol.get_name() for symbol in symbols(outermost) if symbol.is_assigned()} if outermost else set()


def names_used(source: str) -> set[str]:
    """Names that `source` reads and leaves to other cells to define; empty where it does not parse.

    A parameter or a local variable is no use of another cell's variable, whatever it is called.
    """
    read: set[str] = set()
    defined: set[str] = set()
    for scope in _scopes(source):
        outermost = scope.get_type() == "module"
        for symbol in symbols(scope):
            if outermost and (symbol.is_assigned() or symbol.is_imported()):
                defined.add(symbol.get_name())
            elif symbol.is_referenced() and (outermost or symbol.is_global()):
                read.add(symbol.get_name())
    return read - defined


def names_changed(source: str) -> set[str]:
    """Names that the top level of `source` assigns into: `a` of `a.b = c` and `a["b"] = c`."""
    changed: set[str] = set()
    for statement in _parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute | ast.Subscript) and _is_stored(node) and (base := _base(node)):
                changed.add(base)
    return changed


def _is_stored(node: ast.Attribute | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)


def _base(node: ast.expr) -> str | None:
    """`a` of `a.b["c"]`; None where that is no name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class Statement(NamedTuple):
    """A top-level statement of a cell: its text and the line it begins in, from 1."""

    text: str
    line: int

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree. Use it before the next is made: see `_latest`."""
        return _parse(self.text)

    @property
    def is_test(self) -> bool:
        """Whether all that it can define or change is in `names_defined` and `names_changed`."""
        return not any(
            (isinstance(node, ast.Name) and node.id in BINDING)
            or (isinstance(node, ast.Attribute | ast.Subscript) and _is_stored(node) and _base(node) is None)
            for node in ast.walk(_parse(self.text))
        )


def statements(source: str) -> list[Statement]:
    """The top-level statements of `source`, those that share a line together; none where it does not parse."""
    text, tree = _python(source)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    spans: list[tuple[int, int]] = []
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or first
        if spans and first <= spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return [Statement("\n".join(lines[first - 1 : last]), first) for first, last in spans]


def _uses(node: ast.AST, names: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The dotted names that one node uses, each with its line."""
    if isinstance(node, ast.Import):
        yield from ((name.name, node.lineno) for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)
    elif isinstance(node, ast.expr) and (name := _dotted(node, names)) is not None:
        yield name, node.lineno


def _dotted(node: ast.AST, names: Mapping[str, str]) -> str | None:
    """The dotted name of `np.fft`, `getattr(np, "fft")` or `import_module("scipy")`; None of anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < LONGEST_NAME:
            parts.insert(0, node.attr)
            node = node.value
        base = None if isinstance(node, ast.Attribute) else _dotted(node, names)
        return None if base is None or len(base) > LONGEST_BASE else ".".join([base, *parts])
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name == "getattr" and texts and (base := _dotted(node.args[0], names)) is not None:
            return None if len(base) > LONGEST_BASE else f"{base}.{texts[0]}"
        if name in {"__import__", "import_module"} and texts:
            return texts[0]
    return None


def _top(name: str) -> str:
    return name.partition(".")[0]


def symbols(scope: symtable.SymbolTable) -> list[symtable.Symbol]:
    """As `scope.get_symbols()`, in linear time: that searches all scopes within this one for each of its symbols."""
    flags: dict[str, int] = scope._table.symbols  # type: ignore[attr-defined]  # there is no public way
    outermost = scope.get_type() == "module"
    return [symtable.Symbol(name, each, module_scope=outermost) for name, each in flags.items()]


def _scopes(source: str) -> Iterator[symtable.SymbolTable]:
    """The cell's scope, then those of its functions and classes; none where it does not parse."""
    try:
        scopes = [symtable.symtable(_python(source)[0], "<cell>", "exec")]
    except UNPARSED:
        return
    for scope in scopes:
        yield scope
        scopes += scope.get_children()


def _parse(source: str) -> ast.Module:
    return _python(source)[1]


_latest: dict[str, tuple[str, ast.Module]] = {}
"""One source, which is asked for several times in a row. A tree may take 400 MB: there is never room for two."""


def _python(source: str) -> tuple[str, ast.Module]:
    """The source if it is Python, or is without its magics, and its tree; nothing where it is not."""
    found = _latest.get(source)
    if found is None:
        _latest.clear()
        found = _latest[source] = _parsed(source)
    return found


def _parsed(source: str) -> tuple[str, ast.Module]:
    made: tuple[Callable[[], str], ...] = (
        lambda: source,
        lambda: as_python(source),
        lambda: MAGIC.sub(r"\1pass", source),
    )
    refused: set[str] = set()
    for text in made[1:] if PROMPT.match(source) else made:
        try:
            if (found := text()) not in refused:
                refused.add(found)
                return found, ast.parse(found)
        except UNPARSED:
            continue
    return "", ast.Module([], [])
