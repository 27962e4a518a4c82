"""What the image holds: the packages that notebooks and kernels need, in the very versions that the grader itself has.

The checks compare a student's numbers with the reference's, so both must run on the same numpy and the same torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from autograder.errors import UsageError

PACKAGES = (
    "numpy", "torch", "pytorch-lightning", "matplotlib", "pandas", "scikit-learn", "scikit-image",  # for students
    "ipykernel", "landlock", "pyseccomp",  # for `autograder.inside`
)  # fmt: skip
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


def requirements() -> str:
    """Return the text of a requirements file: PACKAGES and all they need, each pinned to the version installed here.

    A local label (`+cpu`) is left out: which build of that version it is, pip's settings decide.

    Raises:
        UsageError: one of PACKAGES is not installed here.
    """
    pins: dict[str, str] = {}
    waiting = [(name, "") for name in PACKAGES]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            if name in PACKAGES:
                raise UsageError(f"{name} is not installed here: the image takes its versions from here") from error
            continue  # something that only Linux needs, on another system: pip finds it
        pins[canonicalize_name(name)] = Version(found.version).public
        waiting += _needed(found.requires or (), extra)
    return "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))


def _needed(lines: Iterable[str], extra: str) -> Iterator[tuple[str, str]]:
    """(name, extra) of what a package needs on Linux, when it is asked for with `extra`."""
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({**LINUX, "extra": extra}):
            yield from ((needed.name, each) for each in ("", *needed.extras))
