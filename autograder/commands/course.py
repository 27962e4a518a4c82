"""Commands about the course's material: `release` the notebooks, `audit` the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import (
    GpusOption,
    ImageOption,
    LimitOption,
    NamesArgument,
    RuntimeOption,
    SandboxOption,
    examples,
)
from autograder.console import err, note, out, say

if TYPE_CHECKING:
    from autograder.model.assignment import Assignment

RELEASE_EXAMPLES = examples(
    ("autograder release", "the students' notebooks of all assignments"),
    ("autograder release --check", "is one of them stale?"),
)
AUDIT_EXAMPLES = examples(
    ("autograder audit convolution", "after a check, a mistake or a reference was edited"),
)


def release(
    names: NamesArgument = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="write nothing; exit 1 where a release is stale or shows an answer"),
    ] = False,
) -> None:
    """Make the students' notebook of an assignment from its source, with nbgrader's own generator."""
    from autograder.commands.several import each
    from autograder.jobs.plan import chosen
    from autograder.notebooks import files
    from autograder.notebooks import release as releases
    from autograder.settings import Settings

    settings = Settings.read()

    def work(assignment: Assignment, _label: str) -> bool:
        source = settings.root / "solutions" / assignment.name / "notebook.py"
        folder = settings.root / "assignments" / assignment.name
        target = folder / f"{assignment.name}.ipynb"
        if not check:
            releases.release(source, folder, assignment.points, assignment.profile)
        elif releases.is_stale(source, target, assignment.points):
            note("stale", f"{target.relative_to(settings.root)}: run `autograder release {assignment.name}`")
            return False
        differing, extra = files.stale(source, folder)
        if differing:
            where = (folder / differing[0]).relative_to(settings.root)
            note("stale", f"{where}: run `autograder release {assignment.name}`")
            return False
        if extra:
            where, home = (folder / extra[0]).relative_to(settings.root), f"solutions/{assignment.name}/files/"
            note("not released", f"{where} is not in {home}: remove it, or put it there")
            return False
        leaked = releases.leaks(source, target)
        if leaked:
            note("shows an answer", f"{target.relative_to(settings.root)}: {leaked[0]!r}")
            return False
        say(f"{'up to date' if check else 'released'}: {target.relative_to(settings.root)}")
        return True

    if not each(chosen(settings, names or ()), work):
        raise typer.Exit(1)


def audit(
    names: NamesArgument = None,
    sandbox: SandboxOption = "auto",
    image: ImageOption = None,
    runtime: RuntimeOption = None,
    limit: LimitOption = None,
    gpus: GpusOption = None,
) -> None:
    """Grade the grader: right answers must get full marks, known mistakes must fail and get their own hint.

    Prints the mutation table; exit 1 if a mistake survives or gets another's hint.
    """
    from autograder import table
    from autograder.commands.several import each
    from autograder.grading.audit import trials
    from autograder.grading.grade import Grader, Task
    from autograder.grading.slots import SlotPool
    from autograder.jobs.plan import chosen
    from autograder.sandbox import choose, gpu
    from autograder.settings import Settings

    settings = Settings.read(limits=limit or ())
    assignments = chosen(settings, names or ())
    found_gpus = gpu.gpus(gpus or settings.sandbox.gpus, 1)
    with SlotPool(choose.sandbox(sandbox), settings.sandbox.slot_lifetime) as pool:
        grader = Grader(pool, image, runtime, found_gpus)

        def work(assignment: Assignment, label: str) -> bool:
            if assignment.needs_gpu and found_gpus is None:
                note("not audited", f"{assignment.name} needs a GPU, and there is none to use here", "yellow")
                return True
            task = Task.load(assignment, settings.root, settings.secret)
            found = []
            total = len(task.suite.mistakes) + 2
            with err.status(f"auditing {label} ...") as status:
                for trial in trials(grader, task):
                    found.append(trial)
                    status.update(f"auditing {label}: {len(found)} of {total}")
                    if not err.is_terminal and (len(found) == total or len(found) % 10 == 0):
                        err.print(f"auditing {label}: {len(found)}/{total}", highlight=False, soft_wrap=True)
            table.print_audit(out, assignment.name, found)
            return all(trial.verdict == "ok" for trial in found)

        well = each(assignments, work)
    if not well:
        raise typer.Exit(1)
