"""Which of several files is a submission's notebook: one that plainly is, or none, and then a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.submissions.candidates import Loaded


@dataclass(frozen=True, slots=True)
class Choice:
    """The notebook to grade, or why there is none.

    Attributes:
        chosen: the notebook; None where it is not plain which one is meant, or where there is none at all.
        ambiguous: why a person has to decide, for staff; empty where something is chosen, or nothing is there.
        warning: what staff should look at.
        repair: why another than the expected file was taken, for the student.
    """

    chosen: Loaded | None = None
    ambiguous: str = ""
    warning: str = ""
    repair: str = ""


def choose(candidates: Sequence[Loaded], expected: str) -> Choice:
    """Choose among `candidates`; `expected` is the name (path) that the notebook should have.

    1. Another assignment's notebook is never chosen while there is any other file. Of identical files one counts.
    2. The file of the expected name, where something was done in it, or in no other notebook of this assignment (and,
       where it cannot be read, in no notebook at all).
    3. Else the only notebook of this assignment in which something was done; of several the only one whose file
       name is the expected one.
    4. Else, in the same way, notebooks of this assignment in which nothing was done, notebooks whose cells have no
       known names, and files that cannot be read.
    """
    pool = _distinct(candidates, expected)
    mine = [each for each in pool if each.kind != "other"] or pool
    exact = next((each for each in mine if each.name == expected), None)
    done = [each for each in mine if each.kind == "ours" and each.is_worked]
    unnamed = [each for each in mine if each.kind == "unnamed" and each.is_worked]
    is_better = done or (unnamed and exact is not None and exact.kind == "broken")
    if exact is not None and (exact in done or exact in unnamed or not is_better):
        others = [each.name for each in (*done, *unnamed) if each is not exact]
        warning = f"{_listed(others)} beside it was not graded: {expected} has the expected name" if others else ""
        return Choice(exact, warning=warning)
    for kind, worked in (("ours", True), ("ours", False), ("unnamed", True), ("broken", False), ("other", None)):
        found = [each for each in mine if each.kind == kind and worked in {None, each.is_worked}]
        if found:
            return _only(found if kind != "other" else found[:1], expected, exact)
    return Choice()


def _only(found: Sequence[Loaded], expected: str, exact: Loaded | None) -> Choice:
    """The only one of `found`, or the only one whose file name is the expected one."""
    file_name = expected.rpartition("/")[2]
    named = [each for each in found if each.name.rpartition("/")[2] == file_name]
    chosen = found[0] if len(found) == 1 else named[0] if len(named) == 1 else None
    if chosen is None:
        listed = _listed([each.name for each in found])
        return Choice(ambiguous=f"{len(found)} files may be the notebook ({listed}): keep one, as {expected}")
    why = " (in which nothing was done, or which cannot be read)" if exact is not None else ""
    warning = f"{chosen.name} was graded in place of {expected}{why}"
    others = [each.name for each in found if each is not chosen]
    warning += f"; {_listed(others)} was not" if others else ""
    repair = f"`{chosen.name}` was graded: expected a file named `{expected}`{why}."
    return Choice(chosen, warning=warning, repair=repair)


def _distinct(candidates: Sequence[Loaded], expected: str) -> list[Loaded]:
    """One of each group of identical files: that of the expected name, else the first."""
    ordered = sorted(candidates, key=lambda each: (each.name != expected, each.name.count("/"), each.name))
    return list({each.digest or each.name: each for each in reversed(ordered)}.values())[::-1]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
