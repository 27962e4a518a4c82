"""Files of an untrusted folder or zip archive: no link is followed, everything is capped before it is read."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from autograder.notebooks.document import open_plain
from autograder.notebooks.recognise import MAX_MEMBERS

MAX_ENTRIES: Final = 2_000
MAX_DEPTH: Final = 6
"""Folders inside folders that are looked into."""
LITTER: Final = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "Thumbs.db", "desktop.ini"})
"""What systems and editors write: left out without a word, as all names that begin with a dot are."""


class TreeError(Exception):
    """A folder or a file that the grader may not or cannot read; the text says why, and what staff can do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file; `name` is its path in the tree, with `/` between the parts."""

    name: str
    size: int
    read: Callable[[int], bytes] = field(repr=False, compare=False)
    """Return at most so many bytes of it. Raises `TreeError`."""

    @property
    def file_name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.name).name

    @property
    def folder(self) -> str:
        """The path of its folder in the tree; empty at the top."""
        parent = str(PurePosixPath(self.name).parent)
        return "" if parent == "." else parent


@dataclass(slots=True)
class Tree:
    """The regular files of a folder or an archive, sorted by path, and what is not one of them."""

    entries: list[Entry] = field(default_factory=list)
    special: dict[str, str] = field(default_factory=dict)
    """By path, what a link, a pipe or another special file is."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """By path, why a folder (or a member of an archive) could not be read."""
    cut: bool = False
    """Whether there was more than `MAX_ENTRIES` or deeper than `MAX_DEPTH`."""

    def under(self, folder: str) -> list[Entry]:
        """The entries below `folder`."""
        return [entry for entry in self.entries if not folder or entry.name.startswith(f"{folder}/")]


def is_litter(name: str) -> bool:
    """Whether systems and editors write files or folders of this name by themselves."""
    return name.startswith(".") or name in LITTER


def of_folder(path: Path, *, skipped: Callable[[str], bool] = lambda _name: False) -> Tree:
    """List a folder.

    Args:
        path: the folder.
        skipped: says of a name directly in `path` whether it is left out.

    Raises:
        TreeError: the folder itself cannot be read.
    """
    tree = Tree()
    _walk(path, "", 0, tree, skipped)
    if "" in tree.unreadable:
        raise TreeError(tree.unreadable[""])
    tree.entries.sort(key=lambda entry: entry.name)
    return tree


def of_archive(content: bytes) -> Tree:
    """List a zip archive; nothing is unpacked but what is read, into memory.

    Raises:
        TreeError: it is damaged, or has too many members.
    """
    tree = Tree()
    if content.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise TreeError(f"the archive has more than {MAX_MEMBERS} files")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:  # whatever zipfile makes of hostile bytes
        raise TreeError("the archive is damaged") from error
    for member in archive.infolist():
        parts = member.filename.replace("\\", "/").split("/")
        if any(is_litter(part) for part in parts) or not all(parts):
            continue
        name = "/".join(parts)
        if len(parts) > MAX_DEPTH + 1:
            tree.cut = True
        elif stat.S_ISLNK(member.external_attr >> 16):
            tree.special[name] = "a link"
        elif member.flag_bits & 1:
            tree.unreadable[name] = "it needs a password"
        elif member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            tree.unreadable[name] = "it is packed in a way that is not read here"
        else:
            tree.entries.append(Entry(name, member.file_size, _unpacker(archive, member)))
    tree.entries.sort(key=lambda entry: entry.name)
    return tree


def reason(error: OSError) -> str:
    """What the system says of an error, and what to do."""
    advice = ": let the grader's user read it" if isinstance(error, PermissionError) else ""
    return f"{error.strerror or error}{advice}"


def _walk(path: Path, prefix: str, depth: int, tree: Tree, skipped: Callable[[str], bool]) -> None:
    if depth > MAX_DEPTH:
        tree.cut = True
        return
    try:
        for entry in _scanned(path):
            if len(tree.entries) + len(tree.special) + len(tree.unreadable) >= MAX_ENTRIES:
                tree.cut = True
                return
            if is_litter(entry.name) or (not prefix and skipped(entry.name)):
                continue
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                _walk(path / entry.name, f"{name}/", depth + 1, tree, skipped)
            elif entry.is_file(follow_symlinks=False):
                size = entry.stat(follow_symlinks=False).st_size
                tree.entries.append(Entry(name, size, _reader(path / entry.name)))
            else:
                tree.special[name] = "a link" if entry.is_symlink() else "a special file"
    except OSError as error:
        tree.unreadable[prefix.rstrip("/")] = reason(error)


def _scanned(path: Path) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder, sorted by name; of a huge one so many as are looked at."""
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            found.append(entry)
            if len(found) > 2 * MAX_ENTRIES:
                break
    return iter(sorted(found, key=lambda entry: entry.name))


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            with open_plain(path) as file:
                return file.read(limit)
        except OSError as error:
            raise TreeError(reason(error)) from error

    return read


def _unpacker(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            with archive.open(member) as file:
                return file.read(limit)
        except Exception as error:  # a wrong checksum, a damaged stream, a password
            raise TreeError("it is damaged") from error

    return read
