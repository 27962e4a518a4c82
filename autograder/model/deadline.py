"""Deadlines in the course's time zone: dates and local times as moments, and durations added to them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

FORMS: Final = "a date, or a date and time, such as 2027-02-08 or 2027-02-08T23:59:00+01:00"
DURATIONS: Final = "a duration such as 2d, 12h, 1w or 1d12h"
_END_OF_DAY: Final = time(23, 59, 59)
_OTHER_FORM: Final = "Invalid isoformat string"
"""How Python's error begins where a text is not of this form at all."""
_PART: Final = re.compile(r"(\d{1,4})\s*([wdhm])\s*")


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name.

    Raises:
        ValueError: there is none of this name.
    """
    if name == "UTC":  # needs no database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder of the database, a name that leads out of it, an unknown one
        raise ValueError(f"no time zone {name!r}: expected a name such as Europe/Berlin or UTC") from None


def read(text: str) -> date | datetime:
    """A date, or a date and time, in ISO 8601.

    Raises:
        ValueError: it is neither, or there is no such day or hour; says which.
    """
    reasons = []
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text.strip())
        except ValueError as error:
            reasons.append(str(error))
    for reason in reasons:
        if not reason.startswith(_OTHER_FORM):
            raise ValueError(f"there is no {text.strip():.80}: {reason}; expected {FORMS}")
    raise ValueError(f"expected {FORMS}, found {text!r:.80}")


def moment(value: date | datetime, where: tzinfo) -> datetime:
    """The moment in UTC. A date is the end of that day; a time without an offset is local.

    A local time that the change of clocks skips or repeats is the later of the two moments that it may mean.

    Raises:
        ValueError: the year is out of range.
    """
    local = value if isinstance(value, datetime) else datetime.combine(value, _END_OF_DAY)
    try:
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        return max(local.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise ValueError(f"the year of {value} is out of range") from None


def later(due: datetime, duration: str, where: tzinfo) -> datetime:
    """The moment in UTC that lies a duration after `due`.

    Weeks and days are those of the calendar in the zone `where`, so that 23:59 stays 23:59 when the clocks change;
    hours and minutes are always as long.

    Raises:
        ValueError: `duration` is none, or too long.
    """
    parts = _PART.findall(duration)
    if not parts or _PART.sub("", duration.strip()):
        raise ValueError(f"expected {DURATIONS}, found {duration!r:.80}")
    amount = dict.fromkeys("wdhm", 0)
    for number, unit in parts:
        amount[unit] += int(number)
    try:
        days = timedelta(weeks=amount["w"], days=amount["d"])
        if days:
            due = moment(due.astimezone(where).replace(tzinfo=None) + days, where)
        return due + timedelta(hours=amount["h"], minutes=amount["m"])
    except OverflowError:
        raise ValueError(f"{duration} is too long") from None


def shown(when: datetime, where: tzinfo) -> str:
    """A moment as people of the course read it: `2027-02-08 23:59 CET`."""
    local = when.astimezone(where)
    return f"{local:%Y-%m-%d %H:%M} {local:%Z}" if local.second in {0, 59} else f"{local:%Y-%m-%d %H:%M:%S} {local:%Z}"
