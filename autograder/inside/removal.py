"""Remove a folder that a hostile program may have filled: however deep, however many files, whatever its modes."""

from __future__ import annotations

import os
from collections.abc import Iterator

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(top: str, parent: int | None = None) -> list[str]:
    """Remove the tree `top`; return what could not be removed, with the reason (at most ten; then it stops).

    Every folder is moved up into `top` before it is emptied: no path grows too long, nothing recurses, at most three
    descriptors are open. Each folder is opened without following a link and used by its descriptor: a link is removed
    and its target never touched, also where another process puts links in place of folders meanwhile.

    Args:
        top: a folder; a link or a file in its place is removed itself.
        parent: the descriptor of the folder that `top` is relative to; None is the working folder.
    """
    left: list[str] = []
    try:
        here = _open(top, parent)
    except FileNotFoundError:
        return left
    except NotADirectoryError:
        return _remove_file(top, parent)
    except OSError as error:
        return [str(error)]
    try:
        _empty(here, left)
    finally:
        os.close(here)
    try:
        os.rmdir(top, dir_fd=parent)
    except OSError as error:
        left.append(str(error))
    return left


def empty(top: str) -> list[str]:
    """Remove all that is in the folder `top`, but not the folder; return what could not be removed, as `remove`."""
    left: list[str] = []
    try:
        here = os.open(top, FOLDER)
    except FileNotFoundError:
        return left
    except OSError as error:
        return [str(error)]
    try:
        with os.scandir(here) as entries:
            for entry in entries:
                if len(left) >= 10:
                    break
                try:
                    left += [reason for folder in _take(entry, here, here, None) for reason in remove(folder, here)]
                except OSError as error:
                    left.append(str(error))
    except OSError as error:
        left.append(str(error))
    finally:
        os.close(here)
    return left


def _empty(here: int, left: list[str]) -> None:
    """Remove all that is in the folder `here`; add to `left` what could not be removed."""
    fresh = _names()
    try:
        with os.scandir(here) as entries:
            waiting = [folder for entry in entries for folder in _take(entry, here, here, None)]
    except OSError as error:
        left.append(str(error))
        return
    while waiting and len(left) < 10:
        name = waiting.pop()
        try:
            folder = _open(name, here)
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        waiting += _take(entry, folder, here, next(fresh))
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=here)
        except OSError as error:
            left.append(str(error))


def _take(entry: os.DirEntry[str], folder: int, here: int, target: str | None) -> list[str]:
    """Remove a file of `folder`; move a folder to `target` in `here` (None: it is there) and return its name there."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.name, dir_fd=folder)
        return []
    if target is None:
        return [entry.name]
    os.close(_open(entry.name, folder))  # a folder that its owner may not write cannot be moved
    os.rename(entry.name, target, src_dir_fd=folder, dst_dir_fd=here)
    return [target]


def _open(name: str, parent: int | None) -> int:
    """Return the descriptor of a folder, of which its owner now has all rights.

    Raises:
        NotADirectoryError: it is a link or a file.
        OSError: it cannot be opened.
    """
    try:
        folder = os.open(name, FOLDER, dir_fd=parent)
    except PermissionError:
        handle = os.open(name, FOLDER | os.O_PATH, dir_fd=parent)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101 - a name could be a link by now
        finally:
            os.close(handle)
        return os.open(name, FOLDER, dir_fd=parent)
    try:
        os.fchmod(folder, 0o700)
    except BaseException:
        os.close(folder)
        raise
    return folder


def _remove_file(name: str, parent: int | None) -> list[str]:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [str(error)]
    return []


def _names() -> Iterator[str]:
    """Names that nobody can have taken beforehand."""
    prefix = os.urandom(16).hex()
    number = 0
    while True:
        yield f"{prefix}-{number}"
        number += 1
