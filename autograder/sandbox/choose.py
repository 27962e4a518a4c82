"""Choose the sandbox: by name, or the strongest that works on this machine."""

from __future__ import annotations

import warnings

from autograder.errors import UsageError
from autograder.sandbox.interface import Sandbox

NAMES = ("auto", "docker", "bwrap", "none")
STRONGEST_FIRST = ("docker", "bwrap")


def sandbox(name: str | None = None) -> Sandbox:
    """Return the sandbox called `name`; for None or "auto" the first of STRONGEST_FIRST that works here.

    "none" is taken only by name, with a RuntimeWarning.

    Raises:
        UsageError: no such sandbox, or it cannot work here; says why, what to do, and which one works.
    """
    if name not in {None, *NAMES}:
        raise UsageError(f"no sandbox {name!r}: choose one of {', '.join(NAMES)}")
    if name == "none":
        warnings.warn("no sandbox: submissions run as you, with your files and network", RuntimeWarning, stacklevel=2)
        return make(name)
    reasons: list[str] = []
    for candidate in STRONGEST_FIRST if name in {None, "auto"} else (str(name),):
        made = make(candidate)
        if (reason := made.missing()) is None:
            return made
        reasons.append(f"{candidate}: {reason}")
    if name in {None, "auto"}:
        raise UsageError(f"no sandbox works here: {'; '.join(reasons)}")
    others = [other for other in STRONGEST_FIRST if other != name and make(other).missing() is None]
    also = f"; `--sandbox {others[0]}` works here" if others else ""
    raise UsageError(f"{reasons[0]}{also}")


def make(name: str) -> Sandbox:
    """Return the sandbox called `name`, whether it can work here or not; only its own packages are imported."""
    if name == "docker":
        from autograder.sandbox.docker import Docker

        return Docker()
    if name == "bwrap":
        from autograder.sandbox.bwrap import Bubblewrap

        return Bubblewrap()
    from autograder.sandbox.unconfined import Unconfined

    return Unconfined()
