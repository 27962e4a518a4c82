"""One submission's kernel: fork it, run the notebook's cells with nbclient, start again when one is lost."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat.v4 import new_output

from autograder.errors import KernelLost, SandboxError, StudentFailure
from autograder.inside.values import ANSWER, Bounds
from autograder.kernel.calls import Caller, death
from autograder.kernel.messages import UNREADABLE, WarySession
from autograder.kernel.relay import Relay
from autograder.model.assignment import Limits, Runner
from autograder.sandbox import gpu
from autograder.sandbox.slot import Slot

HIGH_WATER = 10_000
MESSAGE_BYTES = 2**28
"""The largest part of a message that ZeroMQ takes at all."""
BROKEN = "AcceleratorError"
"""Torch's name for an error of CUDA after which it answers nothing else."""
MESSAGES_BYTES = 2**25
"""What messages take beside a notebook's output: a cell's source comes back, each message has its headers."""


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

    def __init__(self, slot: Slot, student: str, limits: Limits) -> None:
        self.slot = slot
        self.student = student
        share = slot.spec.gpu
        self.limits = replace(limits, gpu_memory_bytes=share.memory_bytes) if share else limits
        self.walls: tuple[str, ...] = ()
        self.runner: Runner = "gpu" if share else "cpu"
        self.bounds = Bounds(limits.answer_bytes, limits.answer_depth, limits.answer_parts, ANSWER.arrays)
        self._deadline = time.monotonic() + limits.total_seconds
        self._manager: AsyncKernelManager | None = None
        self._client: Any = None
        self._relay: Relay | None = None
        self._caller: Caller | None = None
        self._notebook: NotebookNode | None = None
        self._skip: set[int] = set()
        self._runs: Callable[[Any], bool] = lambda _cell: True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, notebook: NotebookNode, runs: Callable[[Any], bool] = lambda _cell: True) -> Execution:
        """Run the code cells that `runs` is true of, errors allowed; outputs go into a copy of the notebook.

        A cell that hangs, eats its memory or kills the kernel is left out, and the others are run again
        without it.

        Raises:
            SandboxError: the sandbox failed.
        """
        execution = Execution(copy.deepcopy(notebook))
        self._notebook, self._runs = execution.notebook, runs
        while True:
            try:
                self._start()
            except _CellLost as stop:
                self._skip.add(stop.index)
                execution.lost.append(Lost(stop.index, stop.failure))
                self._end()
                self._expect_room(stop.failure.cause)
                if time.monotonic() > self._deadline:
                    return execution  # no call will be made either
            else:
                return execution

    def request(self, message: dict[str, Any], buffers: Any, seconds: float | None) -> tuple[dict[str, Any], list[Any]]:
        """Ask the probe (see `autograder.checks.student.Transport`); a lost kernel is replaced before it.

        Raises:
            KernelLost: this request hung, or took the kernel with it, or the submission's time is up.
            SandboxError: the sandbox failed.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise KernelLost("timeout", self._used_up())
        try:
            reply, answer = self._calls().request(message, buffers, min(left, seconds or self.limits.call_seconds))
        except KernelLost:
            self._end()
            raise
        if reply.get("cause") == "memory" or (self.runner == "gpu" and reply.get("type") == BROKEN):
            self._end()  # what it hoards would starve the next request, and a GPU's context never mends
            self._expect_room(reply.get("cause"))
        return reply, answer

    def _used_up(self) -> str:
        return f"the submission's {self.limits.total_seconds:.0f} s are used up"

    def _calls(self) -> Caller:
        """What calls the present kernel; where there is none, a new one."""
        if self._manager is None:
            self._restart()
        if self._caller is None:
            assert self._manager is not None
            assert self._relay is not None
            self._caller = Caller(self._client, self._relay, self.slot, self._manager.provisioner.name, self.limits)
        return self._caller

    def _restart(self) -> None:
        while True:
            try:
                self._start()
            except _CellLost as stop:  # it ran to its end the first time: nondeterminism costs that cell alone
                self._skip.add(stop.index)
                self._end()
                self._expect_room(stop.failure.cause)
                if time.monotonic() > self._deadline:
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
        config = {"slot": self.slot, "student": self.student, "name": f"k{self.slot.used}"}
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
        runner = _Runner(self._notebook, self.slot, manager, client, self._relay, self.limits)
        for index, cell in enumerate(self._notebook.cells):
            if cell.cell_type == "code" and index not in self._skip and self._runs(cell):
                left = self._deadline - time.monotonic()
                if left <= 0:
                    raise _CellLost(index, KernelLost("timeout", self._used_up()))
                await runner.run(cell, index, min(self.limits.cell_seconds, left))

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


class _CellLost(Exception):  # noqa: N818 - internal: becomes a Lost
    def __init__(self, index: int, failure: StudentFailure) -> None:
        super().__init__(index)
        self.index = index
        self.failure = failure


class _Runner(NotebookClient):  # type: ignore[misc]  # its base is not typed
    """nbclient on a kernel that is there already: told at once when the kernel dies, with a cap on output."""

    def __init__(
        self, notebook: NotebookNode, slot: Slot, manager: Any, client: Any, relay: Relay, limits: Limits
    ) -> None:
        quiet = {"iopub_timeout": math.ceil(limits.cell_seconds), "raise_on_iopub_timeout": True}
        super().__init__(notebook, km=manager, allow_errors=True, record_timing=False, **quiet)
        self.kc = client
        self.reset_execution_trackers()
        self._slot = slot
        self._relay = relay
        self._limits = limits
        self._said = 0

    async def run(self, cell: NotebookNode, index: int, seconds: float) -> None:
        """Run one cell.

        Raises:
            _CellLost: it was not done in time, or the kernel died in it.
            SandboxError: the zygote is gone, or the relay failed.
        """
        self.timeout_func = lambda _cell: seconds  # `timeout` takes whole seconds only
        source = cell.source
        try:
            await self.async_execute_cell(cell, index)
        except CellTimeoutError:
            failure = KernelLost("timeout", f"the cell was not done after {seconds:.3g} s")
        except DeadKernelError:
            if self._relay.failure:
                raise SandboxError(self._relay.failure) from None
            if self._relay.exceeded or self._said > self._limits.output_bytes:
                failure = KernelLost("exception", f"the cell printed more than {self._limits.output_bytes // 1024} kB")
            else:
                failure = death(self._slot, self.km.provisioner.name, self._limits, "the cell")
        else:
            spoilt = _spoilt(cell.outputs, self._limits)
            if spoilt is None:
                return
            failure = spoilt
        finally:
            cell.source = source
        cell.outputs = [
            *cell.outputs[:20],
            new_output("error", ename=failure.cause, evalue=failure.message, traceback=[failure.message]),
        ]
        raise _CellLost(index, failure)

    async def _async_poll_kernel_alive(self) -> None:
        """Called by nbclient beside each cell: end the wait for the reply when there will be none.

        The zygote tells of a death, the relay of a kernel that says more than it may.
        """
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        sources = (self._slot.fileno(), self._relay.fileno())
        for source in sources:
            loop.add_reader(source, news.set)
        try:
            with contextlib.suppress(SandboxError):  # the zygote is gone, and the kernel with it: `death` will say so
                while self._slot.exited(self.km.provisioner.name) is None and not self._relay.ended:
                    news.clear()
                    await news.wait()
        finally:
            for source in sources:
                loop.remove_reader(source)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    async def _check_raise_for_error(self, cell: NotebookNode, cell_index: int, exec_reply: Any) -> None:
        """Called by nbclient when a cell is done: errors are allowed, and a hostile reply has no status."""

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Count what the cell says before it is kept; what is not as Jupyter writes it is not kept."""
        if msg["msg_type"] not in {"status", "execute_input"}:
            self._said += msg["size"]
            if self._said > self._limits.output_bytes:
                if self.task_poll_for_reply is not None:
                    self.task_poll_for_reply.cancel()  # nbclient takes it for a death, which it will be
                return None
        if msg["msg_type"].startswith("comm") or not _is_count(msg["content"].get("execution_count", 0)):
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except (*UNREADABLE, ValidationError):
            return None


def _is_count(value: Any) -> bool:
    """Whether a notebook can hold it as the number of a cell's run."""
    return type(value) is int and 0 <= value < 2**31


def _spoilt(outputs: Sequence[Any], limits: Limits) -> KernelLost | None:
    """Why a kernel is of no use after a cell that ended: what it hoards would starve the next, or its GPU is lost.

    Python's parser raises a MemoryError too, for code that is nested too deep: no line of the cell has run then.
    """
    for error in outputs:
        if error.output_type != "error":
            continue
        name, told = error.ename, error.evalue
        if name == "OutOfMemoryError" and "out of memory" in told:
            return KernelLost(
                "memory", f"the cell used more than {limits.gpu_memory_bytes >> 20} MiB of the GPU's memory"
            )
        if (name == "MemoryError" and any("In[" in line for line in error.traceback)) or (
            name == "RuntimeError" and "can't allocate memory" in told
        ):
            return KernelLost("memory", f"the cell used more than {limits.memory_bytes >> 20} MiB of memory")
        if name == BROKEN:
            return KernelLost("died", f"the cell broke the GPU's context: {told[:200]}")
    return None


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
