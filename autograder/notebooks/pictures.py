"""Pictures in what a student wrote: attachments, pasted data and files become attachments under plain names.

Nothing is decoded here. What of it is safe to show is decided where pages are made, by the pictures' bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from autograder.model.submission import SubmittedFile

LARGEST: Final = 8 * 2**20
"""Bytes of one picture."""
MOST_BYTES: Final = 24 * 2**20
"""Bytes of all pictures of a notebook together."""
MOST: Final = 40
"""Pictures of a notebook."""
LONGEST_ALT: Final = 200
NOT_SHOWN: Final = "(a picture that cannot be shown)"
"""In place of pasted data: a page of letters, otherwise."""

_MARKDOWN = re.compile(
    r"!\[([^\[\]\n]{0,1000})\]"  # the description
    r"\([ \t]*(?:<([^<>\n]*)>|([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*))"  # the address, with pairs of brackets in it
    r"[^()\n]{0,200}\)"  # a title
)
_HTML = re.compile(r"<img\b([^<>]*)>", re.IGNORECASE)
_SRC = re.compile(r"(?<![\w-])src\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))", re.IGNORECASE)
_ALT = re.compile(r"(?<![\w-])alt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_DATA = re.compile(r"data:image/[\w.+-]{1,20};base64,", re.IGNORECASE)
_PLAIN = re.compile(r"[^\w .,:;()'-]")


def kind_of(content: bytes) -> str | None:
    """The media type of a picture that browsers show, by its first bytes; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


class Album:
    """The pictures of one rebuilt notebook: attachments of its cells and the files that were handed in beside it."""

    def __init__(self, files: Sequence[SubmittedFile] = ()) -> None:
        self._files = {file.name: file for file in files if kind_of(file.content)}
        self._by_end: dict[str, list[SubmittedFile]] = {}
        for file in self._files.values():
            self._by_end.setdefault(_last(file.name), []).append(file)
        self._count, self._bytes = 0, 0
        self.left_out = 0
        """Pictures for which there was no room, or which are of a kind that pages do not show."""

    def shown(
        self, source: str, attachments: Mapping[str, Any], more: Sequence[SubmittedFile] = (), *, loose: bool = False
    ) -> tuple[str, dict[str, dict[str, str]]]:
        """A text and its attachments, with a plain name for each picture that the text shows and that is there.

        Args:
            source: markdown of a student's.
            attachments: of the cell, by name and media type.
            more: pictures to show below the text.
            loose: show attachments too that the text does not name.
        """
        kept: dict[str, dict[str, str]] = {}
        named: set[str] = set()

        def place(alt: str, address: str) -> str | None:
            data = self._data(address, attachments)
            named.update((address, unquote(address)))
            if data is None or (name := self._keep(data, kept)) is None:
                return NOT_SHOWN if _DATA.match(address) else None
            plain = _PLAIN.sub(" ", alt).strip()[:LONGEST_ALT]
            return f"![{plain}](attachment:{name})"

        def markdown(match: re.Match[str]) -> str:
            return place(match[1], match[2] if match[2] is not None else match[3]) or match[0]

        def html(match: re.Match[str]) -> str:
            src, alt = _SRC.search(match[1]), _ALT.search(match[1])
            address = next(filter(None, src.groups()), "") if src else ""
            return place(next(filter(None, alt.groups()), "") if alt else "", address) or match[0]

        source = _MARKDOWN.sub(markdown, source) if "![" in source else source
        source = _HTML.sub(html, source) if "<" in source else source
        below = [address for name in attachments if loose and (address := f"attachment:{name}") not in named]
        for address in [*below, *(file.name for file in more)]:
            if (text := place(_last(address.removeprefix("attachment:")), address)) is not None:
                source = f"{source.rstrip()}\n\n{text}".lstrip("\n")
        return source, kept

    def _data(self, address: str, attachments: Mapping[str, Any]) -> bytes | str | None:
        """The picture at an address: a file's bytes, or what was given in base64."""
        if address[:11].lower() == "attachment:":
            found = attachments.get(address[11:], attachments.get(unquote(address[11:])))
            return next(iter(found.values()), None) if found else None
        if (pasted := _DATA.match(address)) is not None:
            return address[pasted.end() :]
        name = unquote(address.split("?", 1)[0].split("#", 1)[0]).replace("\\", "/").removeprefix("./")
        if name in self._files:
            return self._files[name].content
        alike = self._by_end.get(_last(name), [])
        return alike[0].content if len(alike) == 1 and ":" not in name else None

    def _keep(self, data: bytes | str, kept: dict[str, dict[str, str]]) -> str | None:
        """Put a picture into `kept`; its name, or None where it is none or there is no room for it."""
        if len(data) > LARGEST * 4 // 3 + 1000:
            self.left_out += 1
            return None
        text = base64.b64encode(data).decode() if isinstance(data, bytes) else "".join(data.split())
        try:
            kind = kind_of(base64.b64decode(text[:32] + "=" * (-len(text[:32]) % 4)))
        except (binascii.Error, ValueError):
            kind = None
        if kind is None or self._count >= MOST or self._bytes + len(text) > MOST_BYTES * 4 // 3:
            self.left_out += 1
            return None
        self._count, self._bytes = self._count + 1, self._bytes + len(text)
        name = f"picture-{self._count}.{kind.removeprefix('image/')}"
        kept[name] = {kind: text}
        return name


def _last(name: str) -> str:
    return name.rpartition("/")[2]
