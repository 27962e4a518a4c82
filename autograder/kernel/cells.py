"""Run the cells of a notebook in a kernel that is there already, each within its limits."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat.v4 import new_output

from autograder.errors import KernelLost, MachineBusy, SandboxError, StudentFailure
from autograder.kernel.calls import death
from autograder.kernel.messages import UNREADABLE
from autograder.kernel.relay import Relay
from autograder.kernel.time_limit import EXTENSION, TimeLimit, starvation
from autograder.model.assignment import Limits
from autograder.sandbox.slot import Slot

BROKEN = "AcceleratorError"
"""Torch's name for an error of CUDA after which it answers nothing else."""


class CellLost(Exception):  # noqa: N818 - becomes a `Lost`
    """A cell that took the kernel with it, and why."""

    def __init__(self, index: int, failure: StudentFailure) -> None:
        super().__init__(index)
        self.index = index
        self.failure = failure


class CellRunner(NotebookClient):  # type: ignore[misc]  # its base is not typed
    """nbclient with a deadline for each cell, an end as soon as the kernel dies, and a cap on output."""

    def __init__(
        self, notebook: NotebookNode, slot: Slot, manager: Any, client: Any, relay: Relay, limits: Limits
    ) -> None:
        quiet = {"iopub_timeout": math.ceil(EXTENSION * limits.cell_seconds), "raise_on_iopub_timeout": True}
        super().__init__(notebook, km=manager, allow_errors=True, record_timing=False, **quiet)
        self.kc = client
        self.reset_execution_trackers()
        self._slot = slot
        self._relay = relay
        self._limits = limits
        self._said = 0
        self._deadline: TimeLimit | None = None
        self._trouble: SandboxError | None = None

    async def run(self, cell: NotebookNode, index: int, deadline: TimeLimit) -> None:
        """Run one cell.

        Raises:
            CellLost: it was not done in time, or the kernel died in it.
            MachineBusy: other processes had the processor time that it needed.
            SandboxError: the zygote is gone, or the relay failed.
        """
        self._deadline, self._trouble = deadline, None
        source = cell.source
        try:
            await self.async_execute_cell(cell, index)
        except (CellTimeoutError, DeadKernelError):
            failure = self._lost(deadline)
        else:
            useless = spoilt(cell.outputs, self._limits)
            if useless is None:
                return
            failure = useless
        finally:
            cell.source = source
        cell.outputs = [
            *cell.outputs[:20],
            new_output("error", ename=failure.cause, evalue=failure.message, traceback=[failure.message]),
        ]
        raise CellLost(index, failure)

    def _lost(self, deadline: TimeLimit) -> KernelLost:
        """Why the kernel is lost.

        Raises:
            MachineBusy: as `run`.
            SandboxError: as `run`.
        """
        if self._relay.failure:
            raise SandboxError(self._relay.failure)
        if self._trouble is not None:
            raise self._trouble
        if self._relay.exceeded or self._said > self._limits.output_bytes:
            return KernelLost("exception", f"the cell printed more than {self._limits.output_bytes // 1024} kB")
        if self._slot.exited(self.km.provisioner.name) is not None:
            return death(self._slot, self.km.provisioner.name, self._limits, "the cell")
        if deadline.starved:
            raise MachineBusy(starvation("a cell", deadline))
        return KernelLost("timeout", f"the cell was not done after {deadline.limit}")

    async def _async_poll_kernel_alive(self) -> None:
        """Called by nbclient beside each cell: end the wait for the reply when there will be none, or none in time.

        The zygote tells of a death, the relay of a kernel that says more than it may.
        """
        assert self._deadline is not None
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        sources = (self._slot.fileno(), self._relay.fileno())
        for source in sources:
            loop.add_reader(source, news.set)
        try:
            # the deadline comes first: what the zygote says meanwhile is seen by `exited`
            while (
                (left := self._deadline.left()) > 0
                and self._slot.exited(self.km.provisioner.name) is None
                and not self._relay.ended
            ):
                news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), left)
        except SandboxError as error:
            self._trouble = error
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


def spoilt(outputs: Sequence[Any], limits: Limits) -> KernelLost | None:
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
