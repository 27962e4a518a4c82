"""Each wall on the grader's side stops something: taken away, an attack of the list wins, or a named wall covers it.

A wall is taken away by patching the grader within a test, and where both sides have it also a copy of the code that
enters the sandbox. Nothing of the product can do that. Attacks are those of the table, by their names.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import docker as engine
import pytest
import test_attacks
import test_showing
import zmq.asyncio
from attack import Attack
from jupyter_client.session import Session
from linux import is_inside, processes
from nbformat.v4 import new_code_cell
from shooting_range import KINDS, Range, canary
from test_breaking import GROWTH, sampled
from test_walls_off import INNER

from autograder import table
from autograder.checks import equal
from autograder.checks.student import Student
from autograder.errors import CheckerError, SandboxError
from autograder.gradebook import cards, names, sanitise
from autograder.gradebook.feedback import annotate
from autograder.grading import grade
from autograder.grading.grade import Graded, Grader
from autograder.grading.slots import SlotPool
from autograder.inside import values
from autograder.jobs import work
from autograder.kernel import cells, messages, relay, session
from autograder.kernel.calls import Caller
from autograder.model.assignment import Assignment
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.notebooks.rebuild import Rebuilt
from autograder.sandbox import docker, owner, slot
from autograder.sandbox.bundle import bundle
from autograder.sandbox.interface import IMAGE
from autograder.sandbox.run_folder import sweep
from autograder.sandbox.slot import Slot

ATTACKS = {attack.name: attack for attack in test_attacks.ATTACKS}
PLACES = ("solutions", "gradebook", "environment", "neighbour", "memory")
ENDLESS = 2**62
ROOM = 6 * 2**30
"""Bytes of address space that a grader may take while it is flooded: the machine shall live."""
UNPICKLED = 66
"""How a grader ends that unpickles what the attacks of line 6 send."""
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Wall:
    """A wall on the grader's side.

    Attributes:
        away: takes it away.
        inside: the same in a copy of the code that enters the sandbox: what is appended, by the file's name.
    """

    away: Callable[[Patch], None] = lambda _patch: None
    inside: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shot:
    """An attack at the walls named: it wins where all of them are away, and not where the first one alone is."""

    attack: str
    walls: tuple[str, ...]
    wins: Callable[[Arena, Attack], bool]

    def __str__(self) -> str:
        return f"{self.walls[0]}: {self.attack}".replace(" ", "-")


@dataclass
class Arena:
    """A grader, and whether it lacks something that a sandbox of its own must lack too."""

    range: Range
    kind: str
    own_slot: bool = False
    task: Any = None

    def grade(self, attack: Attack) -> Graded:
        if not self.own_slot:
            return self._grade(self.range.grader(self.kind), attack)
        with SlotPool(KINDS[self.kind]()) as pool:
            return self._grade(Grader(pool), attack)

    def _grade(self, grader: Grader, attack: Attack) -> Graded:
        return grader.grade(self.task or self.range.task, Submission("mallory", "vault", self.range.content(attack)))


# What is taken away.


def _nothing_rebuilt(patch: Patch) -> None:
    patch.setattr(grade, "rebuild", lambda _released, submitted, _files=(): Rebuilt(submitted, ()))


def _reference_inside(patch: Patch) -> None:
    """As graders do that load the tests, or what they compare with, into the student's process."""
    text = (Path(__file__).parent / "vault" / "reference.py").read_text()
    cell = f"import types\nreference = types.ModuleType('reference')\nexec({text!r}, vars(reference))"
    rebuild = grade.rebuild

    def rebuilt(*notebooks: Any) -> Rebuilt:
        made = rebuild(*notebooks)
        made.notebook.cells.insert(0, new_code_cell(cell))
        return made

    patch.setattr(grade, "rebuild", rebuilt)


def _tests_inside(patch: Patch) -> None:
    real = grade.KernelSession.run
    patch.setattr(grade.KernelSession, "run", lambda self, notebook, _runs: real(self, notebook))


def _uncounted(patch: Patch) -> None:
    real = relay.Relay._receive

    def receive(self: Any, end: Any) -> bool:
        self._left = ENDLESS
        return real(self, end)

    patch.setattr(relay.Relay, "_receive", receive)


def _uncounted_frames(patch: Patch) -> None:
    patch.setattr(relay, "FRAME_BYTES", 0)


def _no_cap_on_a_part(patch: Patch) -> None:
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.LINGER, 0)
    context.setsockopt(zmq.RCVHWM, session.HIGH_WATER)
    patch.setattr(session, "_context", lambda: context)


def _answers(*, ignoring: str) -> Callable[[Patch], None]:
    """A caller that takes a message for its reply without looking at one thing."""

    def answers(self: Any, message: dict[str, Any], call: str) -> bool:
        content = message["content"]
        told = content.get("data")
        right = {
            "type": message["msg_type"] == "comm_msg",
            "channel": content.get("comm_id") == self._comm,
            "call": isinstance(told, dict) and told.get("id") == call,
        }
        return isinstance(told, dict) and all(held for what, held in right.items() if what != ignoring)

    return lambda patch: patch.setattr(Caller, "_answers", answers)


def _every_topic(patch: Patch) -> None:
    patch.setattr(Caller, "_listen_to", lambda _self, _topic: None)


def _jupyters_own_reading(patch: Patch) -> None:
    class Trusting(Session):  # type: ignore[misc]  # its base is not typed
        def deserialize(self, msg_list: Any, *arguments: Any, **keywords: Any) -> dict[str, Any]:
            return {**super().deserialize(msg_list, *arguments, **keywords), "size": sum(map(len, msg_list))}

    patch.setattr(session, "WarySession", Trusting)


def _pickles_read(patch: Patch) -> None:
    real = values.Decoder._tagged

    def tagged(self: Any, tree: dict[str, Any], depth: int) -> Any:
        if tree["t"] == "ndarray" and not values.NUMERIC_DTYPE.fullmatch(tree["d"]):
            return pickle.loads(self._raw(tree))
        return real(self, tree, depth)

    patch.setattr(values.Decoder, "_tagged", tagged)


def _request_sized_answers(patch: Patch) -> None:
    patch.setattr(session, "Bounds", lambda *_: values.REQUEST)


def _long_integers(patch: Patch) -> None:
    patch.setattr(values, "MAX_INT_BITS", ENDLESS)


def _names_uncut(patch: Patch) -> None:
    patch.setattr(names, "refusal", lambda _name: "")


def _outputs_as_they_are(patch: Patch) -> None:
    patch.setattr(sanitise, "outputs", lambda cell, _gallery, **_options: cell.get("outputs", []))


def _pictures_of_any_size(patch: Patch) -> None:
    patch.setattr(sanitise, "LARGEST_SIDE", ENDLESS)
    patch.setattr(sanitise.Gallery, "takes", lambda *_sides: True)


def _uncounted_output(patch: Patch) -> None:
    def process(self: Any, message: dict[str, Any], *where: Any) -> Any:
        return super(cells.CellRunner, self).process_message(message, *where)

    patch.setattr(cells.CellRunner, "process_message", process)


def _json_alone(patch: Patch) -> None:
    patch.setattr(document, "_load", lambda content: json.loads(content.decode()))


WALLS = {
    "rebuild": Wall(_nothing_rebuilt),
    "checks outside: the reference": Wall(_reference_inside),
    "checks outside: the tests": Wall(_tests_inside),
    "counted bytes": Wall(_uncounted),
    "counted frames": Wall(_uncounted_frames),
    "counted parts of JSON": Wall(lambda patch: patch.setattr(messages, "MAX_SIGNS", ENDLESS)),
    "ZeroMQ's cap on a part": Wall(_no_cap_on_a_part),
    "call ids": Wall(_answers(ignoring="call")),
    "a channel of its own": Wall(_answers(ignoring="channel")),
    "one type of message": Wall(_answers(ignoring="type")),
    "one topic": Wall(_every_topic),
    "wary reading": Wall(_jupyters_own_reading),
    "value codec: no pickle": Wall(_pickles_read),
    "value codec: depth and count of an answer": Wall(_request_sized_answers),
    "value codec: bits of integers": Wall(_long_integers, {"values.py": f"MAX_INT_BITS = {ENDLESS}"}),
    "output cap": Wall(_uncounted_output),
    "notebook: size": Wall(lambda patch: patch.setattr(document, "check_size", lambda *_: None)),
    "notebook: cells": Wall(lambda patch: patch.setattr(document, "MAX_CELLS", ENDLESS)),
    "notebook: code": Wall(lambda patch: patch.setattr(document, "MAX_CODE", ENDLESS)),
    "notebook: lines": Wall(lambda patch: patch.setattr(document, "MAX_LINES", ENDLESS)),
    "notebook: depth": Wall(_json_alone),
    "clean pages: outputs": Wall(_outputs_as_they_are),
    "clean pages: answers": Wall(lambda patch: patch.setattr(sanitise, "markdown", lambda source, *_: source)),
    "clean pages: messages": Wall(lambda patch: patch.setattr(cards, "escape", str)),
    "clean pages: pictures": Wall(_pictures_of_any_size),
    "clean terminal": Wall(lambda patch: patch.setattr(table, "plain", str)),
    "set-in messages": Wall(lambda patch: patch.setattr(table, "_indented", lambda text: f"  {table.plain(text)}")),
}


# How an attack wins.


def scores_more(arena: Arena, attack: Attack) -> bool:
    """It gets points that it does not deserve."""
    return arena.grade(attack).report.score > attack.honest_points


def changes_the_score(arena: Arena, attack: Attack) -> bool:
    """What it does in one exercise changes what another one gets."""
    report = arena.grade(attack).report
    return report.status == "graded" and report.score != attack.honest_points


def costs_nothing(arena: Arena, attack: Attack) -> bool:
    """It is taken for a fault of the grader, and staff have to look."""
    return arena.grade(attack).report.status == "failed"


def has_no_page(arena: Arena, attack: Attack) -> bool:
    """Its scores cannot be written into the notebook that was handed in."""
    graded = arena.grade(attack)
    try:
        annotate(graded.notebook, graded.report)
    except CheckerError:
        return True
    return False


def costs_nothing_where_answers_are_handed_on(arena: Arena, attack: Attack) -> bool:
    """The same, with a check that calls a function with its own answer."""

    def handed_on(student: Student, _draw: Any) -> None:
        equal(student.spell(student.spell(7)), "7")

    task = arena.range.task
    checks = tuple(replace(each, function=handed_on) if each.cell == "spell" else each for each in task.suite.checks)
    arena.task = replace(task, suite=replace(task.suite, checks=checks))
    return costs_nothing(arena, attack)


def is_read(arena: Arena, attack: Attack) -> bool:
    """A file that should be refused is taken for a notebook."""
    return arena.grade(attack).notebook is not None


def stops_the_grader(arena: Arena, attack: Attack) -> bool:
    """An exception that the grader does not know ends it."""
    try:
        arena.grade(attack)
    except (RecursionError, UnicodeEncodeError):
        return True
    return False


def passes_its_test(arena: Arena, attack: Attack) -> bool:
    """The test of `scale`, which it answers wrongly, was run beside it and found nothing."""
    notebook = arena.grade(attack).notebook
    assert notebook is not None
    (cell,) = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "scale")
    return cell.execution_count is not None and cell.outputs == []


def floods_the_page(arena: Arena, attack: Attack) -> bool:
    """More outputs come to the page than what is kept of a cell that said too much."""
    assignment = arena.range.task.assignment
    limits = replace(assignment.limits, cell_seconds=30)  # the deadline, another wall, must not be what stops it
    task = replace(arena.range.task, assignment=replace(assignment, limits=limits))
    notebook = replace(arena, task=task, own_slot=True).grade(attack).notebook
    assert notebook is not None
    return sum(len(cell.get("outputs", [])) for cell in notebook.cells) > 100


def acts(arena: Arena, attack: Attack) -> bool:
    """Something in its page acts that does not in an honest one."""
    gallery = test_showing.Gallery(arena.range, arena.kind, {})
    known, found = (
        test_showing.Acting(test_showing.classic(gallery.notebook(arena.grade(each)))).found
        for each in (Attack(0, "an honest student", last="print('x')"), attack)
    )
    return any(count > known[what] for what, count in found.items())


def unfolds(arena: Arena, attack: Attack) -> bool:
    """Its pictures have more pixels than a browser can hold."""
    notebook = test_showing.Gallery(arena.range, arena.kind, {}).notebook(arena.grade(attack))
    return test_showing.pictures(test_showing.classic(notebook)) > test_showing.MOST_PIXELS


def commands_the_terminal(arena: Arena, attack: Attack) -> bool:
    """A terminal obeys what it wrote."""
    return bool(test_showing.OBEYED.search(_on_a_terminal(arena.grade(attack))))


def writes_a_verdict(arena: Arena, attack: Attack) -> bool:
    """A line of its message looks like a verdict of ours."""
    lines = [line.strip("│ ") for line in _on_a_terminal(arena.grade(attack)).splitlines()]
    return any(line.startswith("✓ Numbers") for line in lines)


def _on_a_terminal(graded: Graded) -> str:
    return test_showing.terminal(table.print_report, graded.report)


SHOTS = [
    Shot("deletes the test that it fails", ("rebuild",), has_no_page),
    Shot("takes the answer that lies beside its arguments", ("checks outside: the reference",), scores_more),
    Shot("patches numpy, torch and their tests", ("checks outside: the tests",), passes_its_test),
    Shot("answers with guessed ids", ("call ids",), changes_the_score),
    Shot("the right answer on another comm", ("a channel of its own",), scores_more),
    Shot("the right answer in messages of other types", ("one type of message",), scores_more),
    Shot("the right answer on other topics", ("one topic",), scores_more),
    Shot("frames that are no messages, on the comm's topic", ("wary reading",), costs_nothing),
    Shot(
        "a list that is 33 deep as an answer",
        ("value codec: depth and count of an answer",),
        costs_nothing_where_answers_are_handed_on,
    ),
    Shot(
        "a list of 199,999 numbers as an answer",
        ("value codec: depth and count of an answer",),
        costs_nothing_where_answers_are_handed_on,
    ),
    Shot("a whole number of a million digits as an answer", ("value codec: bits of integers",), costs_nothing),
    Shot("hundreds of outputs and endless lines", ("output cap",), floods_the_page),
    Shot("a notebook of 200 MB", ("notebook: size",), scores_more),
    Shot("a million characters of code", ("notebook: code",), scores_more),
    Shot("ten thousand lines of code", ("notebook: lines",), scores_more),
    Shot("a notebook of 10,000 cells", ("notebook: cells",), is_read),
    Shot("brackets nested a million deep", ("notebook: depth",), stops_the_grader),
    Shot("scripts in outputs of every kind", ("clean pages: outputs",), acts),
    Shot("scripts, frames and handlers in answers", ("clean pages: answers",), acts),
    Shot("scripts in tracebacks, types and messages", ("clean pages: messages",), acts),
    Shot("one picture that unfolds to gigabytes", ("clean pages: pictures",), unfolds),
    Shot("escape sequences in exceptions and answers", ("clean terminal",), commands_the_terminal),
    Shot("a verdict in a message's next line", ("set-in messages",), writes_a_verdict),
]


@pytest.fixture(scope="module")
def arena(shooting_range: Range) -> Arena:
    """The grader with the first sandbox that is there: what is tried here is on the grader's side."""
    chosen = os.environ.get("AUTOGRADER_REDTEAM")
    kinds = [kind for kind in KINDS if chosen in {None, kind} and KINDS[kind]().missing() is None]
    if not kinds:
        pytest.skip("no sandbox is there")
    return Arena(shooting_range, kinds[-1])


def _inside(folder: Path, patches: dict[str, str]) -> Path:
    """A copy of the code that enters a sandbox, with this appended to its files (in a script, before it runs)."""
    code = folder / f"code-{len(list(folder.glob('code-*')))}"
    shutil.copytree(bundle(), code)
    for name, text in patches.items():
        path = code / "inside" / name
        last = '\n\nif __name__ == "__main__":'
        head, mark, tail = path.read_text().partition(last)
        path.write_text(f"{head}\n\n{text}\n{mark}{tail}")
    return code


def _wins_without(arena: Arena, shot: Shot, walls: tuple[str, ...], folder: Path, patch: Patch) -> bool:
    inside = {name: text for wall in walls for name, text in WALLS[wall].inside.items()}
    with patch.context() as within:
        for wall in walls:
            WALLS[wall].away(within)
        if inside:
            code = _inside(folder, inside)
            within.setattr(slot, "bundle", lambda: code)
        return shot.wins(replace(arena, own_slot=bool(inside)), ATTACKS[shot.attack])


@pytest.mark.parametrize("shot", SHOTS, ids=str)
def test_an_attack_wins_where_its_wall_is_away(arena: Arena, shot: Shot, tmp_path: Path, monkeypatch: Patch) -> None:
    assert not _wins_without(arena, shot, (), tmp_path, monkeypatch), "with all walls up"
    assert _wins_without(arena, shot, shot.walls, tmp_path, monkeypatch), "with its wall away"


# Attacks on the grader's own process: a process of its own is flooded, or ended.

FLOODS = [
    ("a message of endless large parts, in a call", 5, ("counted bytes",)),
    ("empty parts without end, in a call", 25, ("counted frames",)),
    ("six million empty lists as an answer", 10, ("counted parts of JSON",)),
    ("one part of 2 GB, in a call", 5, ("ZeroMQ's cap on a part", "counted bytes")),
    ("one part of 2 GB, in a call", 5, ("counted bytes", "ZeroMQ's cap on a part")),
]
"""An attack, the seconds that a call may take, the wall that is taken away, and those that cover it."""


def _peak(folder: Path, kind: str, name: str, seconds: float, walls: tuple[str, ...], told: Any) -> None:
    """Grade an attack in this process, which is made for it; tell how much its memory grew."""
    made = Range.build(folder, {place: canary(place) for place in PLACES})
    made.grader(kind)
    limits = replace(made.task.assignment.limits, call_seconds=seconds, total_seconds=60)
    made.task = replace(made.task, assignment=replace(made.task.assignment, limits=limits))
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + ROOM,) * 2)
    with pytest.MonkeyPatch.context() as patch:
        for wall in walls:
            WALLS[wall].away(patch)
        with sampled() as seen:
            made.grade(kind, ATTACKS[name])
    told.send(max(seen) - seen[0])
    made.close()


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _in_its_own_process(
    folder: Path, kind: str, name: str, seconds: float, walls: tuple[str, ...]
) -> tuple[int | None, int | None]:
    """How much the memory of a grader grew (None: it did not live to tell), and how it ended."""
    folder.mkdir()
    context = get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_peak, args=(folder, kind, name, seconds, walls, told))
    process.start()
    told.close()
    try:
        grown = heard.recv()
    except EOFError:
        grown = None
    process.join()
    return grown, process.exitcode


@pytest.mark.parametrize(("name", "seconds", "walls"), FLOODS, ids=[f"{walls[0]}: {name}" for name, _, walls in FLOODS])
def test_a_flood_wins_where_its_wall_and_those_that_cover_it_are_away(
    arena: Arena, name: str, seconds: float, walls: tuple[str, ...], tmp_path: Path
) -> None:
    def drowns(number: int, *away: str) -> bool:
        grown, code = _in_its_own_process(tmp_path / str(number), arena.kind, name, seconds, away)
        assert grown is not None or code in {1, -signal.SIGABRT}, code  # a MemoryError of Python's, ZeroMQ's own end
        return grown is None or grown > GROWTH

    assert not drowns(0), "with all walls up"
    if len(walls) > 1:
        assert not drowns(1, walls[0]), f"covered by {walls[1:]}"
    assert drowns(2, *walls), "with no wall in its way"


def test_a_pickle_ends_the_grader_that_reads_it(arena: Arena, tmp_path: Path) -> None:
    name = "a pickle's bytes in place of an array"
    held, code = _in_its_own_process(tmp_path / "held", arena.kind, name, 5, ())
    assert (held is None, code) == (False, 0)
    lost = _in_its_own_process(tmp_path / "lost", arena.kind, name, 5, ("value codec: no pickle",))
    assert lost == (None, UNPICKLED)


# Attacks on the grader's time: a process of its own waits for an answer that never comes.

PATIENCE = 40
"""Seconds after which a grader that has no verdict is taken for one that waits for ever; those below need five."""
SLOW = [("an endless loop in a cell", "cell_seconds"), ("an endless loop in a call", "call_seconds")]
"""An attack, and the deadline that is its wall."""


def _verdict(folder: Path, kind: str, name: str, seconds: dict[str, float], told: Any) -> None:
    """Grade an attack in this process, which is made for it, with these deadlines; tell when there is a verdict."""
    made = Range.build(folder, {place: canary(place) for place in PLACES})
    limits = replace(made.task.assignment.limits, **seconds)
    task = replace(made.task, assignment=replace(made.task.assignment, limits=limits))
    with SlotPool(KINDS[kind]()) as pool:
        content = made.content(ATTACKS[name])
        told.send(Grader(pool).grade(task, Submission("mallory", "vault", content)).report.status)


def _waits_for_ever(folder: Path, kind: str, name: str, **seconds: float) -> bool:
    folder.mkdir()
    context = get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_verdict, args=(folder, kind, name, seconds, told))
    process.start()
    told.close()
    try:
        if heard.poll(PATIENCE):
            assert heard.recv() == "graded"
            process.join()
            return False
        return True
    finally:
        process.kill()
        process.join()
        sweep()
        KINDS[kind]().sweep()


@pytest.mark.parametrize(("name", "wall"), SLOW, ids=[wall for _, wall in SLOW])
def test_a_loop_is_endless_where_its_deadline_and_that_of_the_submission_are_away(
    arena: Arena, name: str, wall: str, tmp_path: Path
) -> None:
    in_all, away = {"total_seconds": 4.0}, {wall: 10.0**6}
    assert not _waits_for_ever(tmp_path / "up", arena.kind, name, **in_all)
    assert not _waits_for_ever(tmp_path / "covered", arena.kind, name, **in_all, **away), "covered by the submission's"
    assert not _waits_for_ever(tmp_path / "covers", arena.kind, name, total_seconds=10.0**6), "covers the submission's"
    assert _waits_for_ever(tmp_path / "away", arena.kind, name, total_seconds=10.0**6, **away)


# What is handed in, and by whom.


def test_a_link_is_followed_where_no_plain_file_is_asked_for(tmp_path: Path, monkeypatch: Patch) -> None:
    """The attack: `link to passwd` of test_breaking.py."""
    path = tmp_path / "vault.ipynb"
    path.symlink_to("/etc/passwd")

    def read() -> bytes:
        return work.submission("mallory", Assignment("vault", "Vault"), path).content

    assert read() == b""
    monkeypatch.setattr(document, "read", lambda path, _limits: path.read_bytes())
    assert b"root:" in read()


def test_a_formula_is_exported_where_any_name_is_a_students(arena: Arena, tmp_path: Path, monkeypatch: Patch) -> None:
    """The attack: a student's folder of this name, which test_showing.py has."""
    name = "=cmd|'C calc'!A0"
    assert name in test_showing.NAMES
    gallery = test_showing.Gallery(arena.range, arena.kind, {})
    graded = gallery.show(Attack(0, "an honest student", last="print('x')"))
    graded = replace(graded, report=replace(graded.report, student=name))
    with pytest.raises(test_showing.UsageError):
        test_showing.record(tmp_path, gallery, [graded])
    _names_uncut(monkeypatch)
    test_showing.record(tmp_path, gallery, [graded])
    (row,) = test_showing.exported(tmp_path)
    assert row["student_id"].startswith("=")


# What one submission leaves to the next.

NEVER_REMOVED = {"zygote.py": "removal.remove = lambda top: []"}
NEVER_KILLED = {"zygote.py": "Zygote.kill_all = lambda self: None"}
CANNOT_REMOVE = {"zygote.py": "removal.remove = lambda top: [top]"}
NO_LANDLOCK = {"walls.py": INNER["Landlock"]}
LOOKING = "looks into other kernels' folders by their names"
STAYING = "a child that waits for the next submission"


@pytest.fixture
def one_after_the_other(
    shooting_range: Range, kind: str, tmp_path: Path, monkeypatch: Patch
) -> Iterator[Callable[..., tuple[Graded, Slot, Slot]]]:
    """Grade a neighbour in a slot whose code is patched, then an attack in what the pool has; both of their slots."""
    pools: list[SlotPool] = []
    neighbour = f"open('notes.txt', 'w').write({shooting_range.canaries['neighbour']!r})"

    def grade_both(name: str, patches: dict[str, str]) -> tuple[Graded, Slot, Slot]:
        pools.append(SlotPool(KINDS[kind]()))
        task = shooting_range.task
        spec = task.slot_spec()
        with monkeypatch.context() as patch:
            code = _inside(tmp_path, patches)
            patch.setattr(slot, "bundle", lambda: code)
            pools[-1].warm(spec)
        first = pools[-1]._idle[spec]
        grader = Grader(pools[-1])
        content = shooting_range.content(Attack(0, "a neighbour", first=neighbour))
        report = grader.grade(task, Submission("neighbour", "vault", content)).report
        assert (report.status, report.score) == ("graded", 100.0), report.error
        attack = ATTACKS[name]
        graded = grader.grade(task, Submission("mallory", "vault", shooting_range.content(attack)))
        return graded, first, pools[-1]._idle[spec]

    yield grade_both
    for pool in pools:
        pool.close()


def _alive(used: Slot) -> int:
    return sum(is_inside(pid, used.folder) for pid in processes())


def _settled(used: Slot, wanted: int) -> int:
    """How many processes there are; the dead are gone when they have been waited for."""
    deadline = time.monotonic() + 10
    while (found := _alive(used)) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_files_are_found_where_nothing_is_removed_and_no_landlock_hides_them(
    shooting_range: Range, one_after_the_other: Callable[..., tuple[Graded, Slot, Slot]]
) -> None:
    for patches, found in (
        ({}, []),
        (NEVER_REMOVED, []),
        (NO_LANDLOCK, []),
        (NEVER_REMOVED | NO_LANDLOCK, ["neighbour"]),
    ):
        graded, _first, _second = one_after_the_other(LOOKING, patches)
        assert shooting_range.leaked(graded) == found, patches


def test_a_process_outlives_its_submission_where_nothing_is_killed(
    one_after_the_other: Callable[..., tuple[Graded, Slot, Slot]],
) -> None:
    for patches, alive in (({}, 1), (NEVER_KILLED, 2)):
        _graded, _first, second = one_after_the_other(STAYING, patches)
        assert _settled(second, alive) == alive, patches


def test_a_slot_that_is_not_proved_clean_is_thrown_away(
    shooting_range: Range, one_after_the_other: Callable[..., tuple[Graded, Slot, Slot]], monkeypatch: Patch
) -> None:
    graded, first, second = one_after_the_other(LOOKING, CANNOT_REMOVE | NO_LANDLOCK)
    assert second is not first
    assert (first.folder.exists(), _settled(first, 0)) == (False, 0)
    assert (graded.report.score, shooting_range.leaked(graded)) == (ATTACKS[LOOKING].honest_points, [])

    proved = Slot.end

    def believed(self: Slot, name: str) -> dict[str, Any]:
        try:
            return proved(self, name)
        except SandboxError:
            return {"code": 0}

    monkeypatch.setattr(Slot, "end", believed)
    graded, first, second = one_after_the_other(LOOKING, CANNOT_REMOVE | NO_LANDLOCK)
    assert second is first
    assert shooting_range.leaked(graded) == ["neighbour"]


# What a dead grader leaves (test_crashes.py kills one).


def _of_the_dead() -> str:
    code = "from autograder.sandbox import owner; print(owner.mark())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_dead_graders_folder_stays_where_nobody_sweeps(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOGRADER_RUN", str(tmp_path))
    left = tmp_path / "s-left"
    left.mkdir()
    (left / "owner").write_text(_of_the_dead())
    with monkeypatch.context() as patch:
        patch.setattr(owner, "abandoned", lambda _mark: False)
        sweep()
    assert left.exists()
    sweep()
    assert not left.exists()


@pytest.mark.docker
def test_a_dead_graders_container_stays_where_no_label_is_looked_for(monkeypatch: Patch) -> None:
    if reason := docker.Docker().missing():
        pytest.skip(reason)
    monkeypatch.setattr(docker, "OWNER_LABEL", f"autograder.test-{secrets.token_hex(8)}")  # other graders are about
    client = engine.from_env()
    left = client.containers.create(IMAGE, ["true"], network_mode="none", labels={docker.OWNER_LABEL: _of_the_dead()})
    try:
        with monkeypatch.context() as patch:
            patch.setattr(docker, "OWNER_LABEL", "another.label")
            docker.reap(client)
        assert _there(client, left.id)
        docker.reap(client)
        assert not _there(client, left.id)
    finally:
        if _there(client, left.id):
            left.remove(force=True)


def _there(client: Any, container: str) -> bool:
    return any(each.id == container for each in client.containers.list(all=True, ignore_removed=True))
