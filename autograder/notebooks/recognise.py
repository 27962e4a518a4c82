"""What a file that is no readable notebook seems to be, in words for the student who handed it in."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

START: Final = 4096
"""Bytes from the beginning that are looked at."""
MAX_MEMBERS: Final = 2_000
"""Files in an archive: a directory of more is not read."""

_SIGNATURES: Final = (
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of Word, Excel or PowerPoint"),
    (b"{\\rtf", "a document in Rich Text Format"),
    (b"\x1f\x8b", "an archive (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!\x1a\x07", "an archive (rar)"),
    (b"\xfd7zXZ\x00", "an archive (xz)"),
    (b"BZh", "an archive (bzip2)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"bplist00", "a link of macOS, not what it leads to"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x80\x04\x95", "a file that Python pickled"),
)
_DOCUMENTS: Final = {
    "word/": "a document of Word",
    "xl/": "a table of Excel",
    "ppt/": "a presentation of PowerPoint",
    "mimetype": "a document of LibreOffice",
    "Index/": "a document of Pages, Numbers or Keynote",
}
_LOGIN = re.compile(rb'type=["\']?password|log[ -]?in|sign[ -]?in|anmelden|saml|oauth', re.IGNORECASE)
_EXPORT = re.compile(rb"jp-notebook|nbconvert|jp-cell|div class=\"cell border-box", re.IGNORECASE)
_NBFORMAT = re.compile(rb'"nbformat"|"cells"\s*:')
_CODE = re.compile(r"^\s*(import|from|def|class|#|print\(|%|!|@)", re.MULTILINE)

SAVED_AGAIN: Final = "Open your notebook in Jupyter, save it, download it (File > Download), and hand it in again."


def recognised(content: bytes) -> str:
    """What the bytes of a file that is not a notebook seem to be, such as "a PDF document"; empty where unknown."""
    start = content[:START].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content[:4] == b"PK\x03\x04":
        return _archive(content)
    if content[257:262] == b"ustar":
        return "an archive (tar)"
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    lowered = start.lower()
    if lowered.startswith((b"<!doctype html", b"<html")) or (lowered.startswith(b"<") and b"<html" in lowered):
        return _page(content)
    return _text(content, start)


def _archive(content: bytes) -> str:
    try:
        if content.count(b"PK\x01\x02") > MAX_MEMBERS:
            return "an archive (zip) of very many files"
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except Exception:  # noqa: BLE001 - whatever zipfile makes of hostile bytes: it cannot be read
        return "a damaged archive (zip)"
    for beginning, name in _DOCUMENTS.items():
        if any(member.startswith(beginning) for member in names):
            return name
    return "an archive (zip)"


def _page(content: bytes) -> str:
    text = content[:1_000_000]
    if _EXPORT.search(text):
        return "a web page that a notebook was exported to (HTML)"
    if _LOGIN.search(text):
        return "a web page, as a login page that was saved in place of the notebook"
    return "a web page (HTML)"


_TEXTS: Final = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file that it points to"),
    (b"[InternetShortcut]", "a link to a web page, not what it leads to"),
    (b"<?xml", "an XML document or a link, not what it leads to"),
    (b"<plist", "a link of macOS, not what it leads to"),
)


def _text(content: bytes, start: bytes) -> str:
    for beginning, name in _TEXTS:
        if start.startswith(beginning):
            return name
    if _has_conflict(content):
        return "a notebook in a Git merge conflict (lines with <<<<<<<, ======= and >>>>>>>): two versions are in it"
    if start.startswith(b"{") and b'"url"' in start and b"google" in start and not _NBFORMAT.search(content):
        return "a link to Google Drive, not the notebook that it leads to"
    text = content[:START].decode("utf-8-sig", errors="ignore")
    if start and not start.startswith((b"{", b"[", b'"')) and len(_CODE.findall(text)) > 1:
        return "a Python script"
    return ""


def _has_conflict(content: bytes) -> bool:
    """Whether it has lines that Git marks a conflict with; strings in JSON have no line ends, so none is in a cell."""
    return b"<<<<<<<" in content and all(
        re.search(rb"^" + mark + rb"{7}( |\r?$)", content, re.MULTILINE) for mark in (b"<", b"=", b">")
    )


def is_cut_short(content: bytes) -> bool:
    """Whether JSON that could not be read is the beginning of a notebook: it ends before its last bracket."""
    return content[:START].lstrip().startswith(b"{") and not content.rstrip().endswith(b"}")
