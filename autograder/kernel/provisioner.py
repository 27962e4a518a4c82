"""A Jupyter kernel provisioner that asks a zygote for a fork: any Jupyter client can use a sandboxed kernel.

A kernelspec names it, with the sandbox and the profile to use:

    "metadata": {
        "kernel_provisioner": {"provisioner_name": "autograder-zygote", "config": {"profile": "torch"}}
    }
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any as AnyTrait
from traitlets import Unicode

from autograder.errors import SandboxError
from autograder.sandbox.choose import option_help
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot


class ZygoteProvisioner(KernelProvisionerBase):  # type: ignore[misc]  # its base is not typed
    """Owns one kernel in a slot: the one it is given, else one of its own."""

    sandbox = Unicode("auto", config=True, help=option_help())
    profile = Unicode("torch", config=True, help="python, numpy or torch: what is warm and importable")
    slot = AnyTrait(None, allow_none=True, help="a running slot to fork in; None starts one for this kernel alone")
    student = Unicode("", help="whose kernel it is ($JUPYTERHUB_USER inside)")
    files = AnyTrait((), help="`SubmittedFile`s that are in the kernel's working folder when it starts")
    forbidden = AnyTrait((), help="dotted names of functions that graded calls may not use")
    name = Unicode("k", help="the kernel's name in its slot")

    walls: tuple[str, ...] = ()
    ended: dict[str, Any] | None = None
    _running = False
    _own_slot = False

    @property
    def has_process(self) -> bool:
        """Whether a kernel was forked and has not been ended. Asserted by `KernelManager` after a launch."""
        return self._running

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Called by `KernelManager.start_kernel()`: there is no command, and no connection file to write."""
        return await super().pre_launch(cmd=[], **kwargs)  # type: ignore[no-any-return]  # as above

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Called by `KernelManager.start_kernel()`: fork the kernel, in its own slot where none was given."""
        del cmd, kwargs
        if self.slot is None:
            from autograder.sandbox.choose import sandbox

            chosen = sandbox(self.sandbox)
            self.slot = await asyncio.to_thread(lambda: Slot(chosen, SlotSpec(self.profile)))
            self._own_slot = True
        student = self.student or os.environ.get("USER", "student")
        connection, self.walls = self.slot.fork(self.name, student, self.files, self.forbidden)
        self._running, self.ended = True, None
        self.connection_info = {**connection, "key": connection["key"].encode()}
        return self.connection_info

    async def poll(self) -> int | None:
        """Called by `KernelManager.is_alive()`: the exit code, None while the kernel runs."""
        if not self._running:
            return 0
        try:
            event = self.slot.exited(self.name)
        except SandboxError:
            return -1
        return None if event is None else int(event["code"])

    async def wait(self) -> int | None:
        """Called by `KernelManager.finish_shutdown()` and `kill_kernel()`."""
        while (code := await self.poll()) is None:  # noqa: ASYNC110 - the zygote's socket sets no event
            await asyncio.sleep(0.01)
        self._end()
        return code

    async def send_signal(self, signum: int) -> None:
        """Called by `KernelManager.signal_kernel()`: pass an interrupt on; anything else ends the kernel."""
        if self._running and signum == signal.SIGINT:
            self.slot.interrupt(self.name)
        elif self._running and signum:
            self._end()

    async def kill(self, restart: bool = False) -> None:
        """Called by `KernelManager.kill_kernel()`: end the kernel and what it started."""
        del restart
        self._end()

    async def terminate(self, restart: bool = False) -> None:
        """Called by `KernelManager.terminate_kernel()`: as `kill`; a student's kernel is not asked."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Called by `KernelManager.cleanup_resources()`: give a slot of our own back."""
        self._end()
        if self._own_slot and not restart:
            self.slot.close()
            self.slot, self._own_slot = None, False

    def _end(self) -> None:
        if self._running:
            self._running = False
            self.ended = self.slot.end(self.name)
