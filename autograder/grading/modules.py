"""Python files beside a notebook, handed in or written by `%%writefile`: what in them uses forbidden shortcuts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from nbformat import NotebookNode

from autograder.checks.shortcuts import Names, aliases, names_changed, names_defined, names_used, shortcuts, statements
from autograder.model.submission import SubmittedFile
from autograder.notebooks.document import MAX_CODE, MAX_LINES, lines_of

WRITTEN = re.compile(r"\s*%%(?:writefile|file)[ \t]+(?:-a[ \t]+)?['\"]?([^\s'\"]+\.py)['\"]?[ \t]*\n(.*)", re.DOTALL)
MOST_READ = 2 * MAX_CODE
"""Characters that are analysed in all: a module is read again where another that it imports uses a shortcut."""
MOST_LINES = 2 * MAX_LINES
"""Lines that are."""
MOST_NAMES = 2000
"""That are looked for in the notebook. Where one of the three is exceeded, all that the modules hold is forbidden."""


def helpers(notebook: NotebookNode, files: Iterable[SubmittedFile], names: Sequence[str]) -> dict[str, str]:
    """Return what in modules uses one of the forbidden dotted `names`: `{"helpers.conv": "numpy.convolve"}`.

    It may use it through another of these modules. A module in a folder is known by each end of its name: by `impl` in
    its own package, and by `package.impl`.
    """
    found: dict[str, str] = {}
    sources = [(_dotted(name), source) for name, source in (*_handed_in(files), *_written(notebook))]
    waiting, left = list(range(len(sources))), (MOST_READ, MOST_LINES)
    importers: dict[str, set[int]] = defaultdict(set)
    for number, (_, source) in enumerate(sources):
        for target in aliases(source, ()).values():
            importers[target.partition(".")[0]].add(number)
    while waiting:
        number = waiting.pop()
        module, source = sources[number]
        left = left[0] - len(source), left[1] - lines_of(source)
        if min(left) < 0:
            break
        uses = _uses(source, Names([*names, *found]))
        fresh = {f"{end}.{name}": found.get(hit, hit) for name, hit in uses.items() for end in _ends(module)}
        if fresh.keys() - found.keys():
            found.update(fresh)
            again = set().union(*(importers[part] for part in module.split("."))) - {*waiting}
            waiting += sorted(again)
        if len(found) > MOST_NAMES:
            break
    if min(left) < 0 or len(found) > MOST_NAMES:
        return {module.partition(".")[0]: "more than can be read" for module, _ in sources}
    return found


def _uses(source: str, forbidden: Names) -> dict[str, str]:
    """The names of a module that use a forbidden one, each with it: those that it defines, and those it imports."""
    known = aliases(source, forbidden)
    bad = {name: hit for name, target in known.items() if (hit := forbidden.over(target)) is not None}
    users: dict[str, list[set[str]]] = defaultdict(list)
    found: list[tuple[set[str], str]] = []
    for part in statements(source):
        defined = names_defined(part.text) | names_changed(part.text) - known.keys()
        if defined:
            found += [(defined, hit) for hit, _line in shortcuts(part.text, forbidden, known)[:1]]
            for name in names_used(part.text):
                users[name].append(defined)
    while found:
        defined, hit = found.pop()
        for name in defined - bad.keys():
            bad[name] = hit
            found += [(more, hit) for more in users[name]]
    return bad


def _handed_in(files: Iterable[SubmittedFile]) -> Iterator[tuple[str, str]]:
    yield from ((file.name, file.content.decode(errors="replace")) for file in files if file.name.endswith(".py"))


def _written(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    for cell in notebook.cells:
        if cell.cell_type == "code" and (match := WRITTEN.fullmatch(cell.source)):
            yield match[1].removeprefix("./"), match[2]


def _dotted(name: str) -> str:
    """A module's name from its file's: `package.impl` from `package/impl.py`."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _ends(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]
