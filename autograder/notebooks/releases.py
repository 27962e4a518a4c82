"""The released notebooks of a course: which assignment a notebook belongs to, and whether anything was done in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from nbformat import NotebookNode

from autograder.model.assignment import Limits
from autograder.notebooks.document import parse

_GRADE_ID = re.compile(rb'"grade_id"\s*:\s*"([^"\\\r\n]{1,200})"')
MAX_NAMES: Final = 10_000


class Releases:
    """The released notebooks in `folder`, `<name>/<name>.ipynb` each; one that is not there is unknown."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.folder, self.names = folder, tuple(names)
        self._files: dict[str, Mapping[str, bytes]] = {}

    def assignment_of(self, content: bytes, expected: str) -> str | None:
        """The assignment that a notebook was released for, by the names (`grade_id`) of its cells; None: unknown.

        `expected` where it has a cell that only this assignment has. Another where it has none of those, and at least
        half of the other's. The bytes (in UTF-8) are searched, not parsed: this costs no memory.
        """
        found = set()
        for match in _GRADE_ID.finditer(content):
            found.add(match[1].decode(errors="replace"))
            if len(found) > MAX_NAMES:
                return None
        if found & self._own.get(expected, frozenset()):
            return expected
        shares = {name: len(found & own) / len(own) for name, own in self._own.items() if own and name != expected}
        best = max(shares, key=lambda name: shares[name], default=None)
        return best if best is not None and shares[best] >= 0.5 else None

    def is_untouched(self, notebook: NotebookNode, name: str) -> bool:
        """Whether a parsed notebook has no cell with a text that the released one has not: nothing was done in it."""
        released = self._sources(name)
        return all(not text or text in released for text in (_text(cell.source) for cell in notebook.cells))

    def files(self, name: str) -> Mapping[str, bytes]:
        """The files that were released beside the notebook, by path."""
        if name not in self._files:
            self._files[name] = self._read_files(name)
        return self._files[name]

    def _read_files(self, name: str) -> Mapping[str, bytes]:
        folder = self.folder / name
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".ipynb"
        }

    def _sources(self, name: str) -> set[str]:
        content = self._content(name)
        return {_text(cell.source) for cell in parse(content, Limits()).cells} if content else set()

    @cached_property
    def _own(self) -> dict[str, frozenset[str]]:
        """By assignment, the names of cells that no other assignment has."""
        all_names = {name: self._cell_names(name) for name in self.names}
        return {
            name: frozenset(cells.difference(*(others for other, others in all_names.items() if other != name)))
            for name, cells in all_names.items()
        }

    def _cell_names(self, name: str) -> set[str]:
        content = self._content(name)
        cells = json.loads(content)["cells"] if content else []
        return {told["grade_id"] for cell in cells if (told := cell["metadata"].get("nbgrader", {})).get("grade_id")}

    def _content(self, name: str) -> bytes:
        try:
            return (self.folder / name / f"{name}.ipynb").read_bytes()
        except FileNotFoundError:
            return b""


def _text(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.rstrip().splitlines())
