"""An enclosure that is a child process of ours (bubblewrap, or none)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from autograder.sandbox.interface import Enclosure

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
KERNEL_UMASK = 0o022
"""Of students' code: as in a container, whatever the grader's own is."""


def clean_environment() -> dict[str, str]:
    """All that the zygote's environment holds: nothing of the host's.

    One thread, or a fork would not be safe.
    """
    return {
        **dict.fromkeys(THREADS, "1"),
        "MALLOC_ARENA_MAX": "2",  # each thread's own arena would take 64 MiB of its address space
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108 - the sandbox's own
        "IPYTHONDIR": "/tmp/ipython",  # noqa: S108 - the same
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


class ProcessEnclosure(Enclosure):
    """A process group of ours."""

    def __init__(self, process: subprocess.Popen[bytes], walls: tuple[str, ...], log: Path) -> None:
        self.process = process
        self.walls = walls
        self._log = log

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def remove(self) -> None:
        """Kill the process group and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)

    def log(self) -> str:
        """The end of its output."""
        try:
            return self._log.read_text(errors="replace")[-2000:].strip()
        except OSError:
            return ""
