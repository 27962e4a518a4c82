"""What /proc tells of processes. One that ends meanwhile is passed over."""

from __future__ import annotations

import contextlib
from pathlib import Path


def processes() -> list[int]:
    """All."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def command(pid: int) -> bytes:
    """Its arguments, each ended by a zero byte."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def parent(pid: int) -> int:
    """Its parent; 0 where there is none."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def user(pid: int) -> int:
    """Whose it is, as this machine counts users; -1 where it has ended."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))
    return -1


def namespace(pid: int, kind: str) -> str:
    """Which namespace of a kind it is in; empty where it has ended."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    return ""


def is_inside(pid: int, slot: Path) -> bool:
    """Whether it sees the slot's folder mounted, and is not the bwrap that mounted it."""
    with contextlib.suppress(OSError):
        mounted = f"/{slot.name} /slot " in Path(f"/proc/{pid}/mountinfo").read_text()
        return mounted and b"bwrap" not in command(pid).split(b"\0")[0]
    return False
