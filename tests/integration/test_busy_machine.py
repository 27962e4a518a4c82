"""A busy machine costs no points: a kernel that shares its processor with others has all the time of its limits.

The kernel and the processes that keep it from running share one processor, so nothing here rests on how fast that is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.checks.record import Record, recording
from autograder.checks.student import Student
from autograder.errors import KernelLost, MachineBusy
from autograder.kernel import time_limit
from autograder.kernel.session import KernelSession
from autograder.model.assignment import Limits
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot
from autograder.sandbox.unconfined import Unconfined

LIMITS = Limits(cell_seconds=0.5, call_seconds=0.5, total_seconds=100, memory_bytes=512 * 2**20)
OTHERS = 3
COMPUTE = """
import time
def compute(seconds=0.35):
    started, end = time.monotonic(), time.process_time() + seconds
    while time.process_time() < end:
        pass
    return time.monotonic() - started
"""
ENDLESS = "def endless():\n    while True:\n        pass"
ASLEEP = "def asleep():\n    time.sleep(1000)"
CHILD = """
import subprocess, sys
def child():
    code = "import time\\nwhile time.process_time() < 0.3: pass"
    return subprocess.run([sys.executable, "-sSEc", code]).returncode
"""


@pytest.fixture(scope="module", params=[Unconfined, Bubblewrap], ids=["none", "bwrap"])
def slot(request):
    """A slot on one processor, which others use too."""
    if (reason := request.param().missing()) is not None:
        pytest.skip(reason)
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this kernel does not record how long a process waits for a processor")
    processor = {min(os.sched_getaffinity(0))}
    with Slot(request.param(), SlotSpec("python", LIMITS)) as made:
        made.wait()
        for process in family(made.enclosure.process.pid):
            os.sched_setaffinity(process, processor)
        loop = "while True: pass"
        others = [  # each in a session of its own, for Linux may share processors out by session
            subprocess.Popen([sys.executable, "-sSEc", loop], start_new_session=True) for _ in range(OTHERS)
        ]
        try:
            for other in others:
                os.sched_setaffinity(other.pid, processor)
            yield made
        finally:
            for other in others:
                other.kill()
                other.wait()


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Let nothing end for what runs beside these tests."""
    monkeypatch.setattr(time_limit, "EXTENSION", 100.0)


def family(process):
    """A process and what it started, by number."""
    yield process
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield from family(int(child))


@pytest.fixture
def run(slot):
    """Run cells; call functions of theirs."""
    opened = []

    def start(*sources, **limits):
        session = KernelSession(slot, "ada", replace(LIMITS, **limits))
        opened.append(session.__enter__())
        execution = session.run(new_notebook(cells=[new_code_cell(source) for source in sources]))

        def call(name):
            with recording(Record()):
                return getattr(Student("ada", session), name)()

        return call, {item.index: item.failure.cause for item in execution.lost}

    yield start
    for session in opened:
        session.__exit__(None, None, None)


def test_a_call_within_its_limit_of_processor_time_passes(run):
    call, lost = run(COMPUTE)
    seconds = call("compute")
    assert lost == {}
    if seconds < LIMITS.call_seconds:
        pytest.skip("the others did not keep the kernel from running")


def test_a_cell_within_its_limit_of_processor_time_ends(run):
    call, lost = run(COMPUTE, "seconds = compute()", "def answer():\n    return seconds")
    assert lost == {}
    assert call("answer") > 0


@pytest.mark.parametrize("name", ["endless", "asleep"])
def test_a_call_that_does_not_end_is_a_timeout(run, name):
    call, _ = run(COMPUTE, ENDLESS, ASLEEP)
    with pytest.raises(KernelLost) as caught:
        call(name)
    assert caught.value.cause == "timeout"
    assert call("compute") > 0


def test_a_cell_that_does_not_end_is_a_timeout(run):
    call, lost = run(COMPUTE, "while True:\n    pass", "time.sleep(1000)")
    assert lost == {1: "timeout", 2: "timeout"}
    assert call("compute") > 0


def test_a_child_process_has_the_time_of_the_limit(run):
    call, _ = run(CHILD, call_seconds=1.0)
    assert call("child") == 0


def test_processes_of_its_own_that_keep_it_from_running_end_at_the_limit(run):
    fork = "def crowd():\n    for _ in range(20):\n        if os.fork() == 0:\n            while True: pass\n"
    call, _ = run(f"import os\n{fork}    while True: pass")
    with pytest.raises(KernelLost) as caught:
        call("crowd")
    assert caught.value.cause == "timeout"


def test_all_of_a_submission_has_its_time(run):
    call, lost = run(COMPUTE, *["compute(0.1)"] * 5, total_seconds=1.5)
    assert lost == {}
    assert call("compute") > 0


def test_a_kernel_that_got_nothing_is_the_machines_failure(run, monkeypatch):
    call, _ = run(COMPUTE)
    monkeypatch.setattr(time_limit, "EXTENSION", 1.0)
    with pytest.raises(MachineBusy, match="this machine is too busy: a call of `compute`"):
        call("compute")
