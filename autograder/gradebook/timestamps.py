"""When something was handed in: reads the `timestamp.txt` that nbgrader writes, which may hold anything."""

from __future__ import annotations

import os
import re
import stat
import warnings
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.parser import parse

FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LONGEST: Final = 100
"""Bytes of the file that are looked at; nbgrader writes 30."""

_TIMESTAMP = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?) ?(?P<zone>[+-]\d\d:?\d\d|[A-Za-z][\w+/-]{0,40})?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_OTHER = re.compile(
    r"(?=.*\b(19|20|21)\d\d\b)[A-Za-z,:/. +-]*(\d{1,6}[A-Za-z,:/. +-]+)*\d{0,6}[A-Za-z,:/. +-]*", re.ASCII
)
"""What else dateutil may be shown: a year, and no number that is long, or that has an exponent."""
_EXPONENT = re.compile(r"\d[eE][+-]?\d")


def timestamp(folder: Path) -> tuple[datetime | None, str]:
    """When the submission in `folder` was handed in, in UTC (None: not known), and a warning for staff ("": none).

    Where `timestamp.txt` cannot be read, the time of the file itself counts: to spoil it makes no submission early.
    """
    path = folder / "timestamp.txt"
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError) as error:
        return None, f"timestamp.txt cannot be read ({_reason(error)}): no time is known, so it is not late"
    own = _own(found)
    told = f"{path} is no time as nbgrader writes it (2027-02-08 23:59:00 UTC): "
    told += f"its own date counts, {own:%Y-%m-%d %H:%M} UTC"
    if not stat.S_ISREG(found.st_mode):
        return own, told
    try:
        text = _text(path)
    except OSError as error:
        return own, f"{path} cannot be read ({_reason(error)}): its own date counts, {own:%Y-%m-%d %H:%M} UTC"
    if not text and not found.st_size > LONGEST:
        return None, ""
    moment = parsed(text)
    return (moment, "") if moment is not None else (own, told)


def parsed(text: str) -> datetime | None:
    """The moment that `text` names, in UTC; None where it names none between 1990 and 2200.

    nbgrader writes `2027-02-08 23:59:00.000000 UTC`, with the offset (`+0100`) or the name of a time zone in its place;
    other ways to write a date and a time are understood where they name the year. Without a zone it is UTC.
    """
    text = text.strip()
    try:
        if match := _TIMESTAMP.fullmatch(text):
            moment = datetime.fromisoformat(match["moment"].replace(",", ".")).replace(tzinfo=_zone(match["zone"]))
        elif _OTHER.fullmatch(text) and not _EXPONENT.search(text):
            moment = _parsed_freely(text)
        else:
            return None
        if not FIRST.year <= moment.year <= LAST.year:
            return None
        return moment.astimezone(UTC)
    except Exception:  # noqa: BLE001 - a student may have written it: whatever a parser makes of it, it is no time
        return None


def _parsed_freely(text: str) -> datetime:
    """What dateutil reads; raises where it would fill in a year, a month or a day, or does not know the zone."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moment: datetime = parse(text, default=datetime(2000, 1, 1, tzinfo=UTC))
        if parse(text, default=datetime(2001, 2, 2, tzinfo=UTC)) != moment:
            raise ValueError(text)
    return moment


def _zone(name: str | None) -> tzinfo:
    if name is None or name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    return ZoneInfo(name)


def _own(found: os.stat_result) -> datetime:
    """The time of the file's content; of the file itself where that is none."""
    for seconds in (found.st_mtime, found.st_ctime):
        if FIRST.timestamp() <= seconds <= LAST.timestamp():
            return datetime.fromtimestamp(seconds, UTC)
    return datetime.now(UTC)


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LONGEST + 1)
    return content.decode("utf-8-sig", errors="replace").strip() if len(content) <= LONGEST else "too long"


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
