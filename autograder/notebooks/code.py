"""What a cell's Python defines and needs, read from its syntax tree: nothing is run, and hostile text costs little."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

LONGEST: Final = 100_000
"""Characters: longer cells are not searched for definitions. A syntax tree is a thousand times as large."""

_UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
_MAGIC = re.compile(r"^([ \t]*)(?:(?:\w[\w, \t]*=[ \t]*)?[%!].*|\?.*|[\w.]+\?+[ \t]*)$", re.MULTILINE)
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*\n")
_PYTHON_MAGICS = frozenset({"time", "capture", "prun"})
"""Cell magics whose cells define names in the notebook as cells without a magic do."""
_BUILTINS = frozenset(dir(builtins))
_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([\w+.#-]*)[^`\n]*$")
_LANGUAGES = frozenset({"", "python", "python3", "py", "ipython", "ipython3"})


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement (or several that share a line): its lines, and what it does."""

    first: int
    last: int
    """Numbers of its lines, from 1, decorators included."""
    defined: Mapping[str, str]
    """What it binds: `def` for functions and classes, `call` for what may be callable, `import`, else `value`."""
    inert: bool
    """It cannot raise, as far as that can be seen: a definition, a constant, an import of a known module."""
    key: str = field(repr=False)
    """Equal for statements that differ in their layout alone."""


@dataclass(frozen=True, slots=True)
class Code:
    """A cell's source as Python sees it; `parses` is False where Python would refuse it, and all else is empty."""

    parses: bool = False
    statements: tuple[Statement, ...] = ()
    used: frozenset[str] = frozenset()
    """Names that it reads, at its top level or in its functions, and leaves to other cells to define."""

    @property
    def defined(self) -> dict[str, str]:
        """What it binds, by name; of several the last."""
        return {name: kind for statement in self.statements for name, kind in statement.defined.items()}


class Reader:
    """Reads the cells of one submission, each text once."""

    def __init__(self, modules: Collection[str] = ()) -> None:
        """`modules` are known to be importable, besides the standard library's."""
        self._known = frozenset(modules) | sys.stdlib_module_names
        self._read: dict[str, Code] = {}

    def read(self, source: str) -> Code:
        """What `source` defines and uses; nothing where it does not parse or is longer than `LONGEST`."""
        found = self._read.get(source)
        if found is None:
            found = self._read[source] = _read(source, self._known)
        return found


@lru_cache(maxsize=512)
def of_release(source: str) -> Code:
    """What a released cell defines and uses."""
    return _read(source, frozenset())


@lru_cache(maxsize=512)
def modules(source: str) -> frozenset[str]:
    """The packages that a released cell imports."""
    found: set[str] = set()
    for node in _body(source):
        if isinstance(node, ast.Import):
            found.update(name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return frozenset(found)


def has_cell_magic(source: str) -> bool:
    """Whether IPython reads the whole cell in a way of its own (`%%time`)."""
    return source.lstrip().startswith("%%")


def is_indented(source: str) -> bool:
    """Whether its first line of code is indented: it was the rest of another cell."""
    first = next((line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    return first[:1] in (" ", "\t")


def continues(source: str, before: str) -> bool:
    """Whether an indented `source` is the rest of `before`, which was split within a definition.

    It is if it makes no sense by itself (a `return`, a broken line), or holds methods for the class before it.
    """
    if len(source) + len(before) > LONGEST or not is_indented(source) or not _body(f"{before}\n{source}"):
        return False
    if not _compiles(dedented(source)):
        return True
    last = _body(before)[-1:]
    return bool(last) and isinstance(last[0], ast.ClassDef)


def completes(before: str, source: str) -> bool:
    """Whether `before` is broken by itself and right with `source` after it."""
    if len(source) + len(before) > LONGEST:
        return False
    return not _parses(before) and _parses(f"{before}\n{source}")


def dedented(source: str) -> str:
    """The source without the indent of its first line, as IPython runs it."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return "\n".join(line.removeprefix(indent) for line in lines) if indent else source


def fenced(source: str) -> str | None:
    """The Python in the fenced blocks of a text, what is around them as comments; None where there is none."""
    made: list[str] = []
    fence, inside, found = "", False, False
    for line in source.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2]:
                fence = ""
            elif inside:
                made.append(line)
            else:
                made.append(f"# {line}" if line.strip() else "")
        elif mark:
            fence, inside = mark[1], mark[2].lower() in _LANGUAGES
            found = found or inside
        else:
            made.append(f"# {line}" if line.strip() else "")
    return "\n".join(made).strip("\n") if found else None


def is_words(source: str) -> bool:
    """Whether a code cell holds words instead of code: comments, texts, or what is no Python at all."""
    if len(source) > LONGEST or has_cell_magic(source) or not source.strip():
        return False
    tree = _tree(source)
    if tree is None:
        return True
    return all(isinstance(node, ast.Expr) and _says(node.value) for node in tree.body)


def _says(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):  # print("the weights are shared")
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return name == "print" and bool(node.args) and all(isinstance(each, ast.Constant) for each in node.args)
    if isinstance(node, ast.Tuple):
        return all(_says(each) for each in node.elts)
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _read(source: str, known: frozenset[str]) -> Code:
    if len(source) > LONGEST:
        return Code()
    text, tree = _python(source)
    if tree is None:
        return Code()
    statements: list[Statement] = []
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or first
        made = Statement(first, last, _bound(node), _is_inert(node, known), _key(node))
        if statements and first <= statements[-1].last:
            before = statements.pop()
            made = Statement(
                before.first,
                max(last, before.last),
                {**before.defined, **made.defined},
                before.inert and made.inert,
                f"{before.key};{made.key}",
            )
        statements.append(made)
    try:
        return Code(True, tuple(statements), _used(text))
    except _UNPARSED:
        return Code()


def _key(node: ast.stmt) -> str:
    try:
        return ast.dump(node)
    except RecursionError:
        return f"line {node.lineno}"


def _bound(node: ast.stmt) -> dict[str, str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name: "def"}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0]: "import" for name in node.names}
    value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AnnAssign) else None
    kind = "call" if isinstance(value, ast.Lambda | ast.Name | ast.Attribute | ast.Call) else "value"
    return dict.fromkeys(_targets(node), kind)


def _targets(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds at the top level, within `if`, `for`, `with` and `try` too."""
    waiting: list[ast.AST] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.Import | ast.ImportFrom):
            yield from ((name.asname or name.name).partition(".")[0] for name in each.names)
        elif not isinstance(each, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            waiting.extend(ast.iter_child_nodes(each))


def _is_inert(node: ast.stmt, known: frozenset[str]) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return not node.decorator_list
    if isinstance(node, ast.Import):
        return all(name.name.partition(".")[0] in known for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").partition(".")[0] in known
    if isinstance(node, ast.Expr | ast.Assign):
        return isinstance(node.value, ast.Constant) and (
            isinstance(node, ast.Expr) or all(isinstance(target, ast.Name) for target in node.targets)
        )
    return isinstance(node, ast.Pass)


def _used(text: str) -> frozenset[str]:
    used: set[str] = set()
    bound: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scopes = [symtable.symtable(text, "<cell>", "exec")]
    for scope in scopes:
        outermost = scope.get_type() == "module"
        for symbol in scope.get_symbols():
            if outermost and (symbol.is_assigned() or symbol.is_imported()):
                bound.add(symbol.get_name())
            elif symbol.is_referenced() and (outermost or symbol.is_global()):
                used.add(symbol.get_name())
        scopes += scope.get_children()
    return frozenset(used - bound - _BUILTINS)


def _body(source: str) -> list[ast.stmt]:
    tree = _tree(source)
    return tree.body if tree else []


def _parses(source: str) -> bool:
    return _tree(source) is not None


def _compiles(source: str) -> bool:
    text, tree = _python(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except _UNPARSED:
        return False
    return tree is not None


def _tree(source: str) -> ast.Module | None:
    return _python(source)[1]


def _python(source: str) -> tuple[str, ast.Module | None]:
    """The source as Python can read it, without its magics and with as many lines, and its tree."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    if magic := _CELL_MAGIC.match(text):
        if magic[1] not in _PYTHON_MAGICS:
            return "", None
        text = "\n" * magic[0].count("\n") + text[magic.end() :]
    elif has_cell_magic(text):
        return "", None
    text = dedented(text)
    for tried in (text, _MAGIC.sub(r"\1pass", text)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return tried, ast.parse(tried)
        except _UNPARSED:
            continue
    return "", None
