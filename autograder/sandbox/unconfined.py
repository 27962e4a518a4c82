"""No sandbox at all: the zygote is an ordinary child process. For development, and only by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.interface import Enclosure, Paths, Sandbox, SlotSpec, zygote_options
from autograder.sandbox.process import KERNEL_UMASK, ProcessEnclosure, clean_environment


class Unconfined(Sandbox):
    """Student code runs as you, with your files and your network: never for code that you have not read."""

    name = "none"

    def missing(self) -> str | None:
        """Nothing is ever missing."""
        return None

    def paths(self, folder: Path) -> Paths:
        """The host's own paths: nothing is mounted anywhere."""
        return Paths(str(folder), str(folder / "work"), folder)

    def start(self, spec: SlotSpec, folder: Path, code: Path) -> Enclosure:
        """Start the zygote as a child process."""
        paths = self.paths(folder)
        Path(paths.work).mkdir(exist_ok=True)
        options = zygote_options(spec, paths, walls=False, own_user=False, alone=False, cgroup=False, readable=[])
        log = folder / "log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-sP", "-m", "inside.zygote", json.dumps(options)],
                    env={
                        **clean_environment(),
                        "PYTHONPATH": str(code),
                        "HOME": paths.work,
                        "PATH": os.environ.get("PATH", ""),
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=paths.work,
                    start_new_session=True,
                    umask=KERNEL_UMASK,
                )
        except OSError as error:
            raise SandboxError(f"the zygote could not be started: {error}") from error
        return ProcessEnclosure(process, (), log)
