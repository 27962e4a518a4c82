"""Other users of the machine: their ways to the grader's ports, sockets, temporary files and results."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import two_users
from shooting_range import KINDS
from two_users import ATTACKER, GRADER, attack, attacking, command_as

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from small_course import SmallCourse

LINE = 26
SECRET = "f00dfeedc0ffee5eedbeefdeadbea7ed" * 2
WAITING = """
def double(x):
    import os, time
    while not os.path.exists({flag!r}):
        time.sleep(0.01)
    return 2 * x
"""
"""A submission that is being graded until a file is there; only where no sandbox hides that file."""
USERS = {"docker": 0, "bwrap": 0, "bwrap, no root": GRADER}
CHOSEN = os.environ.get("AUTOGRADER_REDTEAM")


@dataclass
class Stage:
    """A machine: a grader with a course, and a folder for temporary files that all users share.

    Attributes:
        folder: holds all of it; others may enter it.
        kind: of the sandbox.
        user: who grades.
        running: the grader at work, where there is one.
    """

    folder: Path
    kind: str
    user: int
    course: SmallCourse = field(init=False)
    running: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.folder.chmod(0o755)
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        root = self.folder / "project"
        root.mkdir()
        self.course = SmallCourse(root, "alpha")
        self.course.hand_in("ada", "alpha")

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def run(self) -> Path:
        """The grader's folder for temporary files."""
        return self.temporary / f"autograder-{self.user}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the grader's, with the usual umask."""
        for path in (self.course.root, *self.course.root.rglob("*")):
            if not path.is_symlink():
                os.chown(path, self.user, self.user)
        environment = {
            **os.environ, "TMPDIR": str(self.temporary), "HOME": str(self.folder / "project"),
            "AUTOGRADER_ROOT": str(self.course.root), "AUTOGRADER_SECRET": SECRET, "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        environment.pop("AUTOGRADER_RUN", None)
        return subprocess.Popen(
            command_as(self.user, sys.executable, "-m", "autograder.cli", *arguments),
            cwd=two_users.REPOSITORY, env=environment, text=True, umask=0o022,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finished(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, output, messages."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def grade(self) -> tuple[int, str, str]:
        return self.finished("grade", "alpha", "--sandbox", self.kind.partition(",")[0], "--workers", "1", "--force")


@pytest.fixture(scope="module", params=[kind for kind in USERS if CHOSEN in {None, kind.partition(",")[0]}])
def kind(request: pytest.FixtureRequest) -> str:
    """Each sandbox, and who grades with it."""
    if reason := two_users.missing():
        pytest.skip(reason)
    if (reason := KINDS[request.param.partition(",")[0]]().missing()) is not None:
        pytest.skip(f"{request.param}: {reason}")
    return request.param


@pytest.fixture
def stage(kind: str) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="local-", dir="/tmp") as folder:
        yield Stage(Path(folder), kind, USERS[kind])


@pytest.fixture(scope="module")
def busy(kind: str) -> Iterator[Stage]:
    """A stage on which a submission is being graded, in a process of the grader's own, while the tests run."""
    with tempfile.TemporaryDirectory(prefix="local-", dir="/tmp") as folder:
        stage = Stage(Path(folder), kind, USERS[kind])
        stage.finished("grade", "alpha", "--sandbox", "none", "--workers", "1")
        flag = stage.folder / "end"
        stage.course.hand_in("ada", "alpha", WAITING.format(flag=str(flag)))
        stage.running = process = stage.start("grade", "alpha", "--sandbox", "none", "--limit", "call_seconds=600",
                                              "--limit", "total_seconds=900", "--workers", "1")  # fmt: skip
        deadline = time.monotonic() + 120
        while not list(stage.run.glob("s-*/k*/k-1")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None, process.communicate()
        yield stage
        flag.touch()
        out, err = process.communicate(timeout=300)
        assert "1 of 1 graded (1 now, 0 before)" in out, err
        assert "Traceback" not in err


@dataclass(frozen=True)
class LocalAttack:
    """An attack by another user.

    Attributes:
        name: a few words, for the table.
        got: tries it on a grader that is at work; what it got.
    """

    name: str
    got: Callable[[Stage], list[object]]
    line: int = LINE


def _tree(stage: Stage) -> list[psutil.Process]:
    """The grader's processes."""
    assert stage.running is not None
    top = psutil.Process(stage.running.pid)
    return [top, *top.children(recursive=True)]


def _ports(stage: Stage) -> list[int]:
    found = {
        each.laddr.port
        for process in _tree(stage)
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert len(found) >= 3, "scheduler, nanny and worker listen"
    return sorted(found)


def _private(stage: Stage) -> list[object]:
    course = stage.course.root / "course"
    open_to_all = {str(course), str(course / "course.toml")}
    found = attack("readable", tops=[str(course), str(stage.run)])
    return [path for path in found if path not in open_to_all and "/submitted" not in path]


def _sockets(stage: Stage) -> list[object]:
    inodes = []
    for process in _tree(stage):
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                kind, _, number = str(descriptor.readlink()).partition(":")
                inodes += [int(number.strip("[]"))] if kind == "socket" else []
    assert inodes
    return attack("by_sockets", inodes=inodes)


def _processes(stage: Stage) -> list[object]:
    return attack("of_processes", given=[each.pid for each in _tree(stage)], secrets=[SECRET, "PRIVATE KEY"])


AT_WORK = [
    LocalAttack("runs code by Dask at every port", lambda stage: attack("by_dask", given=_ports(stage))),
    LocalAttack("asks every port by TCP, HTTP and TLS", lambda stage: attack("by_hand", given=_ports(stage))),
    LocalAttack("connects to every local socket", _sockets),
    LocalAttack("reads what is kept while it is graded", _private),
    LocalAttack("reads variables, arguments and memory of the grader", _processes),
]


@pytest.mark.parametrize("attack", AT_WORK, ids=lambda each: each.name.replace(" ", "-"))
def test_a_grader_at_work_gives_nothing_away(busy: Stage, attack: LocalAttack) -> None:
    assert attack.got(busy) == []
    assert busy.running is not None
    assert busy.running.poll() is None


def _ends(stage: Stage, told: str, kept: Path) -> None:
    """The grader says in a line what is wrong, and nothing of the user's has changed."""
    code, _, err = stage.grade()
    assert code == 2, err
    assert told in err
    assert "AUTOGRADER_RUN" in err or "remove it" in err
    assert "Traceback" not in err
    assert kept.read_text() == "kept"


def _goes_on(stage: Stage, kept: Path) -> None:
    code, out, err = stage.grade()
    assert (code, "1 of 1 graded" in out) == (0, True), err
    assert kept.read_text() == "kept"


def _scratch(stage: Stage, kept: Path) -> None:
    """Dask would truncate what its lock files lead to."""
    scratch = stage.temporary / "dask-scratch-space"
    links = {str(scratch / name): str(kept) for name in ("global.lock", "purge.lock", "x.dirlock")}
    attack("planting", folders=[str(scratch)], links=links, files=[])
    _goes_on(stage, kept)


def _linked(stage: Stage, kept: Path) -> None:
    attack("planting", folders=[], links={str(stage.run): str(kept.parent)}, files=[])
    _ends(stage, "is a link", kept)


def _file(stage: Stage, kept: Path) -> None:
    attack("planting", folders=[], links={}, files=[str(stage.run)])
    _ends(stage, "is no folder", kept)


def _foreign(stage: Stage, kept: Path) -> None:
    attack("planting", folders=[str(stage.run)], links={str(stage.run / "s-left"): str(kept.parent)}, files=[])
    _ends(stage, "belongs to another user", kept)


def _planted(stage: Stage, kept: Path) -> None:
    """Everything else that a grader might take in the shared folder."""
    names = ("matplotlib", "ipython", "torchinductor_root", "pymp-0", f"dask-scratch-space-{stage.user}", "jupyter")
    links = {str(stage.temporary / name): str(kept.parent) for name in names}
    attack("planting", folders=[], links=links, files=[])
    _goes_on(stage, kept)


def _swapped(stage: Stage, kept: Path) -> None:
    """A link and a folder in turns, while a grader sweeps: `kept` lies where the link leads."""
    mark = subprocess.run(
        [sys.executable, "-c", "from autograder.sandbox import owner; print(owner.mark())"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    left = kept.parent / "s-left"
    left.mkdir()
    (left / "owner").write_text(mark)
    (left / "file").write_text("kept")
    for path in (left, left / "owner", left / "file"):
        os.chown(path, stage.user, stage.user)
    mine = stage.temporary / "attackers"
    mine.mkdir()
    os.chown(mine, ATTACKER, ATTACKER)
    with attacking("swapping", place=str(stage.run), target=str(kept.parent), folder=str(mine)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
        code = (
            "from autograder.errors import UsageError\nfrom autograder.sandbox.run_folder import sweep\n"
            "refused = 0\nfor _ in range(3000):\n    try:\n        sweep()\n"
            "    except UsageError:\n        refused += 1\nprint(refused)"
        )
        done = subprocess.run(
            command_as(stage.user, sys.executable, "-c", code), cwd=two_users.REPOSITORY, text=True, check=False,
            env={**os.environ, "TMPDIR": str(stage.temporary)}, capture_output=True, timeout=120,
        )  # fmt: skip
        process.send_signal(signal.SIGKILL)
    assert done.stdout == "3000\n", done.stderr
    assert (left / "file").read_text() == "kept"


@dataclass(frozen=True)
class Trap:
    """What is made ready in the shared folder for temporary files; `held` raises where the grader falls for it."""

    name: str
    held: Callable[[Stage, Path], None]
    line: int = LINE


TRAPS = [
    Trap("links in Dask's scratch folder", _scratch),
    Trap("a link in place of the folder for temporary files", _linked),
    Trap("a file in place of the folder for temporary files", _file),
    Trap("a folder of its own in place of that for temporary files", _foreign),
    Trap("links in place of other temporary folders", _planted),
    Trap("swaps a link and a folder while leftovers are swept", _swapped),
]


@pytest.mark.parametrize("attack", TRAPS, ids=lambda each: each.name.replace(" ", "-"))
def test_what_was_made_ready_catches_no_grader(stage: Stage, attack: Trap) -> None:
    victim = stage.folder / "victim"
    victim.mkdir(0o755)
    (victim / "kept").write_text("kept")
    for path in (victim, victim / "kept"):
        os.chown(path, stage.user, stage.user)
    attack.held(stage, victim / "kept")


AFTERWARDS = [
    LocalAttack("reads scores, notebooks, reports and pages afterwards", _private),
]


@pytest.mark.parametrize("attack", AFTERWARDS, ids=lambda each: each.name.replace(" ", "-"))
def test_results_are_the_graders_alone(stage: Stage, attack: LocalAttack) -> None:
    """Also those of a grader that left them open before, as graders without this protection did."""
    reports = stage.course.root / "reports"
    reports.mkdir()
    sandbox = stage.kind.partition(",")[0]
    commands = (
        ("grade", "alpha", "--sandbox", sandbox, "--workers", "1", "--json", f"{reports}/"), ("feedback", "alpha"),
        ("export", "--to", str(reports / "scores.csv")),
    )  # fmt: skip
    for round_ in range(2):
        for words in commands:
            code, _, err = stage.finished(*words)
            assert code == 0, err
        assert attack.got(stage) == []
        assert attack_on(reports) == [str(reports)]
        if not round_:
            for path in stage.course.root.rglob("*"):
                path.chmod(0o777 if path.is_dir() else 0o666)
    kept = [path for name in ("autograded", "feedback") for path in (stage.course.root / "course" / name).rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in kept} == {0}
    assert any(path.suffix == ".html" for path in kept)


def attack_on(folder: Path) -> list[object]:
    return attack("readable", tops=[str(folder)])


def test_a_killed_grader_leaves_no_key_behind(stage: Stage) -> None:
    """Neither a kernel's nor the cluster's. What it leaves among temporary files goes with the next run."""
    flag = stage.folder / "end"
    stage.course.hand_in("ada", "alpha", WAITING.format(flag=str(flag)))
    process = stage.start("grade", "alpha", "--sandbox", "none", "--workers", "1")
    deadline = time.monotonic() + 120
    while not list(stage.run.glob("s-*/k*/k-1")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    graders = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _is_of(entry, stage)]
    assert graders
    for pid in graders:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    files = [path for path in stage.folder.rglob("*") if path.is_file() and "solutions" not in path.parts]
    words = (b"PRIVATE KEY", b"signature_scheme")
    assert [path for path in files if any(word in path.read_bytes() for word in words)] == []
    flag.touch()
    stage.course.hand_in("ada", "alpha")
    code, out, err = stage.grade()
    assert (code, "1 of 1 graded" in out) == (0, True), err
    assert [path.name for path in stage.run.iterdir() if not path.name.startswith("code-")] == []


def _is_of(entry: Path, stage: Stage) -> bool:
    """Whether a process is a grader's or a worker's of this stage."""
    try:
        return (
            f"TMPDIR={stage.temporary}".encode() in (entry / "environ").read_bytes()
            and b"bwrap" not in (entry / "cmdline").read_bytes().split(b"\0")[0]
            and b"python" in (entry / "cmdline").read_bytes()
        )
    except OSError:
        return False
