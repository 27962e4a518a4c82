"""Real kernels in real slots: whatever a notebook does, the other cells run and the other calls are answered."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.checks.record import Record, recording
from autograder.checks.student import Student
from autograder.errors import KernelLost, SandboxError, StudentFailure
from autograder.kernel import calls
from autograder.kernel.relay import Relay
from autograder.kernel.session import KernelSession
from autograder.model.assignment import Limits
from autograder.sandbox import gpu
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.interface import GpuShare, SlotSpec
from autograder.sandbox.slot import Slot
from autograder.sandbox.unconfined import Unconfined

LIMITS = Limits(cell_seconds=20, call_seconds=20, total_seconds=100, memory_bytes=512 * 2**20, output_bytes=50_000)
HASTY = replace(LIMITS, cell_seconds=1, call_seconds=0.5)
"""For what never ends; a limit that is not reached costs no time."""
BEFORE, AFTER = "def before():\n    return 'before'", "def after():\n    return 'after'"
NETWORK = "class Doubler:\n    def __call__(self, x):\n        return 2 * x"


@pytest.fixture(scope="module")
def slots():
    """One slot of each sandbox, for all tests."""
    made = {}

    def slot(kind):
        if (reason := kind().missing()) is not None:
            pytest.skip(reason)
        if kind not in made:
            made[kind] = Slot(kind(), SlotSpec("numpy", LIMITS))
        return made[kind]

    yield slot
    for each in made.values():
        each.close()


@pytest.fixture(params=[Unconfined, Bubblewrap], ids=["none", "bwrap"])
def slot(request, slots):
    return slots(request.param)


@pytest.fixture
def open_slot(slots):
    """A slot without walls, for what walls do not change."""
    return slots(Unconfined)


class Run:
    """A notebook that was run, and its functions."""

    def __init__(self, session, execution):
        self.session, self.notebook = session, execution.notebook
        self.lost = {item.index: item.failure for item in execution.lost}
        self.student = Student("ada", session)

    def call(self, name, *args):
        with recording(Record()):
            return getattr(self.student, name)(*args)

    def errors(self, position):
        return [output.ename for output in self.notebook.cells[position].outputs if output.output_type == "error"]

    def text(self, position):
        return "".join(output.get("text", "") for output in self.notebook.cells[position].outputs)


@pytest.fixture
def start():
    """Run cells in a slot; the kernel ends with the test."""
    opened = []

    def run(slot, *sources, limits=LIMITS, **options):
        session = KernelSession(slot, "ada", limits)
        opened.append(session.__enter__())
        return Run(session, session.run(new_notebook(cells=[new_code_cell(source) for source in sources]), **options))

    yield run
    for session in opened:
        session.__exit__(None, None, None)


def lost(call):
    with pytest.raises(KernelLost) as caught:
        call()
    return caught.value


# running cells


def test_cells_run_in_order_with_their_outputs(slot, start):
    run = start(slot, "x = 2", "print(x)", "x + 3")
    assert run.text(1) == "2\n"
    assert run.notebook.cells[2].outputs[0].data["text/plain"] == "5"
    assert run.lost == {}


def test_an_error_stops_its_cell_alone(slot, start):
    run = start(slot, BEFORE, "x = 1\n1 / 0\nx = 2", "print(x)")
    assert run.errors(1) == ["ZeroDivisionError"]
    assert run.text(2) == "1\n"
    assert run.call("before") == "before"


@pytest.mark.parametrize("leave", ["exit()", "quit()", "exit", "quit(keep_kernel=True)", "import sys; sys.exit(0)"])
def test_a_cell_that_exits_ends_there_and_costs_nothing_else(slot, start, leave):
    wait = "import time\ntime.sleep(0.5)\nprint('later' in globals())"
    run = start(slot, f"{BEFORE}\n{leave}\nlater = 1", f"def leaves():\n    {leave}", leave, AFTER, wait)
    assert run.lost == {}
    assert run.text(4) == ("True\n" if leave == "exit" else "False\n")  # the name alone exits where it is all of a cell
    assert (run.call("before"), run.call("after")) == ("before", "after")
    if leave != "exit":
        with pytest.raises(StudentFailure, match="SystemExit"):
            run.call("leaves")
    assert (run.call("before"), run.call("after")) == ("before", "after")


def test_only_the_chosen_cells_run(open_slot, start):
    run = start(open_slot, "x = 1", "x = 2", "print(x)", runs=lambda cell: cell.source != "x = 2")
    assert run.text(2) == "1\n"


def test_a_busy_grader_misses_nothing_that_was_shown(open_slot, start, monkeypatch, tmp_path):
    """The kernel's socket holds what nobody has read yet; ZeroMQ's would drop all beyond a thousand messages."""
    shown = tmp_path / "shown"
    receive = Relay._receive

    def late(self, end):
        started = end.counted and (tmp_path / "started").exists()
        while started and not shown.exists():
            time.sleep(0.01)
        return receive(self, end)

    monkeypatch.setattr(Relay, "_receive", late)
    loop = f"""
from IPython.display import display
open({str(tmp_path / "started")!r}, 'w').close()
for number in range(2000):
    display(number)
open({str(shown)!r}, 'w').close()
"""
    run = start(open_slot, loop, limits=replace(LIMITS, output_bytes=2**21))
    assert run.lost == {}
    assert [output.data["text/plain"] for output in run.notebook.cells[0].outputs] == [str(n) for n in range(2000)]


def test_the_notebook_that_was_given_is_left_as_it_was(open_slot):
    given = new_notebook(cells=[new_markdown_cell("text"), new_code_cell("print(1)")])
    with KernelSession(open_slot, "ada", LIMITS) as session:
        execution = session.run(given)
    assert given.cells[1].outputs == []
    assert execution.notebook.cells[1].outputs
    assert execution.notebook.cells[0].source == "text"


def test_a_notebook_knows_whose_it_is(slot, start):
    assert start(slot, "import os\nprint(os.environ['JUPYTERHUB_USER'])").text(0) == "ada\n"


def test_the_walls_are_told(slot, start):
    walls = start(slot, "x = 1").session.walls
    assert walls[: len(slot.enclosure.walls)] == slot.enclosure.walls
    assert ("uid" in walls or "landlock" in walls) == (slot.sandbox.name != "none")


def test_asking_for_input_is_an_error_and_no_wait(open_slot, start):
    assert start(open_slot, "input()").errors(0) == ["StdinNotImplementedError"]


# cells that take the kernel with them


@pytest.mark.parametrize(
    ("source", "cause", "told"),
    [
        ("while True:\n    pass", "timeout", "1 s"),
        ("import os\nos._exit(3)", "died", "exit code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "died", "signal 9"),
        ("while True:\n    print('x' * 100)", "exception", "printed"),
        ("raise ValueError('x' * 100_000)", "exception", "printed"),
        ("raise MemoryError", "memory", "memory"),
    ],
    ids=["endless", "exit", "killed", "flood", "long error", "memory error"],
)
def test_a_cell_that_loses_the_kernel_is_left_out_and_the_others_run(slot, start, source, cause, told):
    run = start(slot, BEFORE, source, AFTER, limits=HASTY if cause == "timeout" else LIMITS)
    assert set(run.lost) == {1}
    assert run.lost[1].cause == cause
    assert told in run.lost[1].message
    assert run.errors(1)[-1] == cause
    assert (run.call("before"), run.call("after")) == ("before", "after")


def test_memory_has_a_limit(slots, start):
    run = start(slots(Bubblewrap), BEFORE, "hoard = [bytearray(2**24) for _ in range(64)]", AFTER)
    assert {position: failure.cause for position, failure in run.lost.items()} == {1: "memory"}
    assert run.call("after") == "after"


def test_every_cell_that_loses_the_kernel_is_left_out(open_slot, start):
    run = start(open_slot, "import os\nos._exit(1)", BEFORE, "import os\nos._exit(2)", AFTER)
    assert [run.lost[position].message[-2:] for position in sorted(run.lost)] == ["1)", "2)"]
    assert (run.call("before"), run.call("after")) == ("before", "after")


# messages that no kernel of Jupyter sends

SENDING = """
import json, time
kernel = get_ipython().kernel

def publish(*frames):
    kernel.iopub_thread.send_multipart([b"topic", *frames])

def signed(*parts):
    publish(b"<IDS|MSG>", kernel.session.sign(list(parts)), *parts)

def message(kind, content):
    frames = kernel.session.serialize(kernel.session.msg(kind, content={}, parent=kernel.get_parent()))
    frames[-1] = json.dumps(content).encode()
    frames[1] = kernel.session.sign(frames[2:])
    publish(*frames)
"""


@pytest.mark.parametrize(
    "source",
    [
        "publish(b'no delimiter')",
        "publish(b'<IDS|MSG>')",
        "publish(b'<IDS|MSG>', b'signature', b'{}', b'{}', b'{}', b'{}')",
        "signed(b'[]', b'[]', b'[]', b'[]')",
        "signed(b'{', b'{}', b'{}', b'{}')",
        "message('stream', [1])",
        "message('stream', {'name': 'stdout', 'text': 5})",
        "message('stream', {})",
        "message('status', {})",
        "message('error', {'ename': 5, 'evalue': [], 'traceback': 'x'})",
        "message('display_data', {'data': None, 'metadata': {}})",
        "message('display_data', {'data': {}, 'metadata': {}, 'transient': 5})",
        "message('execute_result', {'execution_count': 'x', 'data': {}, 'metadata': {}})",
        "message('comm_open', {'comm_id': [], 'data': 3})",
        "message('unknown', {})",
    ],
)
def test_a_malformed_message_is_passed_over(open_slot, start, source):
    run = start(open_slot, BEFORE, SENDING, source, AFTER)
    assert run.lost == {}
    assert run.notebook.cells[2].execution_count in {3, None}
    assert (run.call("before"), run.call("after")) == ("before", "after")


def test_a_kernel_that_welcomes_nobody_loses_its_calls(open_slot, start, monkeypatch):
    monkeypatch.setattr(calls, "WELCOME_SECONDS", 0.2)
    mute = "get_ipython().kernel.iopub_thread._send_welcome_message = lambda *_: None"
    run = start(open_slot, BEFORE, mute)
    assert lost(lambda: run.call("before")).cause == "timeout"
    assert lost(lambda: run.call("before")).cause == "timeout"


# calls


def test_arrays_cross_into_the_kernel_and_back(slot, start):
    image = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(start(slot, "def flip(x):\n    return x[::-1]").call("flip", image), image[::-1])


def test_an_object_stays_in_the_kernel(open_slot, start):
    run = start(open_slot, NETWORK)
    with recording(Record()):
        assert run.student.Doubler()(21) == 42


def test_a_function_that_raises_keeps_its_kernel(open_slot, start):
    run = start(open_slot, "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls) / x")
    with pytest.raises(StudentFailure) as caught:
        run.call("f", 0)
    assert not isinstance(caught.value, KernelLost)
    assert "ZeroDivisionError" in caught.value.message
    assert "len(calls) / x" in caught.value.message
    assert run.call("f", 1) == 2


def test_a_message_that_is_no_unicode_text_is_an_answer_all_the_same(open_slot, start):
    run = start(open_slot, "def f():\n    raise ValueError('\\ud800 is odd')")
    with pytest.raises(StudentFailure, match="is odd"):
        run.call("f")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("while True:\n        pass", "timeout"),
        ("import os\n    os._exit(3)", "died"),
    ],
    ids=["endless", "exit"],
)
def test_a_call_that_loses_the_kernel_costs_itself_alone(slot, start, body, cause):
    good = "count = 0\ndef good():\n    global count\n    count += 1\n    return count"
    run = start(slot, good, f"def bad():\n    {body}", limits=HASTY if cause == "timeout" else LIMITS)
    assert run.call("good") == 1
    failure = lost(lambda: run.call("bad"))
    assert failure.cause == cause
    assert "bad" in failure.message
    assert run.call("good") == 1
    assert run.call("good") == 2


def test_a_call_that_runs_out_of_memory_leaves_nothing_behind(open_slot, start):
    run = start(
        open_slot, "hoard = []\ndef f():\n    hoard.append(1)\n    raise MemoryError", "def g():\n    return len(hoard)"
    )
    with pytest.raises(StudentFailure) as caught:
        run.call("f")
    assert caught.value.cause == "memory"
    assert run.call("g") == 0


def test_a_check_may_have_a_time_limit_of_its_own(open_slot, start):
    run = start(open_slot, "def endless():\n    while True:\n        pass")
    hasty = Student("ada", run.session, seconds=0.1)
    with recording(Record()):
        assert "0.1 s" in lost(hasty.endless).message


def test_what_a_function_prints_costs_its_call_nothing(open_slot, start):
    run = start(open_slot, "def loud():\n    for _ in range(2000):\n        print('x' * 100)\n    return 1")
    assert run.call("loud") == 1


def test_a_cell_that_hangs_only_when_it_is_run_again_costs_itself_alone(open_slot, start):
    first = f"k{open_slot.used}"
    moody = f"import os\nwhile not os.getcwd().endswith('/{first}'):\n    pass\ndef moody():\n    return 1"
    run = start(open_slot, BEFORE, moody, AFTER, "def bad():\n    os._exit(1)", limits=HASTY)
    assert run.lost == {}
    assert run.call("moody") == 1
    lost(lambda: run.call("bad"))
    assert (run.call("before"), run.call("after")) == ("before", "after")
    with pytest.raises(StudentFailure, match="moody"):
        run.call("moody")


def test_when_the_time_of_the_submission_is_up_calls_fail_without_a_kernel(open_slot, start):
    run = start(open_slot, BEFORE, "while True:\n    pass", limits=replace(LIMITS, total_seconds=0.5))
    used = open_slot.used
    failure = lost(lambda: run.call("before"))
    assert failure.cause == "timeout"
    assert open_slot.used == used


# slots


def test_a_relay_that_fails_costs_no_cell_and_no_call(open_slot, start, monkeypatch):
    run = start(open_slot, AFTER)
    monkeypatch.setattr(Relay, "_receive", lambda *_: 1 / 0)
    with pytest.raises(SandboxError, match="ZeroDivisionError"):
        run.call("after")


def test_a_notebook_of_endless_cells_costs_the_time_of_a_submission_and_few_kernels(open_slot, start):
    limits = replace(HASTY, cell_seconds=0.4, total_seconds=1)
    kernels = open_slot.used
    run = start(open_slot, BEFORE, *["while True:\n    pass"] * 50, AFTER, limits=limits)
    assert open_slot.used - kernels <= 4
    assert {failure.cause for failure in run.lost.values()} == {"timeout"}
    with pytest.raises(StudentFailure, match="used up"):
        run.call("after")
    assert open_slot.used - kernels <= 4


def test_nothing_of_a_submission_is_left_for_the_next(slot, start):
    with KernelSession(slot, "ada", LIMITS) as session:
        first = Run(session, session.run(new_notebook(cells=[new_code_cell(
            "import os, sys\nsys.flag = leftover = 1\nopen('file', 'w').close()\nprint(os.getcwd())")])))  # fmt: skip
        where = first.text(0).strip()
    second = start(
        slot, f"import os, sys\nprint('leftover' in globals(), hasattr(sys, 'flag'), os.path.exists({where!r}))"
    )
    assert second.text(0) == "False False False\n"


def test_memory_that_a_gpu_did_not_have_is_the_sandboxs_failure(open_slot, start, monkeypatch):
    """The kernel has no GPU here: what is said of one, once it is lost for memory, is whether its share was there."""
    run = start(open_slot, "def hungry():\n    raise MemoryError\ndef wrong():\n    raise ValueError", AFTER)
    share = GpuShare("GPU-a", (), 2**30, 2**34, sole=True)
    asked = []
    monkeypatch.setattr(open_slot, "spec", replace(open_slot.spec, gpu=share))
    monkeypatch.setattr(gpu, "expect_room", asked.append)
    with pytest.raises(StudentFailure):
        run.call("wrong")
    assert asked == []
    with pytest.raises(StudentFailure):
        run.call("hungry")
    assert asked == [share]

    def no_room(_share):
        raise SandboxError("others had taken too much")

    monkeypatch.setattr(open_slot, "spec", replace(open_slot.spec, gpu=None))
    assert run.call("after") == "after"
    monkeypatch.setattr(open_slot, "spec", replace(open_slot.spec, gpu=share))
    monkeypatch.setattr(gpu, "expect_room", no_room)
    with pytest.raises(SandboxError, match="taken too much"):
        run.call("hungry")


def test_a_zygote_that_dies_is_the_sandboxs_failure():
    deadly = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nwhile True:\n    pass"
    with Slot(Unconfined(), SlotSpec("python", LIMITS)) as doomed:
        session = KernelSession(doomed, "ada", LIMITS)
        with pytest.raises(SandboxError, match="zygote is gone"):
            session.run(new_notebook(cells=[new_code_cell(BEFORE), new_code_cell(deadly)]))
        with contextlib.suppress(SandboxError):
            session.__exit__(None, None, None)


# an earlier state


def test_a_kernel_goes_back_to_the_state_before_a_cell(slot, start):
    run = start(slot, "k = 1\ncount = 0", "def f():\n    global count\n    count += 1\n    return k, count", "k = 2")
    assert run.call("f") == (2, 1)
    assert run.call("f") == (2, 2)
    run.session.rewind(2)
    assert run.call("f") == (1, 1)
    run.session.rewind(3)
    assert run.call("f") == (2, 1)


def test_an_earlier_state_survives_the_loss_of_its_kernel_and_costs_one_kernel(open_slot, start):
    run = start(
        open_slot,
        "def f():\n    return 1\ndef bad():\n    import os; os._exit(1)",
        "print(1)",
        "def f():\n    return 2",
    )
    kernels = open_slot.used
    run.session.rewind(2)
    assert run.call("f") == 1
    assert run.call("f") == 1
    assert open_slot.used == kernels + 1
    lost(lambda: run.call("bad"))
    assert run.call("f") == 1
    assert run.text(1) == "1\n"


def test_a_lost_cell_is_left_out_of_an_earlier_state_too(open_slot, start):
    run = start(open_slot, BEFORE, "import os\nos._exit(1)", AFTER, "after = 0")
    kernels = open_slot.used
    run.session.rewind(3)
    assert run.call("after") == "after"
    assert open_slot.used == kernels + 1
