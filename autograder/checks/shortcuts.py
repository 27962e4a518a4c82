"""Forbidden shortcuts, found in the syntax tree: imports and attributes that would do the exercise's work."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence


def shortcuts(source: str, forbidden: Sequence[str]) -> list[tuple[str, int]]:
    """The forbidden dotted names that `source` uses, each with its line.

    A name forbids what lies under it: `scipy` forbids `scipy.signal.convolve`, however it is imported or
    aliased. Source that does not parse uses nothing: it will fail by itself.
    """
    try:
        tree = ast.parse(_without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    aliases: dict[str, str] = {}
    found: list[tuple[str, int]] = []

    def note(name: str, line: int) -> None:
        hit = next((bad for bad in forbidden if name == bad or name.startswith(bad + ".")), None)
        if hit is not None and (hit, line) not in found:
            found.append((hit, line))

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                aliases[name.asname or name.name.split(".")[0]] = (
                    name.name if name.asname else name.name.split(".")[0]
                )
                note(name.name, node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                aliases[name.asname or name.name] = f"{node.module}.{name.name}"
                note(f"{node.module}.{name.name}", node.lineno)
    aliases.setdefault("np", "numpy")
    aliases.setdefault("torch", "torch")
    aliases.setdefault("F", "torch.nn.functional")
    aliases.setdefault("nn", "torch.nn")
    for node in ast.walk(tree):
        if (name := _dotted(node, aliases)) is not None:
            note(name, node.lineno)  # type: ignore[attr-defined]
    return found


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str | None:
    """The dotted name of `np.convolve`, `getattr(np, "convolve")` or `import_module("scipy")`; None of others."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, aliases)
        return None if base is None else f"{base}.{node.attr}"
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name == "getattr" and texts and (base := _dotted(node.args[0], aliases)) is not None:
            return f"{base}.{texts[0]}"
        if name in {"__import__", "import_module"} and texts:
            return texts[0]
    return None


def names_defined(source: str) -> set[str]:
    """Top-level functions, classes and variables that `source` defines; empty where it does not parse."""
    try:
        body = ast.parse(_without_magics(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        for target in _targets(node):
            names |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


def names_used(source: str) -> set[str]:
    """All names that `source` reads; empty where it does not parse."""
    try:
        tree = ast.parse(_without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _targets(node: ast.stmt) -> Iterable[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _without_magics(source: str) -> str:
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in source.splitlines())
