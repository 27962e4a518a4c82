"""When something was handed in is read from what nbgrader writes; whatever else is there is told, and stops nothing."""

import os
from datetime import UTC, datetime

import pytest
from nbgrader.utils import parse_utc

from autograder.gradebook.timestamps import parsed, timestamp

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MADE = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01 12:00:00.000000 UTC", "2026-03-01 12:00:00 UTC", "2026-03-01 12:00 UTC", "2026-03-01 12:00:00",
        "2026-03-01 13:00:00 +0100", "2026-03-01 13:00:00.000 Europe/Berlin", "2026-03-01T12:00:00Z",
        "2026-03-01T07:00:00-05:00", "\n2026-03-01 12:00:00 UTC\n", "March 1, 2026 12:00",
        "Sun, 1 Mar 2026 13:00:00 +0100",
    ],
)  # fmt: skip
def test_usual_ways_to_write_a_time(text):
    assert parsed(text) == NOON


def test_nbgrader_reads_the_same():
    text = "2026-03-01 15:00:00.500000 Europe/Berlin"
    assert parsed(text).replace(tzinfo=None) == parse_utc(text)


@pytest.mark.parametrize(
    "content",
    [
        b"soon", b"1", b"2026", b"1e999999", b"2026-1e9999999-01", b"NaN", b"9" * 99, b"1.1.1.1",
        b"9999-12-31 23:59:59 -2359",
        b"0001-01-01 00:00:00 +1400", b"2026-02-30 12:00:00 UTC", b"2026-03-01 12:00:00 ../../etc/passwd",
        b"2026-03-01 12:00:00 Europe/Atlantis", b"2026-03-01 12:00 +9999", bytes(range(256)),
        b"\xff\xfe2\x000\x002\x006\x00",
        "\u0662\u0660\u0662\u0666-03-01 12:00:00".encode(), b"2026-03-01 12:00:00 UTC" + b"." * 10 * 2**20, b"x" * 100,
        b"99999999999999999999-01-01", b"2026-03-01 12:00:00." + b"1" * 70,
    ],
    ids=lambda content: ascii(content[:30]),
)  # fmt: skip
def test_what_is_no_time_is_told_and_the_files_own_counts(tmp_path, content):
    path = tmp_path / "timestamp.txt"
    path.write_bytes(content)
    os.utime(path, (MADE.timestamp(), MADE.timestamp()))
    moment, warning = timestamp(tmp_path)
    assert moment == MADE
    assert "is no time as nbgrader writes it" in warning
    assert "2026-02-01 08:00 UTC" in warning


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_told(tmp_path, kind):
    path = tmp_path / "timestamp.txt"
    {"link": lambda: path.symlink_to("/etc/hostname"), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    moment, warning = timestamp(tmp_path)
    assert moment is not None
    assert "is no time" in warning


def test_a_file_with_an_impossible_time_of_its_own(tmp_path):
    path = tmp_path / "timestamp.txt"
    path.write_text("soon")
    os.utime(path, (-(10**9), -(10**9)))
    moment, _ = timestamp(tmp_path)
    assert moment > MADE


def test_no_file_and_an_empty_one_are_no_time(tmp_path):
    assert timestamp(tmp_path) == (None, "")
    (tmp_path / "timestamp.txt").write_text(" \n")
    assert timestamp(tmp_path) == (None, "")
