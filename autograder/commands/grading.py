"""Commands that grade: `check` one notebook, `grade` a class."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.interrupted import RunInterruptedError, run_kept
from autograder.commands.options import (
    GpusOption,
    ImageOption,
    JsonTarget,
    LimitOption,
    NamesArgument,
    RuntimeOption,
    SandboxOption,
    StudentsOption,
    examples,
    expect_folder,
    write_json,
)
from autograder.console import count, err, out, progress, say, tell
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.jobs.outcome import Cohort
    from autograder.model.assignment import Assignment

DEFAULT_STUDENT = "student"
"""Whose hidden inputs a notebook gets where no student is named."""
CHECK_EXAMPLES = examples(
    ("autograder check my.ipynb -a convolution", "grade a file, print the report"),
    ("autograder check my.ipynb -a convolution --student ada --staff", "with ada's hidden inputs; show them too"),
)
GRADE_EXAMPLES = examples(
    ("autograder grade", "every assignment with submissions"),
    ("autograder grade convolution", "one assignment"),
    ("autograder grade --student ada --student alan", "two students"),
    ("autograder grade convolution --dry-run", "after a check was edited: which scores would change?"),
    ("autograder grade --json build/reports/", "also build/reports/convolution.json ..."),
)


def check(
    notebook: Annotated[Path, typer.Argument(help="the notebook to grade")],
    assignment: Annotated[str, typer.Option("--assignment", "-a", help="which assignment it is for")],
    student: Annotated[
        str, typer.Option(help="whose it is: each student has hidden inputs of their own (without it: nobody's)")
    ] = "",
    sandbox: SandboxOption = "auto",
    image: ImageOption = None,
    runtime: RuntimeOption = None,
    limit: LimitOption = None,
    gpus: GpusOption = None,
    staff: Annotated[bool, typer.Option("--staff", help="also what only staff may see: inputs, tracebacks")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the report to this file")] = None,
) -> None:
    """Grade one notebook and print its report. Nothing is written to the gradebook."""
    from autograder import table
    from autograder.access import kept_private
    from autograder.grading.grade import Grader, Task
    from autograder.grading.slots import SlotPool
    from autograder.jobs.work import submission
    from autograder.notebooks.releases import Releases
    from autograder.sandbox import choose, gpu
    from autograder.settings import Settings

    settings = Settings.read(limits=limit or ())
    chosen = settings.assignment(assignment)
    if not notebook.is_file():
        raise UsageError(_no_notebook(notebook, assignment))
    expect_folder(json_file)
    found = gpu.gpus(gpus or settings.sandbox.gpus, 1) if chosen.runner == "gpu" else None
    if chosen.needs_gpu and found is None:
        raise UsageError(f"{assignment} needs a GPU, and there is none to use here: check it where there is one")
    task = Task.load(chosen, settings.root, settings.secret)
    with err.status("starting a sandbox ..."), SlotPool(choose.sandbox(sandbox)) as pool:
        grader = Grader(pool, image, runtime, found)
        releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])
        report = grader.grade(task, submission(student or DEFAULT_STUDENT, chosen, notebook, releases)).report
    table.print_report(out, report, staff=staff)
    if not student:
        err.print("graded with default inputs: --student NAME uses those that NAME gets for this notebook", style="dim")
    if json_file is not None:
        with kept_private(settings) as access:
            write_json(json_file, report.contract(), access)
    if report.status == "failed":
        raise typer.Exit(1)


def _no_notebook(path: Path, assignment: str) -> str:
    """Why `check` cannot read `path`; of a folder also which of its notebooks is meant, if only one can be."""
    if not path.is_dir():
        return f"no notebook at {path}: expected a .ipynb file"
    inside = sorted(path.glob("*.ipynb"))
    meant = [found for found in inside if found.name == f"{assignment}.ipynb"] or inside
    if len(meant) == 1:
        return f"{path} is a folder: run `autograder check {shlex.quote(str(meant[0]))} -a {assignment}`"
    held = ", ".join(found.name for found in inside[:5]) + (" ..." if len(inside) > 5 else "")
    return f"{path} is a folder: expected one of its notebooks ({held or 'it has none'})"


def grade(
    names: NamesArgument = None,
    student: StudentsOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="record nothing: show old and new points of each student and check")
    ] = False,
    sandbox: SandboxOption = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="how many at a time (default: one a core)")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="the address of a Dask scheduler, e.g. tls://host:8786 (default: a cluster on this machine)"),
    ] = None,
    insecure_scheduler: Annotated[
        bool,
        typer.Option(
            "--insecure-scheduler", help="allow a scheduler without TLS: anyone who reaches it runs code on its workers"
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="run again what is graded already and has not changed")
    ] = False,
    image: ImageOption = None,
    runtime: RuntimeOption = None,
    limit: LimitOption = None,
    gpus: GpusOption = None,
    slots_per_gpu: Annotated[
        int | None, typer.Option(min=1, help="submissions at a time on one GPU (default: as course.toml says)")
    ] = None,
    slot_lifetime: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="submissions a sandbox serves before it is replaced; 1 is strictest (default: as course.toml says)",
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE|FOLDER/",
            help="write the reports (with --dry-run: the changes) as one list, or into a folder: a file an assignment",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no tables")] = False,
) -> None:
    """Grade a class: course/submitted/*/NAME/ into nbgrader's gradebook.

    Without a name: every assignment that has submissions, in the course's order.

    What is graded already is not run again unless the submission, the checks or the image changed.

    Ctrl-C is safe: the next run goes on from there; with --force it begins again.
    """
    from autograder.access import kept_private
    from autograder.commands.several import each
    from autograder.jobs import cohort, remote
    from autograder.jobs.outcome import Options
    from autograder.jobs.plan import chosen, expected, plan
    from autograder.sandbox import choose, gpu
    from autograder.settings import Settings

    settings = Settings.read(limits=limit or ())
    with kept_private(settings) as access:
        target = JsonTarget(json_file, access)
        if gpus is not None:
            gpu.chosen(gpus)  # a wrong name is told, whatever the assignments need
        if scheduler is not None:
            remote.expect_secure(scheduler, insecure=insecure_scheduler)
        planned = plan(settings, names or (), student or ())
        choose.sandbox(sandbox)  # a wrong name is told once
        if planned.empty:
            say(f"nothing handed in for: {', '.join(planned.empty)}")
        options = Options(
            sandbox, scheduler, workers, force, image, runtime, slot_lifetime, gpus, slots_per_gpu,
            tuple(limit or ()), tuple(student or ()), dry_run, insecure_scheduler,
        )  # fmt: skip
        several = len(planned.assignments) > 1
        classes: list[Cohort] = []
        told: set[str] = set()

        def work(assignment: Assignment, label: str) -> bool:
            if several:
                say(f"== {label}: {assignment.title}")
            with progress(label) as (advance, starting):
                done = cohort.grade(settings, assignment.name, options, advance, starting)
            classes.append(done)
            done.doubts = [doubt for doubt in done.doubts if doubt not in told]  # some concern all assignments
            told.update(done.doubts)
            target.add(assignment.name, [done.difference.data()] if dry_run else [r.contract() for r in done.reports])
            _show(done, quiet=quiet, dry_run=dry_run)
            failed = tell(done, "--limit" if limit and not force else "", f"{assignment.name}: " if several else "")
            if done.interrupted:
                raise _interrupted(classes, force=force, dry_run=dry_run)
            return not failed

        try:
            well = each(planned.assignments, work)
        finally:
            target.close()
        _say_in_all(classes if several else (), dry_run=dry_run)
        if planned.missing:
            raise expected(settings, [assignment.name for assignment in chosen(settings, names or ())], planned.missing)
        if not well:
            raise typer.Exit(1)


def _interrupted(classes: Sequence[Cohort], *, force: bool, dry_run: bool) -> RunInterruptedError:
    """The end of a run that was interrupted: what it has kept of these classes."""
    graded = [sum(report.status == "graded" for report in done.reports) - done.reused for done in classes]
    counts = [(done.assignment, ran, done.total) for done, ran in zip(classes, graded, strict=True)]
    return RunInterruptedError(run_kept(counts, force=force, dry_run=dry_run))


def _say_in_all(classes: Sequence[Cohort], *, dry_run: bool) -> None:
    """Say how many submissions of several classes were graded, and that a dry run recorded nothing."""
    if classes:
        graded = sum(report.status == "graded" for done in classes for report in done.reports)
        total = sum(done.total for done in classes)
        say(f"== {count(len(classes), 'assignment')}: {graded} of {total} submissions graded")
    if dry_run:
        say("nothing was recorded: the same command without --dry-run does")


def _show(done: Cohort, *, quiet: bool, dry_run: bool) -> None:
    """The class's table, or what a dry run found; and what changed."""
    from autograder import changes, table

    if quiet:
        return
    if dry_run:
        changes.print_difference(out, done.difference, first=True)
        return
    table.print_class(out, done.reports, done.scores, written=done.written)
    if done.difference.changed:
        changes.print_difference(out, done.difference, first=False)
