"""Where attacks run: a course with canaries in it, warm slots that all attacks share, and eyes on what they leave."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
from attack import Attack
from linux import is_inside, processes
from nbformat.v4 import new_code_cell

from autograder.gradebook.feedback import annotate
from autograder.grading import specimens
from autograder.grading.grade import Graded, Grader, Task
from autograder.grading.slots import SlotPool
from autograder.model.submission import Submission
from autograder.notebooks.release import release
from autograder.sandbox import choose
from autograder.settings import Settings

HERE = Path(__file__).parent
KINDS = {kind.name: kind.make for kind in choose.KINDS if kind.has_walls}
COURSE = """
[course]
id = "redteam"
title = "Red team"

[[assignments]]
name = "vault"
title = "Vault"
profile = "torch"

[assignments.limits]
cell_seconds = 3
call_seconds = 2
total_seconds = 40
memory_mb = 512
processes = 32
disk_mb = 32
output_kb = 256
answer_mb = 4
notebook_mb = 2
"""
LOOK = """
import json, os
_seen = []
for _folder in ("/proc", ".", "/tmp", "/dev/shm", "/work", "/slot", "/var/tmp"):
    try:
        _seen += [f"{_folder}/{name}" for name in sorted(os.listdir(_folder))]
    except OSError as error:
        _seen.append(f"{_folder}: {error.strerror}")
print("LOOK", json.dumps(_seen))
"""
"""A student who comes after: which processes and files are there?"""


def canary(place: str) -> str:
    """A secret of its own for each place that must not be read: who has one has been there."""
    return f"canary-{place}-{secrets.token_hex(8)}"


@dataclass
class Range:
    """The course in `root`, its task, one grader a sandbox, and the secrets that were planted."""

    root: Path
    task: Task
    canaries: dict[str, str]
    pools: dict[str, SlotPool] = field(default_factory=dict)
    graders: dict[str, Grader] = field(default_factory=dict)
    looks: dict[str, list[str]] = field(default_factory=dict)
    longest: float = 0.0
    """Seconds of the grader's processor time that an attack took at most."""

    @classmethod
    def build(cls, root: Path, canaries: dict[str, str]) -> Range:
        """Write the course, with a canary in the solutions, the gradebook and a neighbour's work."""
        solutions = root / "solutions"
        (solutions / "vault").mkdir(parents=True)
        (solutions / "__init__.py").touch()
        for path in (HERE / "vault").glob("*.py"):
            (solutions / "vault" / path.name).write_text(path.read_text())
        with (solutions / "vault" / "reference.py").open("a") as file:
            file.write(f"\n\nTOKEN = {canaries['solutions']!r}\n")
        neighbour = root / "course" / "submitted" / "neighbour" / "vault" / "vault.ipynb"
        neighbour.parent.mkdir(parents=True)
        neighbour.write_text(json.dumps(canaries["neighbour"]))
        (root / "course" / "course.toml").write_text(COURSE)
        with sqlite3.connect(root / "course" / "gradebook.db") as book:
            book.execute("create table grade (student text, score real)")
            book.execute("insert into grade values (?, 99)", [canaries["gradebook"]])
        release(solutions / "vault" / "notebook.py", root / "assignments" / "vault")
        for name in [name for name in sys.modules if name.partition(".")[0] == "solutions"]:
            del sys.modules[name]
        sys.path.insert(0, str(root))
        settings = Settings.read(root)
        return cls(root, Task.load(settings.assignment("vault"), root, settings.secret), canaries)

    def grader(self, kind: str) -> Grader:
        """The grader of a sandbox. A neighbour's submission was graded there before any attack."""
        if kind not in self.graders:
            self.pools[kind] = SlotPool(KINDS[kind](), lifetime=10**6)  # all attacks meet in one slot
            self.graders[kind] = Grader(self.pools[kind])
            self._neighbour(kind)
            self.looks[kind] = self._look(kind)
        return self.graders[kind]

    def grade(self, kind: str, attack: Attack) -> Graded:
        """The attack, graded."""
        grader, submission = self.grader(kind), Submission("mallory", "vault", self.content(attack))
        began = time.thread_time()
        graded = grader.grade(self.task, submission)
        self.longest = max(self.longest, time.thread_time() - began)
        return graded

    def content(self, attack: Attack) -> bytes:
        """The attack as a file."""
        if isinstance(attack.file, bytes):
            return attack.file
        notebook = specimens.right(self.task)
        for cell in notebook.cells:
            flags = cell.metadata.get("nbgrader", {})
            name = flags.get("grade_id", "").removesuffix("-solution")
            cell.source = attack.answers.get(name, cell.source) if flags.get("solution") else cell.source
        if attack.last:
            notebook.cells.append(new_code_cell(dedent(attack.last)))
        if attack.first:
            notebook.cells.insert(2, new_code_cell(dedent(attack.first)))
        if attack.file is None:
            return nbformat.writes(notebook).encode()
        made = attack.file(json.loads(nbformat.writes(notebook)))
        return made if isinstance(made, bytes) else json.dumps(made).encode()

    def leaked(self, graded: Graded) -> list[str]:
        """The places whose canary is in something that left the sandbox, as it is or encoded in hexadecimal."""
        text = self.said(graded)
        return [place for place, secret in self.canaries.items() if secret in text or secret.encode().hex() in text]

    def said(self, graded: Graded) -> str:
        """All that a submission's report and pages hold, for whomever."""
        page = annotate(graded.notebook or self.task.released, graded.report)
        return json.dumps([graded.report.stored(), page], ensure_ascii=False, default=str)

    def traces(self, kind: str) -> list[str]:
        """What is not as it was: in the sandbox, as the next student sees it, and in the course's files."""
        found = [f"the next student sees {each}" for each in set(self._look(kind)) ^ set(self.looks[kind])]
        processes = self._processes(kind)
        if len(processes) != 1:
            found.append(f"processes in the sandbox: {processes}")
        return found

    def files(self) -> dict[str, str]:
        """The digest of each of the course's files."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def close(self) -> None:
        """Remove all slots."""
        for pool in self.pools.values():
            pool.close()
        sys.path.remove(str(self.root))

    def _neighbour(self, kind: str) -> None:
        """A neighbour's submission, whose canary is in its files, its variables and its memory."""
        secret = self.canaries["neighbour"]
        work = f"""
            import numpy as np
            secret = {secret!r}
            open("notes.txt", "w").write(secret)
            memory = np.frombuffer((secret * 10_000).encode(), dtype=np.uint8).copy()
            try:
                open("/tmp/notes.txt", "w").write(secret)
            except OSError:
                pass
        """
        graded = self.grade(kind, Attack(0, "a neighbour", first=work))
        assert (graded.report.status, graded.report.score) == ("graded", 100.0), graded.report

    def _look(self, kind: str) -> list[str]:
        """What an honest student sees, who must get full marks."""
        graded = self.graders[kind].grade(
            self.task, Submission("honest", "vault", self.content(Attack(0, "an honest student", first=LOOK)))
        )
        assert (graded.report.status, graded.report.score) == ("graded", 100.0), graded.report
        assert graded.notebook is not None
        outputs = [
            output.text for cell in graded.notebook.cells for output in cell.get("outputs", []) if "text" in output
        ]
        (told,) = re.findall(r"^LOOK (.*)$", "".join(outputs), re.MULTILINE)
        return [re.sub(r"\bk\d+\b", "kN", each) for each in json.loads(told)]

    def _processes(self, kind: str) -> list[int]:
        """Those of the idle slot, seen from outside: its zygote alone, when all is well."""
        (slot,) = self.pools[kind]._idle.values()
        return [pid for pid in processes() if is_inside(pid, slot.folder)]


def plain(value: Any) -> str:
    """A value in a failure's message, cut."""
    text = str(value)
    return text if len(text) < 2000 else f"{text[:2000]} ..."
