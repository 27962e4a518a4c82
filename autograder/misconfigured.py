"""Messages about what is wrong in course.toml: where it is, and what was expected there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from pydantic_core import ErrorDetails

from autograder.model import deadline

EXPECTED = {"tuple_type": "a list"}
"""What pydantic calls by Python's names, in TOML's."""


def wrong(
    error: ErrorDetails, settings: Collection[str], data: Mapping[str, Any] = MappingProxyType({})
) -> tuple[str, str]:
    """Return where something is wrong, and what.

    Args:
        error: pydantic's.
        settings: the names of all settings, for one that is misspelt.
        data: what course.toml holds.
    """
    where = _place(error["loc"], data)
    if error["type"] == "extra_forbidden":
        return where, f"there is no such setting{_like(str(error['loc'][-1]), settings)}"
    if error["type"] == "missing":
        return where, "it has to be there, and is not"
    if error["type"] in EXPECTED:
        return where, f"expected {EXPECTED[error['type']]}, found {error['input']!r:.80}"
    if error["type"] == "value_error":  # of a whole table: what is in it need not be said again
        return where, error["msg"].removeprefix("Value error, ")
    return where, f"{error['msg']}, found {error['input']!r:.80}"


def _place(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> str:
    """A setting's place as its reader finds it: `limits.memory_mb`, `output_sizes: due`, `[[assignments]] number 2`."""
    if loc[:1] != ("assignments",) or len(loc) == 1 or not isinstance(loc[1], int):
        return ".".join(map(str, loc))
    tables = data["assignments"]
    names = [each.get("name") if isinstance(each, dict) else None for each in tables]
    name = names[loc[1]]
    is_telling = isinstance(name, str) and names.count(name) == 1 and loc[2:] != ("name",)
    table = str(name) if is_telling else f"[[assignments]] number {loc[1] + 1}"
    rest = ".".join(f"number {part + 1}" if isinstance(part, int) else part for part in loc[2:])
    return f"{table}: {rest}" if rest else table


def line_of(error: Exception, content: bytes) -> str:
    """Return the line of course.toml that an error of its parser names; of a date that there is not, also why."""
    found = re.search(r"\(at line (\d+)", str(error))
    if found is None:
        return ""
    line = content.decode(errors="replace").split("\n")[int(found[1]) - 1].strip()
    told = f": {line[:80]}"
    if value := re.search(r"=\s*(\d{4}-\d\d-\d\d[\w:.+-]*)", line):
        try:
            deadline.read(value[1])
        except ValueError as reason:
            told += f": {reason}"
    return told


def listed(wrong: Iterable[tuple[str, str]]) -> str:
    """One mistake in the same line; several below it, one a line."""
    lines = [": ".join(each) for each in wrong]
    return lines[0] if len(lines) == 1 else "\n".join([f"{len(lines)} mistakes", *(f"  {line}" for line in lines)])


def _like(name: str, settings: Collection[str]) -> str:
    """The setting that was meant, if one is spelt like it; else where they are listed."""
    close = get_close_matches(name, settings, 1)
    if close == [name]:
        return " in this table: it belongs above the table's line in brackets, or into another; see docs/settings.md"
    return f"; did you mean {close[0]}?" if close else "; docs/settings.md lists them"
