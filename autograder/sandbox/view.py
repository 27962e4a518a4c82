"""What of the host's files a bubblewrap sandbox shows: the system's libraries, this interpreter, its packages."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from autograder.model.assignment import Profile
from autograder.sandbox.interface import KEPT_OUT

NEVER = ("autograder", "solutions", "course", "nbgrader")
"""Packages that no sandbox shows, even where they are installed beside numpy."""
SYSTEM = ("bin", "sbin", "lib", "lib64", "lib32", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/lib32",
          "usr/share/fonts", "usr/share/zoneinfo")  # fmt: skip
PREFIX = ("bin", "lib", "lib64", "pyvenv.cfg")


def python() -> Path:
    """This interpreter, as its virtual environment names it."""
    return Path(sys.prefix) / "bin" / "python" if sys.prefix != sys.base_prefix else Path(sys.executable)


def trees() -> list[Path]:
    """Folders and files shown, each by its real path, none inside another.

    Never a whole prefix: a checkout may lie in `/usr/src`, or a virtual environment be made in one.
    """
    shown = [Path("/") / part for part in SYSTEM]
    shown += [prefix.resolve() / part for prefix in _prefixes() for part in PREFIX]
    shown += [Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")]
    real = dict.fromkeys(path for path in shown if path.exists() and not path.is_symlink())
    return [path for path in real if not any(parent in real for parent in path.parents)]


def links() -> list[tuple[str, Path]]:
    """(target, link): the symbolic links by which the trees are reached: `/bin`, `lib64` of a venv, a linked prefix."""
    made = [Path("/") / part for part in SYSTEM]
    made += [prefix.resolve() / part for prefix in _prefixes() for part in PREFIX]
    found = {link: os.readlink(link) for link in made if link.is_symlink()}  # noqa: PTH115 - the target, as it is written
    found |= {prefix: str(prefix.resolve()) for prefix in _prefixes() if prefix != prefix.resolve()}
    shown = trees()
    return [(target, link) for link, target in found.items() if not any(parent in shown for parent in link.parents)]


def covered(profile: Profile) -> list[Path]:
    """Return the installed packages that this profile does without, and the project's own, wherever they are."""
    return [site / name for site in _sites() for name in (*NEVER, *KEPT_OUT[profile]) if (site / name).is_dir()]


def emptied() -> list[Path]:
    """Return the files by which an editable install would lead `import` to the grader's own folders."""
    return [file for site in _sites() for file in site.glob("__editable__*") if file.is_file()]


def _sites() -> list[Path]:
    """Where packages are in the trees: this environment's, its base's, and the system's."""
    return [
        site
        for tree in trees()
        for site in (tree, *tree.glob("python3*/site-packages"), *tree.glob("python3*/dist-packages"))
        if site.name in {"site-packages", "dist-packages"}
    ]


def _prefixes() -> list[Path]:
    """Where this interpreter is installed, by each name under which its own links point there."""
    hop = python()
    hops = [hop]
    while hop.is_symlink():
        hop = Path(os.path.normpath(hop.parent / hop.readlink()))
        hops.append(hop)
    found = [Path(sys.prefix), Path(sys.base_prefix), *(hop.parent.parent for hop in hops if hop.parent.name == "bin")]
    return list(dict.fromkeys(path for path in found if path not in {Path("/"), Path("/usr")}))
