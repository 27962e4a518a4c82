"""Every sandbox with walls: memory, processes, threads and disk run out for the kernel alone."""

import contextlib
import signal
import time

import pytest
from sandboxed import FORKS, LIMITS, KernelKilledError

from autograder.sandbox.interface import SHARED_BYTES


def test_memory_is_limited(kernel):
    assert (
        kernel.run(
            f"""
        import numpy
        held = numpy.ones({LIMITS.memory_bytes} * 3 // 4 // 8)  # what is allowed can be had
        del held
        try:
            held = numpy.ones({LIMITS.memory_bytes} // 8 + 2**20)
        except MemoryError:
            answer = "MemoryError"
        """
        )
        == "MemoryError"
    )
    assert kernel.run("answer = 1 + 1") == 2


def test_children_cannot_use_more_memory_than_the_sandbox_has(walled, start):
    """Many processes, each smaller than the zygote and within its own limit: they are ended, the zygote lives."""
    kernel = start(walled, "torch")
    if "cgroup-memory" not in kernel.walls:
        pytest.skip(f"{walled} has no memory cgroup: each process is limited, their sum is not")
    with contextlib.suppress(KernelKilledError):  # the kernel may be among the first
        assert (
            kernel.run(
                """
                import os, time
                for _ in range(36):
                    if os.fork() == 0:
                        held = bytearray(b"x") * (60 * 2**20)
                        time.sleep(1000)
                answer = os.WTERMSIG(os.wait()[1])
                """,
                seconds=60,
            )
            == signal.SIGKILL
        )
    kernel.end()
    assert start(walled, "torch").run("answer = 1 + 1") == 2


def test_processes_are_limited(kernel, start, walled):
    started = kernel.run(FORKS)
    assert started < LIMITS.processes
    kernel.end()
    assert start(walled).run("answer = 1 + 1") == 2


def test_threads_are_limited(kernel):
    started = kernel.run(
        """
        import threading
        wait = threading.Event()
        answer = 0
        try:
            while answer < 500:
                threading.Thread(target=wait.wait, daemon=True).start()
                answer += 1
        except RuntimeError:
            pass
        """
    )
    assert started < LIMITS.processes


def test_a_fork_bomb_is_ended(kernel, start, walled):
    kernel.send("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass")
    time.sleep(1.0)
    began = time.monotonic()
    kernel.end()
    assert time.monotonic() - began < 10
    assert start(walled).run("answer = 1 + 1") == 2


def test_disk_is_limited(kernel, start, walled):
    written = kernel.run(
        """
        answer = 0
        try:
            for number in range(64):
                with open(f"{number}", "wb", buffering=0) as file:
                    answer += file.write(bytes(2**20))
        except OSError:
            pass
        """
    )
    assert written <= LIMITS.disk_bytes
    kernel.end()
    assert start(walled).run("open('fits', 'wb').write(bytes(2**20)); answer = 1") == 1


def test_shared_memory_is_limited_and_empty_for_the_next(kernel, start, walled):
    fill = """
        answer = 0
        try:
            for number in range(64):
                with open(f"/dev/shm/{number}", "wb", buffering=0) as file:
                    for _ in range(8):
                        answer += file.write(bytes(2**20))
        except OSError:
            pass
        """
    assert SHARED_BYTES // 2 < kernel.run(fill) <= SHARED_BYTES
    kernel.end()
    following = start(walled)
    assert following.run("import os; answer = [os.path.lexists(f'/dev/shm/{n}') for n in range(64)]") == [False] * 64
    assert following.run(fill) > SHARED_BYTES // 2
