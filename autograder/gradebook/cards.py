"""The verdict of a check as a card that a student reads: HTML with its styles in it, and as plain text.

Titles, messages and hints are untrusted text: all of it is escaped, and no mathematics is set in it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

from autograder.gradebook.sanitise import plain
from autograder.model.report import CheckResult, said_by_all

MARKS: Final = {
    "pass": ("\N{CHECK MARK}", "passed"),
    "fail": ("\N{MULTIPLICATION X}", "failed"),
    "not_run": ("\N{EN DASH}", "not run"),
}
COLOURS: Final = {"pass": "#1a7f37", "fail": "#b42318", "not_run": "#6b7280"}
_FONT = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_BOX = f"font:14px/1.5 {_FONT};color:#1f2937;max-width:860px;margin:8px 0"
_NOTICE = f"{_BOX};padding:10px 14px;background:#fffbeb;border:1px solid #fde68a;border-radius:6px"
_CARD = "border:1px solid #e5e7eb;border-radius:6px;background:#fff;margin:6px 0;padding:7px 12px"
_PROSE = "white-space:pre-wrap;overflow-wrap:anywhere"
_MESSAGE = f"{_PROSE};margin:4px 0 2px 24px;color:#374151"
_HINT = "margin:8px 0 4px 24px;padding:7px 11px;background:#eff6ff;border-radius:5px;color:#1e3a5f"
_NAME = "color:inherit;background:rgba(0,0,0,.06);padding:1px 4px;border-radius:3px"
_NO_MATHS = "tex2jax_ignore mathjax_ignore"


def cards_html(checks: Sequence[CheckResult], said: str = "") -> str:
    """The cards of one graded cell; a message of all of them stands above them, unless it was `said` already."""
    shared = said_by_all(checks)
    above = f'<div style="{_NOTICE};{_PROSE}">{_code(shared)}</div>' if shared and shared != said else ""
    inside = above + "".join(_card(check, shared or said) for check in checks)
    return f'<div class="{_NO_MATHS}" style="{_BOX}">{inside}</div>'


def cards_text(checks: Sequence[CheckResult], said: str = "") -> str:
    """The cards of one graded cell where HTML is not shown."""
    shared = said_by_all(checks)
    above = _indented(shared) if shared != said else []
    return "\n".join([*above, *(line for check in checks for line in _lines(check, shared or said))])


def message_html(message: str) -> str:
    """The notice, above a notebook, of what all its checks say."""
    return f'<div class="{_NO_MATHS}" style="{_NOTICE};{_PROSE}">{_code(message)}</div>'


def score_html(points: float, max_points: float) -> str:
    """The score of one graded cell, as a sentence and a bar."""
    share = 100.0 * points / max_points if max_points else 0.0
    colour = COLOURS["pass"] if points >= max_points else "#b7791f" if points else COLOURS["fail"]
    return (
        f'<div style="{_BOX};margin-bottom:20px;display:flex;align-items:center;gap:12px">'
        f"<span>These checks: <strong>{points:g}</strong> of {max_points:g} points</span>"
        '<span style="flex:0 0 160px;height:8px;border-radius:4px;background:#e5e7eb;overflow:hidden">'
        f'<span style="display:block;width:{share:.1f}%;height:8px;background:{colour}"></span></span></div>'
    )


def repairs_html(repairs: Sequence[str]) -> str:
    """The notice, above a notebook, of what was repaired in it before it was graded."""
    return _notice("<strong>Repaired before grading.</strong> Your notebook was not quite as it was released:", repairs)


def notes_html(notes: Sequence[str]) -> str:
    """The notice, above a notebook, of cells that the student should look at."""
    return _notice("<strong>Look at these cells of yours.</strong> What uses them may have failed for it:", notes)


def _notice(heading: str, items: Sequence[str]) -> str:
    listed = "".join(f'<li style="margin:2px 0">{_code(item)}</li>' for item in items)
    return (
        f'<div class="{_NO_MATHS}" style="{_NOTICE}">{heading}'
        f'<ul style="margin:6px 0 0 18px;padding:0">{listed}</ul></div>'
    )


def _card(check: CheckResult, said: str) -> str:
    mark, verdict = MARKS[check.verdict]
    colour = COLOURS[check.verdict]
    title = _code(check.title or check.name)
    parts = [
        f'<div style="{_CARD};border-left:4px solid {colour}">',
        '<div style="display:flex;align-items:baseline;gap:10px">',
        f'<span style="color:{colour};font-weight:700" title="{verdict}" aria-label="{verdict}">{mark}</span>',
        f'<span style="flex:1;font-weight:600">{title}</span>',
        f'<span style="color:#4b5563;white-space:nowrap">{check.points:g} / {check.max_points:g}</span>',
        "</div>",
    ]
    if check.message != said:
        parts.append(f'<div style="{_MESSAGE}">{_code(check.message)}</div>')
    if check.hint:
        parts.append(
            f'<div style="{_HINT}"><strong>Hint</strong> <span style="{_PROSE}">{_code(check.hint)}</span></div>'
        )
    if check.picture is not None and check.verdict == "fail":
        parts.append(_picture(check))
    return "".join(parts) + "</div>"


def _picture(check: CheckResult) -> str:
    from autograder.gradebook.figures import heat_maps  # matplotlib is only needed for a failed picture

    assert check.picture is not None
    encoded = base64.b64encode(heat_maps(check.picture)).decode()
    return (
        f'<img src="data:image/png;base64,{encoded}" alt="Heat maps: expected, found, and their difference" '
        'style="display:block;max-width:calc(100% - 24px);margin:8px 0 4px 24px">'
    )


def _code(value: str) -> str:
    """Escaped text in which `names in backquotes` look like code."""
    pieces = escape(plain(value)).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    opening, closing = f'<code style="{_NAME}">', "</code>"
    return "".join(opening + piece + closing if odd % 2 else piece for odd, piece in enumerate(pieces))


def _lines(check: CheckResult, said: str) -> list[str]:
    title = plain(check.title or check.name)
    lines = [f"[{MARKS[check.verdict][1]}] {title}: {check.points:g} of {check.max_points:g} points"]
    if check.message != said:
        lines += _indented(check.message)
    if check.hint:
        lines.append(f"    Hint: {plain(check.hint)}")
    return lines


def _indented(message: str) -> list[str]:
    """The lines of a message, set in so that none looks like a verdict."""
    return [f"    {line}" for line in plain(message).splitlines()]
