"""Who may read what a course keeps: its owner, and the Unix group that course.toml names. Never anybody else."""

from __future__ import annotations

import contextlib
import grp
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.errors import UsageError
from autograder.settings import Settings

UMASK: Final = 0o077
PRIVATE: Final = ("attempts.db", "autograded", "feedback")
"""What grading writes into the course's folder, beside the gradebook: readable by the owner and by the group."""
SECRET: Final = ".secret"  # noqa: S105 - a file's name
"""Readable by the owner alone."""
HANDED_IN: Final = "submitted"
"""Students' work. Its modes are the staff's own: others may have to put files there."""
BESIDE: Final = ("", "-journal", "-wal", "-shm")
"""What SQLite keeps beside a database."""
SQLITE: Final = "sqlite:///"
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class Access:
    """The modes of private files; `group` is the number of the group that may read them, None without one."""

    group: int | None = None

    @classmethod
    def of(cls, name: str) -> Access:
        """The access that the setting `group` of a course means; empty is no group.

        Raises:
            UsageError: there is no such group on this machine.
        """
        if not name:
            return cls()
        try:
            return cls(grp.getgrnam(name).gr_gid)
        except KeyError:
            raise UsageError(
                f"course.toml: group = {name!r}: there is no such Unix group on this machine: correct it, or make the "
                "group (`groupadd`)"
            ) from None

    @property
    def file(self) -> int:
        """The most that the mode of a file may be."""
        return 0o600 if self.group is None else 0o640

    @property
    def folder(self) -> int:
        """The most that the mode of a folder may be."""
        return 0o700 if self.group is None else 0o750

    def allows(self, found: os.stat_result) -> bool:
        """Whether a file or folder is as it should be: closed to others, and open to the group that may read."""
        return self.mode(found) == stat.S_IMODE(found.st_mode) and self.group in {None, found.st_gid}

    def mode(self, found: os.stat_result) -> int:
        """The mode that a file or folder should have: what its owner may is kept."""
        most = self.folder if stat.S_ISDIR(found.st_mode) else self.file
        own = stat.S_IMODE(found.st_mode) & 0o700
        return own | (most & 0o070)

    def apply(self, descriptor: int) -> None:
        """Give an open file or folder its mode and group.

        Raises:
            OSError: it belongs to another user, or this one is not in the group.
        """
        found = os.fstat(descriptor)
        if self.group is not None and found.st_gid != self.group:
            _change(descriptor, found, self.mode(found) & 0o700)  # closed before it changes hands
            os.chown(_path(descriptor), -1, self.group)
            found = os.fstat(descriptor)
        if not self.allows(found):
            _change(descriptor, found, self.mode(found))


@contextmanager
def kept_private(settings: Settings) -> Iterator[Access]:
    """Close what the course keeps already, and let the block write files that others cannot read.

    Raises:
        UsageError: there is no such group.
    """
    access = Access.of(settings.group)
    before = os.umask(UMASK)
    try:
        close(settings, access)
        try:
            yield access
        finally:
            if access.group is not None:
                close(settings, access)
    finally:
        os.umask(before)


def close(settings: Settings, access: Access) -> None:
    """Give all that a course keeps the modes of `access`. What cannot be changed is told in a warning."""
    failed: list[str] = []
    for top, wanted in _private(settings, access):
        for path, parent, found in _found(top):
            if wanted.allows(found):
                continue
            try:
                name = path if parent is None else path.name
                descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
                try:
                    wanted.apply(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                failed.append(f"{path} ({error.strerror})")
    if failed:
        more = f" and {len(failed) - LISTED} more" if len(failed) > LISTED else ""
        warnings.warn(
            f"files of the course are open to other users and cannot be closed: {', '.join(failed[:LISTED])}{more}: "
            "let their owner run `chmod` or grade, or correct `group` in course.toml",
            RuntimeWarning, stacklevel=2,
        )  # fmt: skip


def opened(settings: Settings) -> list[str]:
    """Return what other users may read of what a course keeps, as `name (mode)` relative to the course's folder.

    Students' work is among it, though grading does not close it.

    Raises:
        UsageError: there is no such group.
    """
    access = Access.of(settings.group)
    submitted = settings.course_folder / HANDED_IN
    told = []
    for top, wanted in _private(settings, access):
        told += [
            f"{_shown(path, settings)} ({stat.S_IMODE(found.st_mode):04o})"
            for path, _, found in _found(top)
            if stat.S_IMODE(found.st_mode) & ~wanted.mode(found)
        ]
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(submitted.stat().st_mode)
        if mode & 0o007:
            told.append(f"{HANDED_IN} ({mode:04o})")
    return told


def write(path: Path, text: str, access: Access) -> None:
    """Write a private file, in place of one that is there.

    A link and what is no file (`/dev/stdout`) are written to as they are.

    Raises:
        OSError: it cannot be written.
        UsageError: a link leads to another user's file.
    """
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        is_plain = True
    beside = path.parent / f".{path.name}.{os.getpid()}"
    if is_plain:
        with contextlib.suppress(PermissionError):  # a folder that is closed: the file in it may be open
            _write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), text, access)
            try:
                beside.replace(path)
            except BaseException:
                beside.unlink()
                raise
            return
    _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), text, access, path)


def _write(descriptor: int, text: str, access: Access, path: Path | None = None) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            if path is not None and found.st_uid != os.geteuid():
                raise UsageError(f"{path} belongs to another user: choose another file")
            access.apply(descriptor)
            os.ftruncate(descriptor, 0)
        file.write(text)


def _private(settings: Settings, access: Access) -> list[tuple[Path, Access]]:
    """What the course keeps, and who may read it."""
    folder = settings.course_folder
    kept = [folder / name for name in PRIVATE if not name.endswith(".db")]
    databases = [folder / name for name in PRIVATE if name.endswith(".db")]
    databases += [folder / "gradebook.db"]
    if settings.db_url.startswith(SQLITE):
        databases.append(Path(settings.db_url.removeprefix(SQLITE).partition("?")[0]))
    kept += [database.with_name(database.name + end) for database in dict.fromkeys(databases) for end in BESIDE]
    return [*((path, access) for path in kept), (folder / SECRET, Access())]


def _found(top: Path) -> Iterator[tuple[Path, int | None, os.stat_result]]:
    """Each file and folder of `top`, itself first: its path, the descriptor of its folder (None: of `top`), what it is.

    Links are passed over, and none is followed.
    """
    try:
        found = top.lstat()
    except OSError:
        return
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        yield top, None, found
    if not stat.S_ISDIR(found.st_mode):
        return
    for above, folders, files, parent in os.fwalk(top, onerror=lambda _error: None):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):
                inside = os.stat(name, dir_fd=parent, follow_symlinks=False)
                if not stat.S_ISLNK(inside.st_mode):
                    yield Path(above, name), parent, inside


def _shown(path: Path, settings: Settings) -> str:
    """The path, relative to the course's folder where it lies in it."""
    return str(path.relative_to(settings.course_folder) if settings.course_folder in path.parents else path)


def _change(descriptor: int, found: os.stat_result, mode: int) -> None:
    if stat.S_IMODE(found.st_mode) != mode:
        _path(descriptor).chmod(mode)


def _path(descriptor: int) -> Path:
    """The path of what a descriptor is open for: one of O_PATH can be changed by it alone, and no link is followed."""
    return Path(f"/proc/self/fd/{descriptor}")
