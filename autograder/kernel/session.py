"""One submission's kernel: fork it, run the notebook's cells, and start again for a lost one or an earlier state."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Self

import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbformat import NotebookNode

from autograder.errors import KernelLost, MachineBusy, SandboxError, StudentFailure
from autograder.inside.values import ANSWER, Bounds
from autograder.kernel.calls import Caller
from autograder.kernel.cells import BROKEN, CellLost, CellRunner
from autograder.kernel.messages import WarySession
from autograder.kernel.relay import Relay
from autograder.kernel.time_limit import TimeLimit, Usage, starvation, usage_of, waited_here
from autograder.model.assignment import Limits, Runner
from autograder.model.submission import SubmittedFile
from autograder.sandbox import gpu
from autograder.sandbox.slot import Slot

HIGH_WATER = 10_000
MESSAGE_BYTES = 2**28
"""The largest part of a message that ZeroMQ takes at all."""
MESSAGES_BYTES = 2**25
"""What messages take beside a notebook's output: a cell's source comes back, each message has its headers."""

MOST_READ = 8 * 2**20
"""Bytes of JSON that the answers of one submission may have together: the grader parses them."""
TOO_MUCH = f"more than {MOST_READ >> 20} MiB of lists, dicts and texts in all: return arrays, or less"


@dataclass(slots=True)
class Lost:
    """A cell that took the kernel with it; it is skipped when the others are run again."""

    index: int
    failure: StudentFailure


@dataclass(slots=True)
class Execution:
    """A notebook after its cells have run, and the cells that could not be run to their end."""

    notebook: NotebookNode
    lost: list[Lost] = field(default_factory=list)


class KernelSession:
    """A kernel for one student in a leased slot. Use it as a context manager: leaving it ends the kernel."""

    def __init__(
        self,
        slot: Slot,
        student: str,
        limits: Limits,
        files: Sequence[SubmittedFile] = (),
        forbidden: Sequence[str] = (),
    ) -> None:
        """`files` are in the working folder of each kernel when it starts, the first of those with one name.

        What `forbidden` names may be used by the notebook's cells, not by what the checks call.
        """
        self.slot = slot
        self.student = student
        self.files = files
        self.forbidden = tuple(forbidden)
        share = slot.spec.gpu
        self.limits = replace(limits, gpu_memory_bytes=share.memory_bytes) if share else limits
        self.walls: tuple[str, ...] = ()
        self.runner: Runner = "gpu" if share else "cpu"
        self.bounds = Bounds(limits.answer_bytes, limits.answer_depth, limits.answer_parts, ANSWER.arrays, ANSWER.text)
        self._waited_before, self._used = waited_here(), Usage(waited={})
        self._total = TimeLimit(limits.total_seconds, self._usage, self._used)
        self._manager: AsyncKernelManager | None = None
        self._client: Any = None
        self._relay: Relay | None = None
        self._caller: Caller | None = None
        self._read = 0
        self._notebook: NotebookNode | None = None
        self._stop: int | None = None
        """Where not None, the cells from this position on are not run."""
        self._skip: set[int] = set()
        self._runs: Callable[[Any], bool] = lambda _cell: True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def versions(self) -> dict[str, str]:
        """Of Python and the packages that its kernels have: see `Slot.versions`."""
        return self.slot.versions

    def run(self, notebook: NotebookNode, runs: Callable[[Any], bool] = lambda _cell: True) -> Execution:
        """Run the code cells that `runs` is true of, errors allowed; outputs go into a copy of the notebook.

        A cell that hangs, eats its memory or kills the kernel is left out, and the others are run again
        without it.

        Raises:
            SandboxError: the sandbox failed, or the machine is too busy.
        """
        execution = Execution(copy.deepcopy(notebook))
        self._notebook, self._runs = execution.notebook, runs
        while True:
            try:
                self._start()
            except CellLost as stop:
                self._skip.add(stop.index)
                execution.lost.append(Lost(stop.index, stop.failure))
                self._lose()
                self._expect_room(stop.failure.cause)
                if not self.left():
                    return execution  # no call will be made either
            else:
                return execution

    def request(self, message: dict[str, Any], buffers: Any, seconds: float | None) -> tuple[dict[str, Any], list[Any]]:
        """Ask the probe (see `autograder.checks.student.Transport`); a lost kernel is replaced before it.

        Raises:
            KernelLost: this request hung, or took the kernel with it, or the submission's time is up.
            SandboxError: the sandbox failed, or the machine is too busy.
        """
        if not self.left():
            raise KernelLost("timeout", self._used_up())
        if self._read > MOST_READ:
            raise StudentFailure("type", f"the answers before had {TOO_MUCH}")
        try:
            caller = self._calls()
            before = caller.read
            reply, answer = caller.request(message, buffers, seconds or self.limits.call_seconds, self._total)
            self._read += caller.read - before
        except KernelLost:
            self._lose()
            raise
        self._total.credit(caller.unrecorded)
        if reply.get("cause") == "memory" or (self.runner == "gpu" and reply.get("type") == BROKEN):
            self._lose()  # what it hoards would starve the next request, and a GPU's context never mends
            self._expect_room(reply.get("cause"))
        return reply, answer

    def rewind(self, position: int) -> None:
        """Go back to the state before the cell at `position`: the next request forks a kernel and runs the cells above.

        What they show then is dropped. Cells that were lost before are left out again.

        Raises:
            SandboxError: the sandbox failed.
        """
        assert self._notebook is not None
        cells = [NotebookNode({**cell, "outputs": []}) for cell in self._notebook.cells]
        self._lose()
        self._notebook, self._stop = NotebookNode({**self._notebook, "cells": cells}), position

    def left(self) -> float:
        """Seconds that are left to the submission; 0.0 when its time is up.

        Raises:
            MachineBusy: it is up, but other processes had the processor time.
            SandboxError: the zygote is gone.
        """
        left = self._total.left()
        if self._total.starved:
            raise MachineBusy(starvation("a submission", self._total))
        return left

    def _usage(self) -> Usage:
        """The processor time of all kernels so far, and what they and the grader waited for it, one after the other."""
        used, waited = self._used, waited_here() - self._waited_before
        if self._manager is not None and self._manager.provisioner is not None:
            now = usage_of(self.slot, self._manager.provisioner.name)
            waited += max((now.waited or {}).values(), default=0.0)
            used = Usage(used.cpu + now.cpu, used.waited)
        return Usage(used.cpu, {"": waited + sum((used.waited or {}).values())})

    def _used_up(self) -> str:
        return f"the submission's {self.limits.total_seconds:.0f} s are used up"

    def _calls(self) -> Caller:
        """What calls the present kernel; where there is none, a new one."""
        if self._manager is None:
            self._restart()
        if self._caller is None:
            assert self._manager is not None
            assert self._relay is not None
            if self.forbidden:
                self.slot.begin(self._manager.provisioner.name)
            self._caller = Caller(self._client, self._relay, self.slot, self._manager.provisioner.name, self.limits)
        return self._caller

    def _restart(self) -> None:
        while True:
            try:
                self._start()
            except CellLost as stop:  # it ran to its end the first time: nondeterminism costs that cell alone
                self._skip.add(stop.index)
                self._lose()
                self._expect_room(stop.failure.cause)
                if not self.left():
                    raise KernelLost("timeout", self._used_up()) from None
            else:
                return

    def _expect_room(self, cause: Any) -> None:
        """Where a kernel with a GPU was lost for memory: see that it had all of its share of the GPU's.

        Raises:
            SandboxError: it had not.
        """
        if cause == "memory" and self.slot.spec.gpu is not None:
            gpu.expect_room(self.slot.spec.gpu)

    def _start(self) -> None:
        """Fork a kernel and run the cells in it."""
        config = {"slot": self.slot, "student": self.student, "files": self.files, "name": f"k{self.slot.used}"}
        config["forbidden"] = self.forbidden
        manager = _Manager(context=_context(), session=WarySession())
        manager._kernel_spec = KernelSpec(
            argv=[],
            metadata={"kernel_provisioner": {"provisioner_name": "autograder-zygote", "config": config}},
        )
        self._manager = manager
        _run(self._run_cells(manager))

    async def _run_cells(self, manager: AsyncKernelManager) -> None:
        await manager.start_kernel()
        self.walls = manager.provisioner.walls
        ports = (manager.shell_port, manager.iopub_port)
        self._relay = Relay(manager.ip, ports, self.limits.output_bytes + MESSAGES_BYTES)
        manager.ip = self._relay.address
        client = self._client = manager.client(context=_context())  # by itself it makes one of its own, without caps
        client.start_channels(hb=False, stdin=False)
        client.allow_stdin = False
        await self._subscribed(client, manager.provisioner.name)
        assert self._notebook is not None
        runner = CellRunner(self._notebook, self.slot, manager, client, self._relay, self.limits)
        for index, cell in enumerate(self._notebook.cells[: self._stop]):
            if cell.cell_type == "code" and index not in self._skip and self._runs(cell):
                if not self.left():
                    raise CellLost(index, KernelLost("timeout", self._used_up()))
                usage = partial(usage_of, self.slot, manager.provisioner.name)
                deadline = TimeLimit(self.limits.cell_seconds, usage, within=self._total)
                await runner.run(cell, index, deadline)
                self._total.credit(deadline.unrecorded)

    async def _subscribed(self, client: Any, name: str) -> None:
        """Wait until the kernel says that our subscription has reached it: from then on we miss no output."""
        deadline = time.monotonic() + 10.0
        while (left := deadline - time.monotonic()) > 0:
            if not await client.iopub_channel.socket.poll(min(left, 0.5) * 1000):
                if self.slot.exited(name) is not None:
                    break
                continue
            message = await client.iopub_channel.get_msg(timeout=1)
            if message["msg_type"] == "iopub_welcome":
                return
        raise SandboxError("the kernel's output channel did not answer")

    def _lose(self) -> None:
        """End the kernel; another may follow."""
        used = self._usage()
        self._used, self._waited_before = used, waited_here()
        self._end()

    def _end(self) -> None:
        self._caller = None
        if self._client is not None:
            self._client.stop_channels()
            self._client = None
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._manager is not None:
            manager, self._manager = self._manager, None
            if manager.provisioner is not None and manager.provisioner.has_process:
                manager.provisioner._end()


class _Manager(AsyncKernelManager):  # type: ignore[misc]  # its base is not typed
    """Without a control channel: nothing is asked there, and what a kernel sends there would be read."""

    def _connect_control_socket(self) -> None:
        pass

    def write_connection_file(self, **_: Any) -> None:
        """Called by `KernelManager` after a launch: a file would keep the kernel's key, and nobody reads it."""


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end on this process's one loop: sessions are made one after the other."""
    loop = _loop()
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)  # nbclient leaves its pollers behind when a cell is lost
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


@cache
def _context() -> zmq.asyncio.Context:
    """Sockets that refuse messages larger than any answer may be, before they are read."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.LINGER, 0)
    context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
    context.setsockopt(zmq.RCVHWM, HIGH_WATER)
    return context
