"""Which sandbox: by name, or the best that this machine has."""

from __future__ import annotations

import warnings

from autograder.errors import SandboxError, UsageError
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.interface import Sandbox
from autograder.sandbox.unconfined import Unconfined

NAMES = ("auto", "docker", "bwrap", "none")


def sandbox(name: str | None = None) -> Sandbox:
    """The sandbox of that name; `auto` takes docker where an engine answers and the image is there, else bwrap.

    Raises:
        UsageError: no such name, or nothing works here; says what to install.
    """
    from autograder.sandbox.docker import Docker

    if name in (None, "auto"):
        found: list[str] = []
        for candidate in (Docker(), Bubblewrap()):
            try:
                reason = candidate.missing()
            except SandboxError as error:
                reason = str(error)
            if reason is None:
                return candidate
            found.append(f"{candidate.name}: {reason}")
        raise UsageError("no sandbox works here: " + "; ".join(found))
    kinds = {"docker": Docker, "bwrap": Bubblewrap, "none": Unconfined}
    if name not in kinds:
        raise UsageError(f"no sandbox {name!r}: expected one of {', '.join(NAMES)}")
    if name == "none":
        warnings.warn("no sandbox: the code runs as you, with your files and network", stacklevel=2)
    return kinds[name]()
