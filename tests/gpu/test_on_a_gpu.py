"""On a real GPU: forks that use CUDA, memory that is limited, overwritten and released, contexts that break."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from handed_in import RELEASED, handed_in
from on_gpu import LIMITS, for_gpu
from sandboxed import Kernel

from autograder.grading.grade import Task
from autograder.model.assignment import Assignment, Limits
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.settings import Settings
from solutions import example_class

ROOT = Path(__file__).parents[2]
CHECKS = """
@check(cell="double", points=6)
def doubles(student, draw):
    \"\"\"Twice the number.\"\"\"
    close(student.double(4), 8)

@check(cell="triple", points=4)
def triples(student, draw):
    \"\"\"Three times the number.\"\"\"
    close(student.triple(5), 15)
"""
REFERENCE = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x\n"
ON_GPU = "import torch\ndef triple(x):\n    return float(3 * torch.tensor(float(x), device='cuda'))"
MARK = 0x5A


@pytest.fixture
def task(write_suite):
    parsed = document.parse(nbformat.writes(RELEASED).encode(), Limits())
    suite = write_suite(CHECKS, "", REFERENCE)
    return for_gpu(Task(Assignment("exercise", "Exercise", 10), parsed, "secret", suite.sha256, suite), call_seconds=5)


def grade(grader, task, **answers):
    submission = Submission("ada", "exercise", nbformat.writes(handed_in(**answers)).encode())
    report = grader.grade(task, submission).report
    assert report.status == "graded", report.error
    return {check.name: (check.verdict, check.cause, check.message) for check in report.checks}, report


# forks


def test_fork_after_fork_uses_cuda(slot):
    for number in range(3):
        kernel = Kernel(slot)
        assert "gpu-memory" in kernel.walls
        told = kernel.run(
            f"""
            import torch
            x = torch.full((1000, 1000), {number}.0, device="cuda")
            answer = [torch.cuda.device_count(), float((x @ x).sum())]
            """,
            60,
        )
        assert told == [1, number**2 * 1e9]
        kernel.end()


def test_a_tensor_takes_no_more_than_the_share(slot):
    kernel = Kernel(slot)
    told = kernel.run(
        f"""
        import torch
        held = torch.empty({LIMITS.gpu_memory_bytes} * 3 // 4, dtype=torch.uint8, device="cuda")
        try:
            more = torch.empty({LIMITS.gpu_memory_bytes} // 2, dtype=torch.uint8, device="cuda")
        except torch.OutOfMemoryError:
            answer = "out of memory"
        """,
        60,
    )
    assert told == "out of memory"
    kernel.end()


def test_memory_holds_nothing_of_the_submission_before(slot):
    fill = f"""
    import torch
    size = {LIMITS.gpu_memory_bytes} * 3 // 4
    """
    before = Kernel(slot)
    written = before.run(
        f"{fill}\n    held = torch.full((size,), {MARK}, dtype=torch.uint8, device='cuda'); answer = held.numel()", 60
    )
    before.end()
    after = Kernel(slot)
    found = after.run(
        f"{fill}\n    held = torch.empty(size, dtype=torch.uint8, device='cuda'); answer = int((held == {MARK}).sum())",
        60,
    )
    assert (written, found) == (LIMITS.gpu_memory_bytes * 3 // 4, 0)
    after.end()


def test_memory_is_released_when_a_submission_ends(slot, gpus):
    share = slot.spec.gpu
    used = gpus.used(share)
    kernel = Kernel(slot)
    kernel.run("import torch; held = torch.empty(2**30, dtype=torch.uint8, device='cuda'); answer = 1", 60)
    assert gpus.used(share) > used + 2**30
    kernel.end()
    assert gpus.released(share, used)


# verdicts


def test_a_right_answer_on_the_gpu(grader, task):
    found, report = grade(grader(), task, triple=ON_GPU)
    assert {verdict for verdict, *_ in found.values()} == {"pass"}
    assert "gpu-memory" in report.walls


def test_out_of_gpu_memory_is_the_students_failure_and_costs_one_call(grader, task):
    hoard = "import torch\ndef double(x):\n    return torch.empty(2**35, device='cuda')"
    found, _ = grade(grader(), task, double=hoard, triple=ON_GPU)
    assert found["doubles"][:2] == ("fail", "memory")
    assert found["triples"][0] == "pass"


def test_a_cell_that_takes_all_gpu_memory_is_left_out(grader, task):
    hoard = "import torch\nheld = [torch.empty(2**28, device='cuda') for _ in range(2**12)]"
    submission = nbformat.writes(handed_in(triple=ON_GPU, added=[hoard])).encode()
    report = grader().grade(task, Submission("ada", "exercise", submission)).report
    assert (report.status, report.score) == ("graded", 10)


@pytest.mark.parametrize(
    "breaks",
    [
        "torch.zeros(4, device='cuda')[torch.tensor([10**6], device='cuda')].sum().item()",
        "torch.cuda._sleep(-1), torch.empty(1, device='cuda').as_strided((2**30,), (2**20,)).sum().item()",
    ],
)
def test_a_broken_context_costs_one_call(grader, task, breaks):
    found, _ = grade(grader(), task, double=f"import torch\ndef double(x):\n    return {breaks}", triple=ON_GPU)
    assert found["doubles"][0] == "fail"
    assert found["triples"][0] == "pass"


def test_time_is_measured_outside(grader, task):
    slow = """
import time, torch
torch.cuda.Event.elapsed_time = lambda *_: 0.0
time.time = time.monotonic = time.perf_counter = lambda: 0.0
def double(x):
    torch.cuda._sleep(10**12)
    torch.cuda.synchronize()
    return 2 * x
"""
    found, _ = grade(grader(), task, double=slow, triple=ON_GPU)
    assert found["doubles"][:2] == ("fail", "timeout")
    assert found["triples"][0] == "pass"


def test_work_on_a_side_stream_ends_with_the_submission(grader, task):
    hides = """
import torch
def double(x):
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(10**12)
    return 2 * x
"""
    ours = grader()
    assert {verdict for verdict, *_ in grade(ours, task, double=hides)[0].values()} == {"pass"}
    found, _ = grade(ours, task, triple=ON_GPU)
    assert {verdict for verdict, *_ in found.values()} == {"pass"}


@pytest.mark.slow
@pytest.mark.parametrize("students", [40])
def test_gpu_and_cpu_agree_on_the_example_class(grader, students):
    settings = Settings.read(ROOT)
    task = Task.load(settings.assignment("architectures"), settings.root, "secret")
    class_ = example_class.make(task, students=students)
    wrong = []
    for student in class_:
        submission = Submission(student.name, "architectures", student.content)
        cpu = grader(on_gpu=False).grade(task, submission).report
        gpu = grader().grade(for_gpu(task, call_seconds=30), submission).report
        assert {cpu.status, gpu.status} == {"graded"}, (cpu.error, gpu.error)
        for one, other in zip(cpu.checks, gpu.checks, strict=True):
            if (one.verdict, one.cause, one.hint) != (other.verdict, other.cause, other.hint):
                wrong.append((student.name, student.kind, one, other))
    assert not wrong, "\n".join(map(str, wrong[:10]))
