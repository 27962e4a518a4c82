"""kill -9 in the middle of a run: whatever dies, each submission gets exactly one verdict, and nobody loses a point."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from linux import command, is_inside, parent, processes
from private_engine import Engine, cannot_start, started

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.settings import Settings

HERE = Path(__file__).parents[2]
ZYGOTE = [b"-sP", b"-m", b"inside.zygote"]
STUDENTS = [f"student{number:02}" for number in range(16)]


class Run:
    """`autograder grade` over a class of right submissions, with sandboxes of its own to be found by their folder."""

    def __init__(self, course: Path, slots: Path, kind: str) -> None:
        self.course, self.slots, self.kind = course, slots, kind

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", "grade", "output_sizes", "--sandbox", self.kind, "--quiet",
             "--json", str(self.course / "reports.json")],
            cwd=self.course, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "AUTOGRADER_ROOT": str(self.course), "AUTOGRADER_RUN": str(self.slots)},
        )  # fmt: skip

    def in_the_middle(self) -> subprocess.Popen[str]:
        """A run that has graded some and not all."""
        process = self.start()
        assert process.stderr is not None
        while (line := process.stderr.readline()) and not re.search(rf"[3-9]/{len(STUDENTS)}$", line.rstrip()):
            assert process.poll() is None, line
        return process

    def zygotes(self) -> list[int]:
        """The processes that kernels are forked from."""
        found = [
            pid
            for pid in processes()
            if command(pid).split(b"\0")[1:4] == ZYGOTE
            and any(is_inside(pid, folder) for folder in self.slots.glob("s-*"))
        ]
        return [pid for pid in found if parent(pid) not in found]

    def enclosures(self) -> list[int]:
        """What holds a zygote: the process that a container, or bwrap, stands and falls with."""
        if self.kind == "docker":
            return self.zygotes()
        held = [pid for pid in processes() if command(pid).split(b"\0")[0].endswith(b"bwrap")]
        return [pid for pid in held if str(self.slots).encode() in command(pid) and parent(pid) not in held]

    def workers(self, grader: int) -> list[int]:
        """The processes that grade: forks of the process that the grader forks from."""
        return [pid for pid in processes() if parent(parent(pid)) == grader and b"forkserver" in command(pid)]

    def left(self) -> list[str]:
        """What there is of this run's sandboxes."""
        return [f"zygote {pid}" for pid in self.zygotes()] + [str(path) for path in self.slots.glob("s-*")]

    def verdicts(self) -> dict[str, float]:
        """Each student's score, which the store of attempts and the gradebook have once each."""
        reports = json.loads((self.course / "reports.json").read_text())
        folder = self.course / "course"
        for name, query in {
            "attempts.db": "select student from attempts where status = 'graded'",
            "gradebook.db": "select student_id from submitted_assignment",
        }.items():
            with contextlib.closing(sqlite3.connect(folder / name)) as database:
                assert sorted(row[0] for row in database.execute(query)) == STUDENTS, name
        assert [report["status"] for report in reports] == ["graded"] * len(STUDENTS)
        return {report["student"]: report["score"] for report in reports}


@pytest.fixture
def run(run_with: Callable[[str], Run], kind: str) -> Run:
    return run_with(kind)


@pytest.fixture
def run_with(tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    for name in ("solutions", "assignments"):
        (tmp_path / name).symlink_to(HERE / name)
    unwanted = ("submitted", "autograded", "feedback", "release", "*.db*", ".secret", "__pycache__")
    shutil.copytree(HERE / "course", tmp_path / "course", ignore=shutil.ignore_patterns(*unwanted))
    settings = Settings.read(tmp_path)
    content = json.dumps(specimens.right(Task.load(settings.assignment("output_sizes"), HERE, "secret")))
    for student in STUDENTS:
        folder = tmp_path / "course" / "submitted" / student / "output_sizes"
        folder.mkdir(parents=True)
        (folder / "output_sizes.ipynb").write_text(content)
    with tempfile.TemporaryDirectory(prefix="ag-") as slots:  # a socket's path has to be short
        yield lambda kind: Run(tmp_path, Path(slots), kind)


def end(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    assert process.returncode == 0, (out, err)
    return out


@pytest.mark.parametrize("victim", ["zygote", "sandbox", "worker"])
def test_a_run_goes_on_when_a_part_of_it_is_killed(run: Run, victim: str) -> None:
    process = run.in_the_middle()
    victims = {"zygote": run.zygotes, "sandbox": run.enclosures, "worker": lambda: run.workers(process.pid)}[victim]()
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    assert f"{len(STUDENTS)} of {len(STUDENTS)} graded" in end(process)
    assert set(run.verdicts().values()) == {100.0}
    assert run.left() == []


def test_the_next_run_goes_on_when_the_grader_is_killed(run: Run) -> None:
    process = run.in_the_middle()
    process.kill()
    process.communicate()
    out = end(run.start())
    (now, before) = re.findall(r"graded \((\d+) now, (\d+) before\)", out)[0]
    assert int(before) >= 3
    assert int(now) + int(before) == len(STUDENTS)
    assert set(run.verdicts().values()) == {100.0}
    assert run.left() == []


@pytest.fixture
def engine() -> Iterator[Engine]:
    if reason := cannot_start():
        pytest.skip(reason)
    with started() as made:
        yield made


@pytest.mark.docker
def test_nobody_pays_for_an_engine_that_is_killed(
    engine: Engine, run_with: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with("docker")
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    process = run.in_the_middle()
    engine.kill()
    _, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    engine.start()
    end(run.start())
    assert set(run.verdicts().values()) == {100.0}
    assert run.left() == []
