"""Files for a kernel's working folder: how their names are checked, and how they get there, as one plain file.

The host packs them; the forked kernel unpacks them when it has given up its rights, into a folder that is empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import IO, Any

MOST_FILES = 1000
MOST_PARTS = 10
LONGEST_NAME, LONGEST_PART = 1000, 200
"""Of a path and of a part of it, in bytes."""
CHUNK = 2**20


def is_safe(name: Any) -> bool:
    """Whether `name` is a relative path with `/` between its parts that leads to no other place.

    No part is hidden (a program's settings are), empty, `..`, or holds control characters or a backslash.
    """
    if not isinstance(name, str) or not name.isprintable() or "\\" in name:
        return False
    parts = name.split("/")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return False
    return (
        len(parts) <= MOST_PARTS
        and sum(sizes) <= LONGEST_NAME
        and all(0 < size <= LONGEST_PART for size in sizes)
        and not any(part.startswith(".") or part != part.strip() for part in parts)
    )


def pack(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the packed form of `files`, (name, content) each: a line of JSON (names and sizes), then the contents."""
    held = list(files)
    yield json.dumps([[name, len(content)] for name, content in held]).encode() + b"\n"
    yield from (content for _, content in held)


def unpack(packed: IO[bytes]) -> list[str]:
    """Write the files into the working folder, the first of those that have one name; return those that were not.

    Raises:
        ValueError: `packed` is not what `pack` wrote.
    """
    listed = json.loads(packed.readline())
    refused = []
    for number, (name, size) in enumerate(listed):
        descriptor = _create(name) if number < MOST_FILES and is_safe(name) else None
        if descriptor is None:
            refused.append(str(name))
            _copy(packed, size, None)
            continue
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            _copy(packed, size, file)
    return refused


def _create(name: str) -> int | None:
    """A new file, its folders made; None where something of that name is there already, or a folder is a file."""
    folder, _, _ = name.rpartition("/")
    try:
        if folder:
            os.makedirs(folder, mode=0o755, exist_ok=True)  # noqa: PTH103 - pathlib is not imported here
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except OSError:
        return None


def _copy(source: IO[bytes], size: int, target: IO[bytes] | None) -> None:
    while size > 0:
        data = source.read(min(size, CHUNK))
        if not data:
            raise ValueError("the packed files end too early")
        size -= len(data)
        if target is not None:
            try:
                target.write(data)
            except OSError:  # the folder is full: what is there of the file stays
                target = None
