"""Whose a container or a folder is, so that what a dead grader left behind can be told from what a live one uses."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def mark() -> str:
    """This process: host, process namespace, number, and start (for numbers are used again)."""
    return f"{_place()} {os.getpid()} {_start(os.getpid())}"


def abandoned(mark: str) -> bool:
    """Whether the process that `mark` names is gone. One of another host or namespace cannot be judged: False."""
    place, _, process = mark.partition(" ")
    number, _, start = process.partition(" ")
    return place == _place() and number.isdecimal() and _start(int(number)) != start


def _place() -> str:
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"


def _start(pid: int) -> str:
    """When the process started, in the kernel's clock ticks since boot; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]  # field 22; the name, field 2, may hold spaces
