"""Line 25: what a hostile submission does with a GPU. Where there is none the table says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from attack import Attack
from shooting_range import KINDS, Range, plain

from autograder.grading.grade import Grader
from autograder.grading.slots import SlotPool
from autograder.model.submission import Submission
from autograder.sandbox import gpu

ATTACKS = [
    Attack(
        25,
        "takes all memory of the GPU in a cell",
        first="import torch\nheld = [torch.empty(2**28, device='cuda') for _ in range(2**12)]",
    ),
    Attack(
        25,
        "takes all memory of the GPU in a call",
        scale="""
        import torch
        def scale(x, factor):
            return [torch.empty(2**28, device="cuda") for _ in range(2**12)]
        """,
        says={"scale": "ran out of memory"},
    ),
    Attack(
        25,
        "reads what the submission before left on the GPU",
        first="""
        import torch
        found = torch.empty(2**30, dtype=torch.uint8, device="cuda")
        found = found[(found >= 32) & (found < 127)][:2**16]
        print(bytes(found.cpu().tolist()).decode())
        """,
    ),
    Attack(
        25,
        "hides work on a side stream",
        first="""
        import torch
        with torch.cuda.stream(torch.cuda.Stream()):
            torch.cuda._sleep(10**13)
        """,
    ),
    Attack(
        25,
        "leaves its context broken",
        scale="""
        import torch
        def scale(x, factor):
            return torch.zeros(4, device="cuda")[torch.tensor([10**6], device="cuda")].cpu().numpy()
        """,
        says={"scale": "raised"},
    ),
    Attack(
        25,
        "patches the clocks and sleeps",
        scale="""
        import time, torch
        torch.cuda.Event.elapsed_time = lambda *_: 0.0
        time.time = time.monotonic = time.perf_counter = lambda: 0.0
        def scale(x, factor):
            torch.cuda._sleep(10**13)
            torch.cuda.synchronize()
            return factor * x
        """,
        says={"scale": "gave no answer within"},
    ),
]


@pytest.fixture(scope="module")
def graders(shooting_range: Range) -> Iterator[dict[str, Grader]]:
    """Of each sandbox, made when it is first asked for."""
    made: dict[str, Grader] = {}
    yield made
    for grader in made.values():
        grader.pool.close()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_attack_on_a_gpu(shooting_range: Range, graders: dict[str, Grader], kind: str, attack: Attack) -> None:
    if (gpus := gpu.gpus("all", 1)) is None:
        pytest.skip("no GPU")
    if kind not in graders:
        graders[kind] = Grader(SlotPool(KINDS[kind](), 10**6), gpus=gpus)
    grader, task = graders[kind], shooting_range.task
    limits = replace(task.assignment.limits, cell_seconds=30, call_seconds=5, total_seconds=120, gpu_memory_bytes=2**31)
    task = replace(task, assignment=replace(task.assignment, runner="gpu", limits=limits))

    def grade(name: str, hostile: Attack):
        return grader.grade(task, Submission(name, "vault", shooting_range.content(hostile)))

    secret = shooting_range.canaries["neighbour"]
    left = f"import torch\nheld = torch.tensor(list({secret!r}.encode()), dtype=torch.uint8).repeat(2**24).to('cuda')"
    assert grade("neighbour", Attack(0, "a neighbour", first=left)).report.score == 100
    graded = grade("mallory", attack)
    assert graded.report.status == "graded", plain(graded.report.error)
    assert graded.report.score == attack.honest_points, plain([check.message for check in graded.report.checks])
    assert shooting_range.leaked(graded) == []
    for name, pattern in attack.says.items():
        messages = [check.message for check in graded.report.cell(name) if check.verdict != "pass"]
        assert any(re.search(pattern, message) for message in messages), plain(messages)
    after = Attack(0, "an honest student", first="import torch; torch.ones(9, device='cuda')")
    assert grade("honest", after).report.score == 100
