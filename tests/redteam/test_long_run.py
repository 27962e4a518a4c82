"""Five hundred submissions in one run, a tenth of them hostile: the grader stays as it is, and leaves nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import forging
import pytest
import reading
from attack import Attack
from linux import command, parent, processes
from shooting_range import Range, canary

SIZE = 500
HOSTILE = 10
"""One in so many."""
LONG_AGO, MIB = 100, 2**20


@pytest.mark.parametrize("students", [SIZE])
def test_five_hundred_submissions(tmp_path: Path, kind: str, students: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRADER_SECRET", raising=False)
    places = ("solutions", "gradebook", "environment", "neighbour", "memory")
    made = Range.build(tmp_path, {place: canary(place) for place in places})
    (tmp_path / "course" / "gradebook.db").unlink()
    (tmp_path / "course" / "submitted" / "neighbour" / "vault" / "vault.ipynb").unlink()
    (tmp_path / "course" / "submitted" / "neighbour" / "vault").rmdir()
    attacks = [attack for attack in (*forging.ATTACKS, *reading.ATTACKS) if kind not in attack.not_on]
    deserved = {}
    for number in range(students):
        name = f"student{number:04}"
        attack = attacks[number // HOSTILE % len(attacks)] if number % HOSTILE == 0 else Attack(0, "honest")
        deserved[name] = attack.honest_points
        folder = tmp_path / "course" / "submitted" / name / "vault"
        folder.mkdir(parents=True)
        (folder / "vault.ipynb").write_bytes(made.content(attack))
    made.close()

    with tempfile.TemporaryDirectory(prefix="ag-") as slots:  # a socket's path has to be short
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", "grade", "vault", "--sandbox", kind, "--json", "reports.json"],
            cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "AUTOGRADER_ROOT": str(tmp_path), "AUTOGRADER_RUN": slots},
        )  # fmt: skip
        out: list[str] = []
        reader = threading.Thread(target=lambda: out.append(process.stdout.read()))  # type: ignore[union-attr]
        reader.start()
        resident: dict[int, int] = {}
        said = ""
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            if (done := re.search(rf"vault: (\d+)/{students}$", line.rstrip())) and int(done[1]) < students:
                resident[int(done[1])] = sum(map(memory, family(process.pid)))
        process.wait()
        reader.join()
        assert process.returncode == 0, said
        assert list(Path(slots).glob("s-*")) == []
        assert [pid for pid in processes() if slots in told(pid)] == []
    reports = json.loads((tmp_path / "reports.json").read_text())
    assert {report["student"]: report["score"] for report in reports} == deserved
    print({done: size // MIB for done, size in resident.items()})
    assert resident[max(resident)] < 1.1 * resident[LONG_AGO], resident


def family(grader: int) -> list[int]:
    """The grader and all its descendants on this side: sandboxes are not ours to count."""
    parents = {pid: parent(pid) for pid in processes()}
    found = [grader]
    for pid in found:
        found += [
            child for child, of in parents.items() if of == pid and b"bwrap" not in command(child).split(b"\0")[0]
        ]
    return found


def told(pid: int) -> str:
    """Its arguments and its environment."""
    try:
        return "".join(Path(f"/proc/{pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ"))
    except OSError:
        return ""


def memory(pid: int) -> int:
    """Bytes of its own, and its share of what it has in common with others."""
    try:
        (line,) = re.findall(r"^Pss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return 0
    return 1024 * int(line)
