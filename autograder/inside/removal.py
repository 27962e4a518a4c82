"""Remove a folder that a hostile hand may have filled: however deep, however many files, whatever its permissions."""

from __future__ import annotations

import os
from collections.abc import Iterator


def remove(top: str) -> list[str]:
    """Remove the tree `top`; what could not be removed, with the reason (at most ten, and nothing else is tried).

    Every folder is moved up into `top` before it is emptied: no path grows too long, nothing recurses, one descriptor
    is open. Nobody else may be at work in the tree: its processes are dead by now.
    """
    left: list[str] = []
    if not os.path.lexists(top):
        return left
    fresh = _names(top)
    waiting = [top]
    while waiting and len(left) < 10:
        folder = waiting.pop()
        try:
            os.chmod(folder, 0o700)  # noqa: PTH101 - pathlib is not imported in the zygote
            with os.scandir(folder) as entries:
                for entry in entries:
                    waiting += _take(entry, None if folder == top else next(fresh))
            if folder != top:
                os.rmdir(folder)  # noqa: PTH106
        except OSError as error:
            left.append(str(error))
    try:
        os.rmdir(top)  # noqa: PTH106
    except OSError as error:
        left.append(str(error))
    return left


def empty(top: str) -> list[str]:
    """Remove all that is in the folder `top`, and not the folder: what could not be removed, as `remove` says it."""
    left: list[str] = []
    try:
        with os.scandir(top) as entries:
            for entry in entries:
                if len(left) >= 10:
                    break
                try:
                    left += [reason for folder in _take(entry, None) for reason in remove(folder)]
                except OSError as error:
                    left.append(str(error))
    except FileNotFoundError:
        return left
    except OSError as error:
        left.append(str(error))
    return left


def _take(entry: os.DirEntry[str], target: str | None) -> list[str]:
    """Remove a file; move a folder to `target` (None: it lies in the top already) and say where it is now."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.path)  # noqa: PTH108
        return []
    if target is None:
        return [entry.path]
    os.chmod(entry.path, 0o700)  # a folder that its owner may not write cannot be moved  # noqa: PTH101
    os.rename(entry.path, target)  # noqa: PTH104
    return [target]


def _names(top: str) -> Iterator[str]:
    """Paths in `top` that nobody can have taken beforehand."""
    prefix = os.path.join(top, os.urandom(16).hex())  # noqa: PTH118
    number = 0
    while True:
        yield f"{prefix}-{number}"
        number += 1
