"""What a student's code printed and what a student wrote, made safe to open: staff do, in a browser.

nbgrader's pages are made by nbconvert, which passes HTML, scripts and links of any kind on as they are.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Collection
from html import escape
from typing import Any, Final

from nbformat import NotebookNode

from autograder.gradebook.pictures import measure

LARGEST_IMAGE: Final = 1 * 2**20
"""Bytes of one PNG."""
LARGEST_SIDE: Final = 4096
"""Pixels: a small file can still unfold to a picture that no browser survives."""
MOST_PIXELS: Final = 50_000_000
"""Of all pictures of a notebook together."""
LARGEST_PHOTO: Final = 8 * 2**20
"""Bytes of one picture in a written answer: what a phone takes."""
LONGEST_PHOTO_SIDE: Final = 12_000
MOST_PHOTO_PIXELS: Final = 120_000_000
"""Of all pictures in the written answers of a notebook, each frame of an animation counted."""
NOT_SHOWN: Final = "(a picture that is too large, or is none)"
MAX_ALT: Final = 500
"""Characters of a picture's description."""
LONGEST_TEXT: Final = 20_000
"""Characters of one output."""

_PNG = b"\x89PNG\r\n\x1a\n"
_GAP = "\N{WORD JOINER}"
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!(?=\[)")
_LINK = re.compile(r"\](?=\((?!https?://|mailto:|#)|:(?!\s*(?:https?://|mailto:|#)))", re.IGNORECASE)
_ATTACHED = re.compile(r"!\[([\w .,:;()'-]*)\]\(attachment:(picture-[0-9]{1,4}\.[a-z]{3,4})\)")
"""A picture in a text as the rebuilt notebook has it."""
_ATTACHMENT = re.compile(r"picture-[0-9]{1,4}\.[a-z]{3,4}")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def markdown(source: str, pictures: Collection[str] = ()) -> str:
    """Markdown that looks the same and does nothing: no HTML, no pictures, no link but to the web or by mail.

    A word joiner (no width, no line break) behind the character that begins it breaks each of these, in code
    as in text: which lines a renderer takes for code need not be guessed. Only `pictures`, the names of a cell's
    `attachments`, are shown.
    """
    parts = _ATTACHED.split(text(source))  # text, description, name, text ...
    made = [_broken(parts[0])]
    for alt, name, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        shown = f"![{alt}](attachment:{name})" if name in pictures else NOT_SHOWN
        made += [shown, _broken(rest)]
    return _GAP.join(made)


def _broken(source: str) -> str:
    return _LINK.sub(f"]{_GAP}", _IMAGE.sub(f"!{_GAP}", _TAG.sub(f"<{_GAP}", source)))


def attachments(cell: NotebookNode, gallery: Gallery) -> NotebookNode:
    """The pictures of a text cell that are safe to show, by name: PNG, JPEG, GIF and WebP by their bytes.

    Args:
        cell: of a rebuilt notebook, which gave the pictures their names.
        gallery: of the notebook's written answers.
    """
    kept = NotebookNode()
    for name, data in cell.get("attachments", {}).items():
        content = _decoded(next(iter(data.values()), None), LARGEST_PHOTO) if _ATTACHMENT.fullmatch(name) else None
        found = measure(content) if content is not None else None
        if found is None or content is None or max(found.width, found.height) > LONGEST_PHOTO_SIDE:
            continue
        if gallery.takes(found.width * found.frames, found.height):
            kept[name] = NotebookNode({found.kind: base64.b64encode(content).decode()})
    return kept


def plain(value: Any) -> str:
    """A message as plain text: neither colours nor control characters."""
    return _CONTROL.sub("", _ANSI.sub("", text(value)))


def text(value: Any) -> str:
    """Text, cut where it is endless; what can't be written as UTF-8 becomes a question mark."""
    joined = "".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if len(joined) > LONGEST_TEXT:
        joined = f"{joined[:LONGEST_TEXT]}\n... {len(joined) - LONGEST_TEXT} more characters"
    return joined.encode("utf-8", "replace").decode()


class Gallery:
    """How many pixels the pictures of one notebook may still have: a browser unfolds them all."""

    def __init__(self, pixels: int = MOST_PIXELS) -> None:
        self._left = pixels

    def takes(self, width: int, height: int) -> bool:
        """Whether there is room for one more."""
        if width * height > self._left:
            return False
        self._left -= width * height
        return True


def outputs(cell: NotebookNode, gallery: Gallery, *, quiet: bool = False) -> list[NotebookNode]:
    """The outputs of a student's cell, of which only text, streams, errors and PNG pictures are kept.

    Args:
        cell: with its outputs.
        gallery: of the notebook; a picture for which there is no room is left out, with a word.
        quiet: for a cell that is graded. nbgrader reads its score from the first result, and takes an error
            or a line on stderr for a zero: all text goes to stdout then, and a result is shown as a display.
    """
    kept = []
    for output in cell.get("outputs", []):
        made = _output(output, gallery, quiet=quiet)
        if made is not None:
            kept.append(made)
    return kept


def _output(output: Any, gallery: Gallery, *, quiet: bool) -> NotebookNode | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" and not quiet else "stdout"
        return NotebookNode(output_type="stream", name=name, text=text(output.get("text", "")))
    if kind == "error":
        traceback = output.get("traceback")
        lines = [text(line) for line in traceback] if isinstance(traceback, list) else []
        if quiet:
            return NotebookNode(output_type="stream", name="stdout", text=text("\n".join(lines) + "\n"))
        return NotebookNode(
            output_type="error",
            ename=text(output.get("ename", "")),
            evalue=text(output.get("evalue", "")),
            traceback=text("\n".join(lines)).split("\n"),
        )
    if kind in ("display_data", "execute_result"):
        data = _data(output.get("data"), gallery)
        if not data:
            return None
        made = NotebookNode(output_type="display_data", data=data, metadata=_described(output, data))
        if kind == "execute_result" and not quiet:
            count = output.get("execution_count")
            made.update(output_type=kind, execution_count=count if isinstance(count, int) else None)
        return made
    return None


def _described(output: Any, data: NotebookNode) -> NotebookNode:
    """Of an output's metadata, the words for those who cannot see a picture."""
    metadata = output.get("metadata")
    told = metadata.get("image/png") if isinstance(metadata, dict) else None
    alt = told.get("alt") if isinstance(told, dict) else None
    if "image/png" not in data or not isinstance(alt, str):
        return NotebookNode()
    return NotebookNode({"image/png": NotebookNode(alt=escape(text(alt)[:MAX_ALT], quote=True))})


def _data(data: Any, gallery: Gallery) -> NotebookNode:
    kept = NotebookNode()
    if not isinstance(data, dict):
        return kept
    if "text/plain" in data:
        kept["text/plain"] = text(data["text/plain"])
    if (picture := _png(data.get("image/png"), gallery)) is not None:
        kept["image/png"] = picture
    elif "image/png" in data:
        kept["text/plain"] = f"{kept.get('text/plain', '')} {NOT_SHOWN}".lstrip()
    return kept


def _png(value: Any, gallery: Gallery) -> str | None:
    """The picture, encoded anew, if it is a PNG of a bearable size."""
    content = _decoded(value, LARGEST_IMAGE)
    if content is None or not content.startswith(_PNG):
        return None
    try:
        width, height = struct.unpack(">II", content[16:24])
    except struct.error:
        return None
    if max(width, height) > LARGEST_SIDE or not gallery.takes(width, height):
        return None
    return base64.b64encode(content).decode()


def _decoded(value: Any, largest: int) -> bytes | None:
    """What was given in base64; None if it is not, or longer than `largest`."""
    if isinstance(value, list):
        value = "".join(map(str, value))
    if not isinstance(value, str) or len(value) > largest * 4 // 3 + 1000:
        return None
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return None
