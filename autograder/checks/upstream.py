"""A failed check may be the fault of an earlier exercise that this one builds on: which, read off the syntax tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from autograder.checks.shortcuts import names_defined, names_used


def failing_names(
    exercises: Mapping[str, Sequence[str]], called: Mapping[str, Sequence[AbstractSet[str]]]
) -> dict[str, set[str]]:
    """For each exercise the names that its failed checks called, without those that other exercises define.

    A cell that does not parse defines nothing: its exercise is known by what its checks asked for in vain.

    Args:
        exercises: the sources of each exercise's solution cells.
        called: by exercise, the names that each of its failed checks called or read.
    """
    defined = {name: _defined(sources) for name, sources in exercises.items()}
    return {
        name: set().union(*called[name]).difference(*(defined[other] for other in exercises if other != name))
        for name in exercises
        if called.get(name)
    }


def upstream(
    exercises: Mapping[str, Sequence[str]], helpers: Sequence[str], failing: Mapping[str, AbstractSet[str]]
) -> dict[str, list[str]]:
    """For each exercise the failing names of earlier exercises that it uses, itself or through a student's own cell.

    Only earlier ones: of two exercises that use each other, each would send the student to the other.

    Args:
        exercises: the sources of each exercise's solution cells, in the notebook's order.
        helpers: the sources of the cells that the student added.
        failing: by exercise, as from `failing_names`.
    """
    leads_to: dict[str, set[str]] = {}
    for source in helpers:
        leads_to |= dict.fromkeys(names_defined(source), names_used(source))
    found: dict[str, list[str]] = {}
    before: list[str] = []
    for name, sources in exercises.items():
        used = _reached(set().union(*map(names_used, sources)) - _defined(sources), leads_to) if before else set()
        if blamed := [bad for bad in before if bad in used]:
            found[name] = blamed
        before += sorted(failing.get(name, ()))
    return found


def told(names: Sequence[str]) -> str:
    """What a student reads of such names."""
    listed = " and ".join(f"`{name}`" for name in names)
    if len(names) == 1:
        return f"This exercise uses {listed}, which fails checks of its own: look there first, it may be why"
    return f"This exercise uses {listed}, which fail checks of their own: look there first, it may be why"


def _defined(sources: Sequence[str]) -> set[str]:
    return set().union(*map(names_defined, sources))


def _reached(names: AbstractSet[str], leads_to: Mapping[str, AbstractSet[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        reached |= waiting
        waiting = set().union(*(leads_to.get(name, ()) for name in waiting)) - reached
    return reached
