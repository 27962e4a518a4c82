"""Make a notebook of what is one in another form: another encoding, a wrapped one, a script that it was exported to."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from autograder.notebooks.document import MAX_CELLS, MAX_CODE

_WRAPPED = re.compile(rb'\s*(\{\s*"(name|path|content|last_modified|created|format|type)"|"\s*\{)')
_NBCONVERT = re.compile(r"^# In\[[ \d*]*\]:[ \t]*$", re.MULTILINE)
_PERCENT = re.compile(r"^# ?%%(.*)$", re.MULTILINE)
_METADATA = re.compile(r"\bnbgrader=(\{.*?\})(?=\s|$)")
_BYTE_ORDER_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The bytes of a notebook in UTF-8, how they were got (for the student), and what staff should look at."""

    content: bytes
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def recovered(content: bytes) -> Recovered:
    """The notebook that `content` plainly is; `content` itself where it is one already, or cannot be recovered."""
    found = _decoded(content)
    if _WRAPPED.match(found.content):
        unwrapped = _unwrapped(found.content)
        if unwrapped is not None:
            told = "Your file was a notebook inside a reply of Jupyter's server: the notebook was taken out of it."
            return Recovered(unwrapped, (*found.repairs, told), found.warnings)
    if not found.content.lstrip().startswith((b"{", b"[")) and len(found.content) <= 4 * MAX_CODE:
        return _from_script(found)
    return found


def _decoded(content: bytes) -> Recovered:
    """As UTF-8: from UTF-16 and UTF-32, which JSON's first characters tell for sure; from Latin-1, a usual guess."""
    is_text = content.lstrip()[:1] in {b"{", b"["}
    encoding = json.detect_encoding(content)
    if encoding in {"utf-8", "utf-8-sig"}:
        if not is_text or _is_utf8(content):
            return Recovered(content)
        repair = "Your file was not in UTF-8: it was read as Latin-1, so letters with accents may be others."
        warning = "the notebook is not in UTF-8: it was read as Latin-1"
        return Recovered(content.decode("cp1252", errors="replace").encode(), (repair,), (warning,))
    try:
        text = content.decode(encoding)
        made = text.lstrip("\ufeff").encode()
    except UnicodeError:
        return Recovered(content)
    if not (content.startswith(_BYTE_ORDER_MARKS) or made.lstrip().startswith((b"{", b"["))):
        return Recovered(content)
    name = encoding.upper().replace("UTF-16-LE", "UTF-16").replace("UTF-16-BE", "UTF-16")
    return Recovered(made, (f"Your file was in {name}: it was read as such. Jupyter saves notebooks in UTF-8.",))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def _unwrapped(content: bytes) -> bytes | None:
    """The notebook in a reply of Jupyter's server (its `content`), or in a JSON string; None where there is none."""
    try:
        document: Any = json.loads(content.decode("utf-8-sig"))
        inner = document.get("content") if isinstance(document, dict) and "nbformat" not in document else document
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            made = inner.encode(errors="replace")
            return made if b'"nbformat"' in made else None
        if isinstance(inner, dict) and inner is not document and "nbformat" in inner:
            return json.dumps(inner).encode()
    except (ValueError, RecursionError):  # no JSON, endless numbers; nested too deep
        return None
    return None


def _from_script(found: Recovered) -> Recovered:
    """The notebook that a script was exported from, by the marks of its cells; else `found` itself."""
    try:
        text = found.content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return found
    if "\0" in text or text.lstrip()[:1] == "<":
        return found
    if _NBCONVERT.search(text):
        cells, kind = _nbconvert_cells(text), "nbconvert's"
    elif len(_PERCENT.findall(text)) > 1:
        cells, kind = _percent_cells(text), "the percent format"
    else:
        return found
    if len(cells) > MAX_CELLS:
        return found
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    repair = "Your file was a Python script that a notebook was exported to: its cells were made a notebook again."
    named = any("nbgrader" in cell["metadata"] for cell in cells)
    lost = "" if named else "; the names of its cells are lost, so answers are known by what they define"
    return Recovered(
        json.dumps(notebook).encode(),
        (*found.repairs, repair),
        (*found.warnings, f"a script ({kind}), no notebook{lost}"),
    )


def _nbconvert_cells(text: str) -> list[dict[str, Any]]:
    """The cells of `jupyter nbconvert --to script`: code below `# In[1]:`, Markdown as a comment after blank lines."""
    cells: list[dict[str, Any]] = []
    for number, part in enumerate(_NBCONVERT.split(text)):
        lines = part.strip("\n").split("\n")
        start = len(lines)
        while start and (not lines[start - 1].strip() or lines[start - 1].startswith("#")):
            start -= 1
        while start < len(lines) and start and lines[start].strip():
            start += 1  # a comment right below code belongs to it
        code, comment = "\n".join(lines[:start]), "\n".join(lines[start:]).strip("\n")
        if number and code.strip():
            cells.append(_cell("code", code.strip("\n")))
        if comment.strip() and not (number == 0 and comment.startswith("#!")):
            cells.append(_cell("markdown", _uncommented(comment)))
    return cells


def _percent_cells(text: str) -> list[dict[str, Any]]:
    """The cells of jupytext's percent format, which VS Code and Spyder write too, with nbgrader's metadata."""
    marks = list(_PERCENT.finditer(text))
    cells = []
    for mark, end in zip(marks, [*(each.start() for each in marks[1:]), len(text)], strict=True):
        source, options = text[mark.end() : end].strip("\n"), mark[1]
        is_text = "[markdown]" in options or "[md]" in options
        metadata = {}
        if told := _METADATA.search(options):
            try:
                metadata = {"nbgrader": json.loads(told[1])}
            except (ValueError, RecursionError):
                metadata = {}
        cells.append(_cell("markdown" if is_text else "code", _uncommented(source) if is_text else source, metadata))
    return cells


def _cell(kind: str, source: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": metadata or {}}


def _uncommented(text: str) -> str:
    return "\n".join(re.sub(r"^# ?", "", line) for line in text.split("\n"))
