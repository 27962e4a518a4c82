"""Slots and kernels of every sandbox that this machine has.

`AUTOGRADER_CONTRACT=bwrap` runs the suite for one alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandboxed import CANARY, LIMITS, Kernel

from autograder.sandbox import choose
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

KINDS = {kind.name: kind.make for kind in choose.KINDS}
CHOSEN = os.environ.get("AUTOGRADER_CONTRACT")


if CHOSEN not in {None, *KINDS}:
    raise pytest.UsageError(f"AUTOGRADER_CONTRACT={CHOSEN}: there is no such sandbox; expected {' or '.join(KINDS)}")


def _params(*names: str) -> list[Any]:
    marks = {"docker": [pytest.mark.docker]}
    return [pytest.param(name, marks=marks.get(name, [])) for name in names if CHOSEN in {None, name}]


@pytest.fixture(scope="session", autouse=True)
def _secret() -> Iterator[None]:
    """A canary in the grader's environment, there before any sandbox starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SECRET", CANARY)
        yield


@pytest.fixture(scope="session")
def slots(_secret: None) -> Iterator[Callable[[str, str], Slot]]:
    """One warm slot for each sandbox and profile, made when it is first asked for; the whole suite shares them."""
    made: dict[tuple[str, str], Slot] = {}
    reasons: dict[str, str | None] = {}

    def slot(kind: str, profile: str) -> Slot:
        if kind not in reasons:
            reasons[kind] = KINDS[kind]().missing()
        if reasons[kind] is not None:
            pytest.skip(f"{kind}: {reasons[kind]}")
        if (kind, profile) not in made:
            made[kind, profile] = Slot(KINDS[kind](), SlotSpec(profile, LIMITS))
            made[kind, profile].wait()
        return made[kind, profile]

    yield slot
    for each in made.values():
        each.close()


@pytest.fixture(params=_params(*choose.names()))
def kind(request: pytest.FixtureRequest) -> str:
    """Every sandbox."""
    return request.param


@pytest.fixture(params=_params(*choose.strongest_first()))
def walled(request: pytest.FixtureRequest) -> str:
    """The sandboxes that have walls; `none` promises none."""
    return request.param


@pytest.fixture
def start(slots: Callable[[str, str], Slot]) -> Iterator[Callable[..., Kernel]]:
    """Start kernels: `start(kind, profile)`. Those that a test did not end are ended after it."""
    started: list[Kernel] = []

    def kernel(kind: str, profile: str = "numpy") -> Kernel:
        started.append(Kernel(slots(kind, profile)))
        return started[-1]

    yield kernel
    for each in started:
        if (each.slot.folder / each.name).exists():
            each.end()


@pytest.fixture
def kernel(walled: str, start: Callable[..., Kernel]) -> Kernel:
    """A kernel in a sandbox with walls, profile numpy."""
    return start(walled)


@pytest.fixture
def own_slot(slots: Callable[[str, str], Slot]) -> Iterator[Callable[[str], Slot]]:
    """A slot of the test's own, for it to break: `own_slot(kind)`."""
    made: list[Slot] = []

    def slot(kind: str) -> Slot:
        slots(kind, "numpy")  # skips where this sandbox is missing
        made.append(Slot(KINDS[kind](), SlotSpec("numpy", LIMITS)))
        made[-1].wait()
        return made[-1]

    yield slot
    for each in made:
        each.close()
