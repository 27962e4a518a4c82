"""Slots that have a GPU, on a machine that has one; elsewhere these tests are skipped, and say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from on_gpu import LIMITS

from autograder.grading.grade import Grader
from autograder.grading.slots import SlotPool
from autograder.sandbox import choose, gpu
from autograder.sandbox.gpu import Gpus
from autograder.sandbox.interface import Sandbox, SlotSpec
from autograder.sandbox.slot import Slot

KINDS = {kind.name: kind.make for kind in choose.KINDS}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.docker] * (name == "docker")) for name in KINDS])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every sandbox that this machine has."""
    made = KINDS[request.param]()
    if not gpu.found():
        pytest.skip("no GPU here")
    if (reason := made.missing()) is not None:
        pytest.skip(f"{request.param}: {reason}")
    if request.param == "docker" and "nvidia" not in made._info["Runtimes"]:
        pytest.skip("docker: the engine has no NVIDIA runtime (install the NVIDIA Container Toolkit)")
    return made


@pytest.fixture
def gpus() -> Gpus:
    """All of this machine's."""
    found = gpu.gpus("all", 1)
    assert found is not None
    return found


@pytest.fixture
def slot(sandbox: Sandbox, gpus: Gpus) -> Iterator[Slot]:
    """A slot with a turn on a GPU."""
    with ExitStack() as stack:
        share = stack.enter_context(gpus.turn(LIMITS.gpu_memory_bytes))
        made = stack.enter_context(Slot(sandbox, SlotSpec("torch", LIMITS, gpu=share)))
        made.wait()
        yield made


@pytest.fixture
def grader(sandbox: Sandbox, gpus: Gpus) -> Iterator[Callable[..., Grader]]:
    """`grader()` grades on a GPU, `grader(on_gpu=False)` the same on the CPU."""
    with SlotPool(sandbox) as pool:
        yield lambda *, on_gpu=True: Grader(pool, gpus=gpus if on_gpu else None)
