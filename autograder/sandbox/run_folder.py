"""The private folder of one user's graders: all their temporary state, closed to other users of the machine."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from autograder.errors import UsageError
from autograder.inside import removal
from autograder.sandbox import owner

SETTING: Final = "AUTOGRADER_RUN"
SLOT: Final = "s-"
OWN: Final = "g-"
"""Prefixes of a slot's folder and of a process's own folder."""
OWNER: Final = "owner"
"""The file in each of them that says which process made it."""
MAX_MARK: Final = 4096
OTHERS: Final = 0o077
WRITERS: Final = 0o022
UNMAPPED: Final = 65534
"""The owner that Linux shows in a user namespace for users outside of it: the machine's root, above all."""


def run_folder() -> Path:
    """Return the private folder, made if it is missing: `$AUTOGRADER_RUN`, else `autograder-<uid>` beside other users'.

    Its path is short, because that of a socket has at most 107 bytes. It is checked at each call: no other user may
    have made it, look into it, or be able to put another in its place.

    Raises:
        UsageError: it is not a folder of this user alone; the message says what to do.
    """
    given = os.environ.get(SETTING)
    path = Path(given) if given else Path(tempfile.gettempdir()) / f"autograder-{os.geteuid()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path = path.parent.resolve(strict=True) / path.name
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        _expect_private(path, path.lstat())
        for parent in path.parents:
            _expect_safe(path, parent, parent.stat())
    except OSError as error:
        raise UsageError(f"the folder for temporary files, {path}, cannot be used ({error}): {_another()}") from error
    return path


def own_folder() -> Path:
    """Return this process's own folder in the private one, made at the first call, removed when the process ends.

    `sweep` removes that of a process that was killed.
    """
    key = (os.getpid(), run_folder())
    if key not in _own:
        folder = _own[key] = make(OWN)
        Finalize(None, removal.remove, (str(folder),), exitpriority=-200)  # after all that multiprocessing keeps in it
    return _own[key]


_own: dict[tuple[int, Path], Path] = {}
"""By process, since forks must not share it, and by private folder."""


def make(prefix: str) -> Path:
    """Make a folder in the private one that `sweep` removes once this process has ended."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=run_folder()))
    (folder / OWNER).write_text(owner.mark())
    return folder


def sweep() -> None:
    """Remove the folders of graders that were killed before they could remove them.

    A sandbox that ends this moment may still write into its slot's folder: no link in it is followed, no pipe is
    waited for.
    """
    run = os.open(run_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name in os.listdir(run):  # noqa: PTH208 - the folder that is open, not what is at its path by now
            if name.startswith((SLOT, OWN)):
                with contextlib.suppress(OSError):
                    if owner.abandoned(_mark(name, run)):
                        removal.remove(name, run)
    finally:
        os.close(run)


def _mark(name: str, run: int) -> str:
    """The mark of the process that made the folder `name`; empty where none can be read."""
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=run)
    try:
        file = os.open(OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        return os.read(file, MAX_MARK).decode(errors="replace") if stat.S_ISREG(os.fstat(file).st_mode) else ""
    finally:
        os.close(file)


def _expect_private(path: Path, found: os.stat_result) -> None:
    """Raise UsageError if `path` is not a folder of this user alone."""
    if not stat.S_ISDIR(found.st_mode):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "no folder"
        raise UsageError(f"the folder for temporary files, {path}, is {what}: remove it, or {_another()}")
    if found.st_uid != os.geteuid():
        raise UsageError(
            f"the folder for temporary files, {path}, belongs to another user (number {found.st_uid}): "
            f"have it removed, or {_another()}"
        )
    if found.st_mode & OTHERS:
        raise UsageError(
            f"the folder for temporary files, {path}, is open to other users (mode {stat.S_IMODE(found.st_mode):04o}): "
            f"close it (`chmod 700 {path}`) if nobody else wrote into it, else remove it"
        )


def _expect_safe(path: Path, parent: Path, found: os.stat_result) -> None:
    """Raise UsageError if another user can rename what is in `parent`: then `path` could be replaced at any moment."""
    if found.st_uid not in {0, os.geteuid(), UNMAPPED}:
        told = f"belongs to another user (number {found.st_uid})"
    elif found.st_mode & WRITERS and not found.st_mode & stat.S_ISVTX:
        told = f"may be written by other users and has no sticky bit (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise UsageError(f"the folder for temporary files, {path}, could be replaced: {parent} {told}: {_another()}")


def _another() -> str:
    return f"set {SETTING} to a folder of yours that is closed to others (a short path)"
