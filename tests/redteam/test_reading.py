"""What a student's report tells after a failure, a hundred times; and what one submission can leave to the next."""

from __future__ import annotations

import json
import re
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import reading
from attack import Attack
from shooting_range import Range, plain

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.record import Record
from autograder.model.report import CheckResult
from autograder.model.submission import Submission

STUDENT = "mallory"
ARRAYS = (
    "None", "x", "-x", "x * 0", "x * np.nan", "x * np.inf", "x[::-1]", "x.tolist()", "x.astype(np.float32)",
    "x + 1e300", "x.astype(complex) * 1j", "x.astype(int)", "x > 0", "x.sum()", "float(x.sum())", "np.float64(7)",
    "x.ravel()[:1]", "x.reshape(-1)", "np.stack([x, x])", "x[..., None]", "np.empty(0)", "np.array('x')",
    "np.array([None, {}])", "x.view('V8')", "x.astype(str)", "np.ma.array(x)", "np.asmatrix(np.eye(2))",
    "torch.from_numpy(x.copy())", "{'x': x}", "[x, x]", "(x,)", "repr(x)", "str(x).encode()", "object()", "x.tobytes",
    "lambda: x", "iter(x)", "range(5)", "2**70", "10**400", "-0.0", "True", "1j", "float('nan')",
    "x.astype('>f8') * 2", "np.broadcast_to(x.ravel()[0], x.shape)", "np.where(x == x.max(), np.nan, x * factor)",
    "np.where(x == x.min(), x, x * factor)", "x * factor + np.eye(1, x.size).reshape(x.shape)",
    "x * factor * (1 + 1e-5)", "x.dtype", "x.__array_interface__", "type(x)", "np", "'expected'", "'\\x00'",
    "'\\ud800'", "[[[[[[]]]]]]", "{1: 2}", "...", "np.datetime64(1, 's')", "np.zeros(3, dtype='f8,i4')",
    "np.full(x.shape, 2**63, dtype=np.uint64)", "x.astype(np.float16)", "memoryview(x)", "bytearray(8)", "1 / 0",
    "x[99]", "undefined", "x.nothing", "factor @ x", "open('/etc/shadow')", "exit()",
)  # fmt: skip
TENSORS = (
    "x", "x[:-1]", "x[1:] * float('nan')", "x[1:].tolist()", "x[1:].numpy()", "x[1:].double() * 3", "x[1:].half()",
    "x[1:].bfloat16()", "x[1:].to(torch.complex64)", "x[1:].int()", "x[1:] > 0", "x[1:].unsqueeze(0)",
    "torch.empty(0)", "torch.tensor(1.0)", "x[1:].to_sparse()", "x[1:].requires_grad_()",
    "torch.quantize_per_tensor(x[1:], 0.1, 0, torch.qint8)", "torch.nn.Linear(2, 2)", "x[1:].to('meta')",
    "torch.nn.Parameter(x[1:])", "[x]", "{'a': x}", "None", "x[1:].sum().item()", "x[1:] + 1e30", "x.expand(2, -1)",
    "x[1:].flip(0)", "x.storage()", "torch.ones(3, 0)", "x[1:] * 0 + x.max()", "x[1:].contiguous().view(torch.int32)",
    "torch.save",
)  # fmt: skip
TEXTS = (
    "n", "float(n)", "str(n) + ' '", "' ' + str(n)", "hex(n)", "str(n).encode()", "list(str(n))", "str(n)[::-1]",
    "''", "None", "str(-n)", "'\\x00' + str(n)", "'\\ud800'", "str(n) * 1000", "type('X', (str,), {})(n)",
    "np.str_(n)", "{str(n): 1}", "object()", "'{0.__class__}'", "'\\n' * 50", "repr",
)  # fmt: skip
WAYS = max(len(ARRAYS), len(TENSORS), len(TEXTS))
LEAVE = """
import os, sys, threading, time
def attempt(what, *arguments, **keywords):
    try:
        return what(*arguments, **keywords)
    except Exception:
        return None
"""
ACCOMPLICES = {
    "files": (
        """
        for folder in (".", "..", "/tmp", "/var/tmp", "/dev/shm", "/work", "/slot", "/run", "/opt/autograder",
            sys.prefix):
            attempt(lambda: open(f"{folder}/note-{word}", "w").write(word))
            attempt(os.mkdir, f"{folder}/folder-{word}")
        """,
        """
        for folder in (".", "..", "/tmp", "/var/tmp", "/dev/shm", "/work", "/slot", "/run", "/opt/autograder",
            sys.prefix):
            found += [name for name in (f"{folder}/note-{word}", f"{folder}/folder-{word}") if os.path.lexists(name)]
        """,
    ),
    "modules that stay warm": (
        """
        for module in (sys, os, np, torch, threading):
            module.note = word
        sys.modules["note"] = sys
        open("note.py", "w").write(f"word = {word!r}")
        attempt(np.seterr, over="raise")
        os.environ["NOTE"] = word
        torch.set_default_dtype(torch.float64)
        """,
        """
        found += [module.__name__ for module in (sys, os, np, torch, threading) if hasattr(module, "note")]
        found += ["module"] if "note" in sys.modules or attempt(__import__, "note") else []
        found += ["environment"] if "NOTE" in os.environ else []
        found += ["settings"] if torch.get_default_dtype() != torch.float32 or np.geterr()["over"] == "raise" else []
        """,
    ),
    "shared memory": (
        """
        import ctypes
        from multiprocessing import shared_memory
        kept = [attempt(shared_memory.SharedMemory, f"note{word}", create=True, size=4096)]
        libc = ctypes.CDLL(None)
        for call in (lambda: libc.shmget(4711, 4096, 0o1666), lambda: libc.msgget(4711, 0o1666),
            lambda: libc.semget(4711, 1, 0o1666),
                     lambda: libc.shm_open(b"/note", 0o102, 0o666), lambda: libc.sem_open(b"/note", 0o100, 0o666, 7),
                     lambda: libc.mq_open(b"/note", 0o102, 0o666, None), lambda: libc.syscall(248, b"user", b"note",
                         b"x", 1, -4)):
            attempt(call)
        """,
        """
        import ctypes
        from multiprocessing import shared_memory
        libc = ctypes.CDLL(None)
        found += ["posix"] if attempt(shared_memory.SharedMemory, f"note{word}") else []
        calls = (lambda: libc.shmget(4711, 0, 0), lambda: libc.msgget(4711, 0), lambda: libc.semget(4711, 0, 0),
                 lambda: libc.shm_open(b"/note", 0, 0), lambda: libc.sem_open(b"/note", 0) or -1,
                 lambda: libc.mq_open(b"/note", 0, 0, None), lambda: libc.syscall(249, b"user", b"note", None, 0))
        found += [str(number) for number, call in enumerate(calls) if call() >= 0]
        """,
    ),
    "a daemon that listens": (
        """
        import socket
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for name in (f"\\0{word}", "/tmp/note", "../note", "/slot/note", "note"):
                    listening = socket.socket(socket.AF_UNIX)
                    if attempt(lambda: listening.bind(name) or True):
                        listening.listen()
                        globals()[name] = listening
                time.sleep(600)
            os._exit(0)
        time.sleep(0.2)
        """,
        """
        import socket
        for name in (f"\\0{word}", "/tmp/note", "../note", "/slot/note"):
            with socket.socket(socket.AF_UNIX) as each:
                found += [repr(name)] if attempt(lambda: each.connect(name) or True) else []
        """,
    ),
    "a daemon that writes when others come": (
        """
        if os.fork() == 0:
            os.setsid()
            own = os.path.basename(os.getcwd())
            other = own.rstrip("0123456789")
            number = int(own[len(other):])
            top = os.path.dirname(os.getcwd())
            while True:
                for each in range(number + 1, number + 9):
                    attempt(lambda: open(f"{top}/{other}{each}/note-{word}", "w").write(word))
                time.sleep(0.005)
        """,
        """
        time.sleep(0.5)
        found += [name for name in os.listdir(".") if "note" in name]
        """,
    ),
    "locks, limits and times of shared things": (
        """
        import fcntl, resource
        for path in (sys.executable, "/dev/null", "/etc/passwd", os.__file__):
            kept = attempt(os.open, path, os.O_RDONLY)
            attempt(fcntl.flock, kept, fcntl.LOCK_EX)
            attempt(os.utime, path, (4711, 4711))
            attempt(os.chmod, path, 0o4777)
            attempt(os.setxattr, path, "user.note", b"x")
        attempt(os.setpriority, 0, 0, 19)
        for path in ("..", "/work", "/slot", "/tmp", "/dev/shm"):
            attempt(os.utime, path, (4711, 4711))
            attempt(os.chmod, path, 0o777)
        """,
        """
        import fcntl
        for path in (sys.executable, "/dev/null", os.__file__, "..", "/work", "/slot", "/tmp", "/dev/shm"):
            if (told := attempt(os.stat, path)) is not None:
                found += [path] if 4711 in (int(told.st_mtime), int(told.st_atime)) else []
            if (opened := attempt(os.open, path, os.O_RDONLY)) is not None:
                found += [f"{path} locked"] if attempt(lambda: fcntl.flock(opened,
                    fcntl.LOCK_SH | fcntl.LOCK_NB) or 1) is None else []
            found += [f"{path} marked"] if attempt(os.getxattr, path, "user.note") else []
        found += ["niceness"] if os.getpriority(0, 0) > 0 else []
        """,
    ),
    "a full disk and used-up inodes": (
        """
        attempt(lambda: open("full", "wb").write(bytes(31 * 2**20)))
        for folder in ("/tmp", "/dev/shm", "/var/tmp", "/slot"):
            attempt(lambda: open(f"{folder}/full", "wb").write(bytes(31 * 2**20)))
        for number in range(3000):
            attempt(os.mkdir, f"inode{number}")
        """,
        """
        found += ["the disk is full"] if not attempt(lambda: open("mine", "wb").write(bytes(20 * 2**20))) else []
        """,
    ),
    "folders that cannot be removed": (
        """
        deep = "."
        for number in range(40):
            deep = f"{deep}/{'d' * 60}"
            attempt(os.mkdir, deep)
        attempt(lambda: open(f"{deep}/note", "w").write(word))
        os.mkdir("closed")
        open("closed/note", "w").write(word)
        os.chmod("closed", 0)
        os.symlink("/slot", "link")
        os.symlink("/opt/autograder", "other")
        os.mkfifo("pipe")
        os.chmod(".", 0)
        """,
        """
        found += [each for each in (f"../{name}" for name in attempt(os.listdir,
            "..") or []) if each != f"../{os.path.basename(os.getcwd())}"]
        found += [name for name in os.listdir(".") if name != ".ipython"]
        """,
    ),
}
"""What one student leaves, in a cell, and how another who knows the word looks for it."""


def expected(shooting_range: Range, attempt: Attempt) -> dict[str, tuple[list[str], list[str]]]:
    """By check, the elements of all expected values and of all inputs of an attempt, as messages write numbers."""
    suite, known = shooting_range.task.suite, {}
    for item in suite.checks:
        asked: list[Any] = []
        transport = LocalTransport(vars(suite.reference))
        honest = transport.request

        def request(message: Any, buffers: Any, seconds: Any, asked: Any = asked, honest: Any = honest) -> Any:
            reply = honest(message, buffers, seconds)
            asked.append((message, [bytes(part) for part in buffers], reply))
            return reply

        transport.request = request  # type: ignore[method-assign]
        record = Record(reveal=item.reveal)
        assert not suite.run(item, transport, attempt, record).failed
        answers = [value for each in record.comparisons for value in written(each.actual)]
        inputs = [
            f"{number:.6g}"
            for message, parts, _ in asked
            for part in parts
            for number in np.frombuffer(part, dtype="<f8" if item.cell == "scale" else "<f4").tolist()
        ]
        known[item.name] = (answers, inputs)
    return known


def written(value: Any) -> list[str]:
    """The elements of a value as a message writes them."""
    if isinstance(value, str):
        return [value]
    return [f"{number:.6g}" for number in np.asarray(value, dtype=float).ravel().tolist()]


def shown(check: CheckResult) -> str:
    """All that a student reads of a check."""
    told = check.contract()
    return f"{told['message']} {told['hint']}"


def numbers(text: str) -> set[str]:
    """The numbers in a text."""
    return set(re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text))


def test_a_hundred_failures_show_one_element_each(shooting_range: Range, kind: str) -> None:
    """Of a failed comparison a student sees one expected element at most, of a failed call none."""
    grader, told, failed, once = shooting_range.grader(kind), [], 0, 0
    for number in range(WAYS):
        ways = [each[number % len(each)] for each in (ARRAYS, TENSORS, TEXTS)]
        attack = Attack(
            14,
            "a failure on purpose",
            scale=f"def scale(x, factor): return {ways[0]}",
            smooth=f"def smooth(x): return {ways[1]}",
            spell=f"def spell(n): return {ways[2]}",
        )
        submission = Submission(STUDENT, "vault", shooting_range.content(attack))
        known = expected(shooting_range, shooting_range.task.attempt(submission))
        report = grader.grade(shooting_range.task, submission).report
        assert report.status == "graded", plain([ways, report.error])
        for check in report.checks:
            if check.verdict == "pass":
                told.append((ways, check.name, "passed"))
                continue
            failed += 1
            wanted, asked = known[check.name]
            said = re.sub(r"found .*", "", shown(check), flags=re.DOTALL)  # what follows is the student's own
            seen = [each for each in dict.fromkeys(wanted) if each in numbers(said) and len(each) > 3]
            once += len(seen) == 1
            if len(seen) > 1 or [each for each in asked if len(each) > 5 and each in numbers(said)]:
                told.append((ways, check.name, shown(check)))
    assert (failed > 200, once > 50) == (True, True), (failed, once)
    assert told == []


def test_what_is_printed_in_a_call_reaches_no_report(shooting_range: Range, kind: str) -> None:
    printing = """
        import sys, warnings
        def spell(n):
            print("PRINTED", n)
            print("PRINTED", n, file=sys.stderr)
            warnings.warn(f"PRINTED {n}")
            display(f"PRINTED {n}")
            return ""
    """
    graded = shooting_range.grader(kind).grade(
        shooting_range.task, Submission(STUDENT, "vault", shooting_range.content(Attack(14, "prints", spell=printing)))
    )
    assert graded.notebook is not None
    outputs = json.dumps([cell.get("outputs", []) for cell in graded.notebook.cells])
    assert "PRINTED" not in outputs
    assert "PRINTED" not in json.dumps(graded.report.stored())


@pytest.mark.parametrize("name", ACCOMPLICES, ids=lambda name: name.replace(" ", "-"))
def test_nothing_is_left_to_the_next(shooting_range: Range, kind: str, name: str) -> None:
    """One student leaves a word in every way of a kind; another, who knows where to look, finds nothing."""
    leave, look = ACCOMPLICES[name]
    word, grader, task = "word7d1f", shooting_range.grader(kind), shooting_range.task
    left = Attack(16, "leaves", first=f"{LEAVE}word = {word!r}\n{dedent(leave)}")
    first = grader.grade(task, Submission("accomplice", "vault", shooting_range.content(left))).report
    assert first.status == "graded", plain(first.error)
    again = f"{LEAVE}word, found = {word!r}, []\n{dedent(look)}\nprint(found)"
    attack = Attack(16, "looks", first=again, spell=reading.ANSWER, says={"spell": reading.NOTHING})
    graded = shooting_range.grade(kind, attack)
    report, outputs = graded.report, [cell.get("outputs") for cell in graded.notebook.cells] if graded.notebook else []
    assert (report.status, report.score) == ("graded", 80.0), plain([report.error, report.score, outputs])
    messages = [check.message for check in report.cell("spell")]
    assert all(re.search(reading.NOTHING, message) for message in messages), messages
    assert shooting_range.traces(kind) == []
