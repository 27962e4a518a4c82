"""Registry of the sandboxes, and the choice of one: by name, or the strongest that works on this machine."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.sandbox.interface import Sandbox

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Kind:
    """A sandbox: its name for `--sandbox`, where its class is, and what the help says of it.

    `has_walls` is False for what isolates nothing: it is taken only by name, with a warning.
    """

    name: str
    module: str
    class_name: str
    told: str
    has_walls: bool = True

    def make(self) -> Sandbox:
        """Return the sandbox, whether it can work here or not; only its own packages are imported."""
        made: Sandbox = getattr(import_module(self.module), self.class_name)()
        return made


KINDS: tuple[Kind, ...] = (
    Kind("docker", "autograder.sandbox.docker", "Docker", "a container; needs an engine and the image"),
    Kind("bwrap", "autograder.sandbox.bwrap", "Bubblewrap", "namespaces; needs no engine"),
    Kind("none", "autograder.sandbox.unconfined", "Unconfined", "no walls: for code that you wrote", has_walls=False),
)
"""All sandboxes, the strongest first: options, `doctor`, the contract suite and the red team take them from here."""


def names() -> tuple[str, ...]:
    """Return the names of all sandboxes, the strongest first."""
    return tuple(kind.name for kind in KINDS)


def strongest_first() -> tuple[str, ...]:
    """Return the names of the sandboxes that have walls: those that "auto" tries, in this order."""
    return tuple(kind.name for kind in KINDS if kind.has_walls)


def option_help() -> str:
    """Return what `--sandbox` takes, in one line."""
    told = "; ".join(f"{kind.name}: {kind.told}" for kind in KINDS)
    return f"{AUTO}: the first of {', '.join(strongest_first())} that works here; {told}"


def sandbox(name: str | None = None) -> Sandbox:
    """Return the sandbox called `name`; for None or "auto" the first of those with walls that works here.

    One without walls is taken only by name, with a RuntimeWarning.

    Raises:
        UsageError: no such sandbox, or it cannot work here; says why, what to do, and which one works.
    """
    if name in {None, AUTO}:
        return _first()
    kind = _kind(str(name))
    if not kind.has_walls:
        warnings.warn("no sandbox: submissions run as you, with your files and network", RuntimeWarning, stacklevel=2)
    made = kind.make()
    if (reason := made.missing()) is None:
        return made
    others = [other for other in strongest_first() if other != name and make(other).missing() is None]
    also = f"; `--sandbox {others[0]}` works here" if others else ""
    raise UsageError(f"{name}: {reason}{also}")


def make(name: str) -> Sandbox:
    """Return the sandbox called `name`, whether it can work here or not.

    Raises:
        UsageError: no such sandbox.
    """
    return _kind(name).make()


def _first() -> Sandbox:
    reasons: list[str] = []
    for name in strongest_first():
        made = make(name)
        if (reason := made.missing()) is None:
            return made
        reasons.append(f"{name}: {reason}")
    raise UsageError(f"no sandbox works here: {'; '.join(reasons)}")


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UsageError(f"no sandbox {name!r}: choose one of {', '.join((AUTO, *names()))}")
