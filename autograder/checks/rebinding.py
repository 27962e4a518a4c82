"""Names that later cells of a notebook bind again or change, of those that an exercise depends on.

Read off the syntax tree, and in doubt they are reported: a name too many costs the time of running cells again, a name
too few costs points.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache

from autograder.checks.shortcuts import MAGIC, UNPARSED, Statement, statements, symbols

ANY = "*"
"""Stands for every name: what the code changes cannot be told."""
UNKNOWN = frozenset(
    {"exec", "eval", "compile", "globals", "locals", "vars", "setattr", "delattr", "__import__", "get_ipython"}
)
"""Functions that may change any name."""
NAMESPACES = frozenset({"globals", "locals", "vars"})
"""Those of them that return a namespace, which may also be read only."""
READERS = frozenset({"get", "keys", "values", "items", "copy"})
SIDE_EFFECTS = frozenset({
    "chdir", "reload", "putenv", "save", "savez", "savez_compressed", "savetxt", "tofile", "to_csv", "write",
    "write_text", "write_bytes", "remove", "unlink", "rename",
})  # fmt: skip
"""Methods and functions that change files or the process, on which any function may depend."""
HARMLESS = frozenset(dir(builtins)) - UNKNOWN - {"next"}
"""Built-in functions that leave their arguments as they are."""
SEEDS = frozenset({"seed", "manual_seed", "manual_seed_all"})
"""The probe sets all seeds before each call of a check."""
REMEMBERED = 5000
"""Characters of the longest cell whose analysis is kept."""
HARMLESS_MAGICS = re.compile(r"[!?]|%+(matplotlib|config|pip|conda|ls|pwd|who|whos|timeit)\b|%%time\b|.*\?$")


@dataclass(frozen=True, slots=True)
class _Statement:
    """A top-level statement: what it binds, uses and changes. A function (or class) does the last when it is called."""

    function: bool
    binds: frozenset[str]
    uses: frozenset[str]
    changes: frozenset[str]
    asks: frozenset[str]
    """Names of which it calls a method and uses the value: a change, unless they are modules."""
    gives: frozenset[str]
    """Names that it gives to other functions as arguments: a change, unless they are functions."""
    imports: frozenset[tuple[str, str]]
    """Names, each with what it is imported as."""


UNREAD = _Statement(
    function=False,
    binds=frozenset(),
    uses=frozenset(),
    changes=frozenset({ANY}),
    asks=frozenset(),
    gives=frozenset(),
    imports=frozenset(),
)
"""A statement that may do anything."""


class Notebook:
    """The code cells of a notebook that ran, by position; None where there is none.

    Args:
        sources: the source of each cell.
    """

    def __init__(self, sources: Sequence[str | None]) -> None:
        self._sources = sources
        self._read: dict[int, tuple[_Statement, ...]] = {}

    def changed_after(self, position: int, names: Collection[str]) -> set[str]:
        """What cells from `position` on bind again or change, of `names` and of all that they depend on above it.

        `{ANY}` where it cannot be told what they change.
        """
        if not any(source and source.strip() for source in self._sources[position:]):
            return set()
        needed = self._needed(position, names)
        known = {pair for statement in self._statements(range(position)) for pair in statement.imports}
        changed: set[str] = set()
        called: set[str] = set()
        for statement in self._statements(range(position, len(self._sources))):
            changed |= statement.binds
            if not statement.function:
                changed |= self._changes(statement) | {name for name, _ in statement.imports - known}
                called |= statement.uses
        changed |= self._changed_by_calls(called)
        return {ANY} if ANY in changed else changed & needed

    def binds_after(self, position: int, names: Collection[str]) -> set[str]:
        """Those of `names` that cells from `position` on define as functions, classes or variables."""
        found: set[str] = set()
        for index in range(position, len(self._sources)):
            source = self._sources[index]
            if source and any(name in source for name in names):
                found = found.union(*(statement.binds for statement in self._cell(index)))
        return found & set(names)

    def binds_before(self, position: int, names: Collection[str]) -> set[str]:
        """Those of `names` that cells above `position` bind."""
        return {name for statement in self._statements(range(position)) for name in statement.binds} & set(names)

    def _needed(self, position: int, names: Collection[str]) -> set[str]:
        """`names`, and all that the statements above `position` need which bind or change one of them."""
        makes: dict[str, list[_Statement]] = defaultdict(list)
        for statement in self._statements(range(position)):
            for name in {*statement.binds, *statement.changes, *(name for name, _ in statement.imports)}:
                makes[name].append(statement)
        needed: set[str] = set()
        waiting = set(names)
        while waiting:
            needed |= waiting
            waiting = {used for name in waiting for made in makes.get(name, ()) for used in made.uses} - needed
        return needed

    def _changed_by_calls(self, called: AbstractSet[str]) -> set[str]:
        """What functions change that are reached from the names `called`."""
        changed: set[str] = set()
        seen: set[str] = set()
        waiting = set(called)
        while waiting:
            seen |= waiting
            reached = [made for name in waiting for made in self._functions.get(name, ())]
            changed = changed.union(*map(self._changes, reached))
            waiting = set().union(*(made.uses for made in reached)) - seen
        return changed

    def _changes(self, statement: _Statement) -> set[str]:
        """What a statement changes; a module's attribute may be used under any name."""
        changes = statement.changes | (statement.asks - self._modules) | (statement.gives - self._functions.keys())
        return {ANY} if any(f"{name}." in changes for name in self._modules) else set(changes)

    @cached_property
    def _functions(self) -> dict[str, list[_Statement]]:
        found: dict[str, list[_Statement]] = defaultdict(list)
        for statement in self._statements(range(len(self._sources))):
            for name in statement.binds if statement.function else ():
                found[name].append(statement)
        return found

    @cached_property
    def _modules(self) -> set[str]:
        return {name for made in self._statements(range(len(self._sources))) for name, _ in made.imports}

    def _statements(self, positions: range) -> Iterator[_Statement]:
        for position in positions:
            yield from self._cell(position)

    def _cell(self, position: int) -> tuple[_Statement, ...]:
        if position not in self._read:
            source = self._sources[position] or ""
            self._read[position] = _remembered(source) if len(source) <= REMEMBERED else tuple(_analysed(source))
        return self._read[position]


@lru_cache(maxsize=512)
def _remembered(source: str) -> tuple[_Statement, ...]:
    """The statements of a cell; most cells of a class are as they were released."""
    return tuple(_analysed(source))


def _analysed(source: str) -> Iterator[_Statement]:
    parts = statements(source)
    if parts and not all(HARMLESS_MAGICS.match(found[0].strip()) for found in MAGIC.finditer(source)):
        yield UNREAD
    for part in parts:
        try:
            yield _statement(part)
        except UNPARSED:  # it parses as part of its cell, but is nested too deep for the symbol table
            yield UNREAD


def _statement(part: Statement) -> _Statement:
    outermost = symtable.symtable(part.text, "<cell>", "exec")
    binds: set[str] = set()
    uses: set[str] = set()
    changes: set[str] = set()
    scopes = [outermost]
    for scope in scopes:
        scopes += scope.get_children()
        for symbol in symbols(scope):
            name, outer = symbol.get_name(), scope is outermost
            if outer and symbol.is_assigned():
                binds.add(name)
            elif symbol.is_declared_global() and (symbol.is_assigned() or symbol.is_imported()):
                changes.add(name)
            if symbol.is_referenced() and (outer or symbol.is_global()):
                uses.add(name)
    tree = part.tree
    found = _Changes(tree)
    return _Statement(
        function=all(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in tree.body),
        binds=frozenset(binds),
        uses=frozenset(uses),
        changes=frozenset(changes | {name for name in found.changes if name.rstrip(".") in uses | binds | {ANY}}),
        asks=frozenset(found.asks & uses),
        gives=frozenset(found.gives & uses),
        imports=frozenset(found.imports),
    )


class _Changes:
    """Names whose objects a statement may change: by a stored attribute or item, a method, or as an argument.

    A name with a point behind it stands for a stored attribute or a setting of that name, which may be a module.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.changes: set[str] = set()
        self.asks: set[str] = set()
        self.gives: set[str] = set()
        self.imports: set[tuple[str, str]] = set()
        discarded = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        self._read = {id(node) for node in _read_only(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
                self._store(node)
            elif isinstance(node, ast.Import):
                self.imports |= {(a.asname or a.name.partition(".")[0], a.name if a.asname else "") for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                self.imports |= {(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names}
                self.changes |= {ANY} if node.names[0].name == "*" else set()
            elif isinstance(node, ast.Call):
                self._call(node, discarded=id(node) in discarded)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        name, path = _root(node)
        if "rcParams" not in path:
            self.changes |= {name, f"{name}."}

    def _call(self, call: ast.Call, *, discarded: bool) -> None:
        function = call.func
        if isinstance(function, ast.Name):
            if (function.id in UNKNOWN and not (function.id in NAMESPACES and id(call) in self._read)) or (
                function.id == "open" and _writes(call)
            ):
                self.changes.add(ANY)
            if function.id in HARMLESS:
                return
        elif isinstance(function, ast.Attribute):
            name, _ = _root(function)
            if function.attr in SEEDS:
                return
            if function.attr in SIDE_EFFECTS:
                self.changes.add(ANY)
            if function.attr.startswith("set") and function.attr != "set_printoptions":
                self.changes.add(f"{name}.")
            if not discarded:
                self.asks.add(name)
                return
            self.changes.add(name)
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        self.gives |= {argument.id for argument in given if isinstance(argument, ast.Name)}


def _read_only(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions that are only read where they stand: `e["k"]`, `e.get("k")`, `"k" in e`, `f(**e)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg is None:
            yield node.value
        elif isinstance(node, ast.Compare):
            yield from node.comparators
        elif (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr in READERS
        ):
            yield node.value


def _writes(call: ast.Call) -> bool:
    """Whether a call of `open` may write: its mode is unknown, or one that writes."""
    given = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(not isinstance(mode, ast.Constant) or set("wax+") & set(str(mode.value)) for mode in given)


def _root(node: ast.expr) -> tuple[str, list[str]]:
    """The name of `a.b["c"].d`, and the attributes; an empty name where it begins with none."""
    path = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            path.append(node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), path
