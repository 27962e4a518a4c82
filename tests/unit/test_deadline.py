"""Durations added to a due date follow the calendar of the course's time zone."""

from datetime import UTC, datetime

import pytest

from autograder.model import deadline

BERLIN = deadline.zone("Europe/Berlin")
DUE = deadline.moment(deadline.read("2027-03-27"), BERLIN)  # the clocks go forward in the night after


@pytest.mark.parametrize(
    ("duration", "local"),
    [
        ("1d", "2027-03-28 23:59:59+02:00"),
        ("1w", "2027-04-03 23:59:59+02:00"),
        ("24h", "2027-03-29 00:59:59+02:00"),
        ("1d12h", "2027-03-29 11:59:59+02:00"),
        ("12h 1d", "2027-03-29 11:59:59+02:00"),
        ("30m", "2027-03-28 00:29:59+01:00"),
    ],
)
def test_days_are_of_the_calendar_and_hours_of_the_clock(duration, local):
    assert deadline.later(DUE, duration, BERLIN) == datetime.fromisoformat(local)


@pytest.mark.parametrize("duration", ["", "2", "d", "two days", "2d!", "-2d", "1.5d", "9999999d", "2days", "2d;"])
def test_what_is_no_duration_is_said_plainly(duration):
    with pytest.raises(ValueError, match="expected a duration such as 2d, 12h, 1w or 1d12h"):
        deadline.later(DUE, duration, BERLIN)


def test_too_long_a_duration_is_said_plainly():
    with pytest.raises(ValueError, match="too long"):
        deadline.later(DUE, "9999w " * 50, BERLIN)


@pytest.mark.parametrize("text", ["tomorrow", "", "2027-13-01", "23:59"])
def test_what_is_no_time_is_said_plainly(text):
    with pytest.raises(ValueError, match="expected a date, or a date and time"):
        deadline.read(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2027-02-30", "there is no 2027-02-30: day "),
        ("2027-13-01", "there is no 2027-13-01: month "),
        ("2027-02-30T12:00", "there is no 2027-02-30T12:00: day "),
        ("2027-02-08T25:00", "there is no 2027-02-08T25:00: hour "),
    ],
)
def test_a_day_or_hour_that_there_is_not_is_told_as_that(text, reason):
    with pytest.raises(ValueError, match=reason):
        deadline.read(text)


@pytest.mark.parametrize(("text", "name"), [("0001-01-01T00:00", "Asia/Tokyo"), ("9999-12-31", "America/New_York")])
def test_a_year_out_of_range_is_said_plainly(text, name):
    with pytest.raises(ValueError, match="out of range"):
        deadline.moment(deadline.read(text), deadline.zone(name))


def test_a_moment_is_shown_in_the_courses_zone():
    assert deadline.shown(DUE, BERLIN) == "2027-03-27 23:59 CET"
    assert deadline.shown(datetime(2027, 7, 1, 12, 0, 30, tzinfo=UTC), BERLIN) == "2027-07-01 14:00:30 CEST"
