"""A forked kernel as these tests drive it: run a cell, get a value back."""

from __future__ import annotations

import ast
import secrets
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient

from autograder.model.assignment import Limits
from autograder.model.submission import SubmittedFile
from autograder.sandbox.slot import Slot

LIMITS = Limits(memory_bytes=512 * 2**20, processes=48, disk_bytes=16 * 2**20)
REPOSITORY = Path(__file__).parents[1]
FORKS = """
import os, time
answer = 0
try:
    while answer < 500:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
        answer += 1
except OSError:
    pass
"""
"""A cell whose answer is how many processes it could start."""
CANARY = f"canary-{secrets.token_hex(8)}"


class KernelKilledError(Exception):
    """The kernel died while it ran a cell."""


class Kernel:
    """A forked kernel and a Jupyter client of it."""

    def __init__(self, slot: Slot, files: Sequence[SubmittedFile] = ()) -> None:
        self.slot = slot
        self.name = f"k{slot.used}"
        self.connection, self.walls = slot.fork(self.name, "alice", files)
        self.client = BlockingKernelClient()
        self.client.load_connection_info(self.connection)
        self.client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)

    def send(self, code: str) -> str:
        """Start a cell and do not wait."""
        return self.client.execute(textwrap.dedent(code), user_expressions={"answer": "answer"})

    def run(self, code: str, seconds: float = 20.0) -> Any:
        """The value of `answer` after the cell; AssertionError when it raised."""
        sent = self.send(f"answer = None\n{textwrap.dedent(code)}")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.client.shell_channel.msg_ready():
                reply = self.client.get_shell_msg(timeout=1)
                if reply["parent_header"].get("msg_id") != sent:
                    continue
                content = reply["content"]
                assert content["status"] == "ok", f"{content['ename']}: {content['evalue']}"
                return ast.literal_eval(content["user_expressions"]["answer"]["data"]["text/plain"])
            if self.slot.exited(self.name):
                raise KernelKilledError
            time.sleep(0.005)
        raise TimeoutError(code)

    def exited(self, seconds: float = 10.0) -> dict[str, Any]:
        """How it ended, once it has."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (ended := self.slot.exited(self.name)) is not None:
                return ended
            time.sleep(0.01)
        raise TimeoutError("the kernel runs on")

    def end(self) -> dict[str, Any]:
        self.client.stop_channels()
        return self.slot.end(self.name)
