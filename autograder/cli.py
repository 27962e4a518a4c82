"""The commands: parse, call, print. What they do is in the rooms below."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from autograder import __version__
from autograder.console import count, err, note, out, progress, tell, tell_restored, warn
from autograder.errors import CheckerError, SandboxError, UsageError
from autograder.extend_command import extend

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""Grade CNN course notebooks: student code runs in sandboxes, checks run outside.

    A first round, in the project's folder:

      autograder doctor                      which walls stand on this machine
      autograder release convolution         make the students' notebook
      autograder check my.ipynb -a convolution     grade one file, read the report
      autograder grade convolution           grade course/submitted/*/convolution/
      autograder feedback convolution        a page for each student
    """,
)
images = typer.Typer(no_args_is_help=True, help="The container image that Docker sandboxes run.")
app.add_typer(images, name="image")

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and SIGINT."""
NOBODY = "student"
"""Whose inputs a notebook gets that is nobody's."""

SandboxOption = Annotated[
    str,
    typer.Option(
        "--sandbox",
        help="docker, bwrap, auto (docker where engine and image are there, else bwrap), or none: no walls",
    ),
]
ImageOption = Annotated[
    str | None, typer.Option("--image", help="the image of docker sandboxes (default: autograder:latest)")
]
RuntimeOption = Annotated[str | None, typer.Option("--runtime", help="the container runtime, e.g. runsc for gVisor")]
GpusOption = Annotated[
    str | None,
    typer.Option(
        "--gpus",
        help='for assignments with runner = "gpu": all, none, or numbers and UUIDs with commas between '
        "(default: as course.toml says)",
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="for this run, in place of what course.toml says: call_seconds=20, memory_mb=4096; may be repeated",
    ),
]


def main() -> None:
    """The entry point: one line for an error, exit 2 for wrong use, 1 for what failed, 130 for Ctrl-C."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.showwarning = warn
    try:
        app()
    except UsageError as error:
        note("error", str(error))
        sys.exit(2)
    except (CheckerError, SandboxError) as error:
        kind = "checks" if isinstance(error, CheckerError) else "sandbox"
        note(f"{kind} failed", str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer makes one of Ctrl-C
            _interrupted()
        raise


def _interrupted() -> NoReturn:
    kept = ": what was graded is kept; the same command, without --force, goes on from there"
    err.print("interrupted" + (kept if sys.argv[1:2] == ["grade"] else ""))
    sys.exit(INTERRUPTED)


def _version(asked: bool) -> None:
    if asked:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    return


@app.command()
def release(
    names: Annotated[
        list[str] | None, typer.Argument(help="assignments; all of the course where none is named")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="write nothing; exit 1 where a release is stale or shows an answer"),
    ] = False,
) -> None:
    """Make the students' notebook of an assignment from its source, with nbgrader's own generator."""
    from autograder.notebooks import release as releases
    from autograder.settings import Settings

    settings = Settings.read()
    wrong = 0
    for assignment in [settings.assignment(name) for name in names] if names else settings.assignments:
        source = settings.root / "solutions" / assignment.name / "notebook.py"
        folder = settings.root / "assignments" / assignment.name
        target = folder / f"{assignment.name}.ipynb"
        if not check:
            releases.release(source, folder, assignment.points)
        elif releases.is_stale(source, target, assignment.points):
            wrong += 1
            note("stale", f"{target.relative_to(settings.root)}: run `autograder release {assignment.name}`")
            continue
        leaked = releases.leaks(source, target)
        if leaked:
            wrong += 1
            note("shows an answer", f"{target.relative_to(settings.root)}: {leaked[0]!r}")
        else:
            out.print(f"{'up to date' if check else 'released'}: {target.relative_to(settings.root)}")
    if wrong:
        raise typer.Exit(1)


@app.command()
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
    _expect_folder(json_file)
    found = gpu.gpus(gpus or settings.sandbox.gpus, 1) if chosen.runner == "gpu" else None
    if chosen.needs_gpu and found is None:
        raise UsageError(f"{assignment} needs a GPU, and there is none to use here: check it where there is one")
    task = Task.load(chosen, settings.root, settings.secret)
    with err.status("starting a sandbox ..."), SlotPool(choose.sandbox(sandbox)) as pool:
        grader = Grader(pool, image, runtime, found)
        releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])
        report = grader.grade(task, submission(student or NOBODY, chosen, notebook, releases)).report
    table.print_report(out, report, staff=staff)
    if not student:
        err.print("the hidden inputs were nobody's: --student NAME takes those that NAME is graded on", style="dim")
    if json_file is not None:
        _write_json(json_file, report.contract())
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


@app.command()
def grade(
    name: Annotated[str, typer.Argument(help="the assignment")],
    student: Annotated[list[str] | None, typer.Option("--student", help="only this student; may be repeated")] = None,
    sandbox: SandboxOption = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="how many at a time (default: one a core)")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="the address of a Dask scheduler, e.g. tcp://host:8786 (default: a cluster on this machine)"),
    ] = None,
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
        Path | None, typer.Option("--json", help="write the reports to this file, one object each")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no table")] = False,
) -> None:
    """Grade a class: course/submitted/*/NAME/ into nbgrader's gradebook.

    What is graded already is not run again unless the submission, the checks or the image changed.

    Ctrl-C is safe: the next run goes on from there.
    """
    from autograder import table
    from autograder.jobs import cohort
    from autograder.sandbox import gpu
    from autograder.settings import Settings

    settings = Settings.read(limits=limit or ())
    _expect_folder(json_file)
    if gpus is not None:
        gpu.chosen(gpus)  # a wrong name is told, whatever the assignment needs
    options = cohort.Options(
        sandbox, scheduler, workers, force, image, runtime, slot_lifetime, gpus, slots_per_gpu,
        tuple(limit or ()), tuple(student or ()),
    )  # fmt: skip
    with progress(name) as (advance, starting):
        done = cohort.grade(settings, name, options, advance, starting)
    if json_file is not None:
        _write_json(json_file, [report.contract() for report in done.reports])
    if not quiet:
        table.print_class(out, done.reports, done.standing.penalties)
    failed = tell(done, "--limit" if limit and not force else "")
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)
    if failed:
        raise typer.Exit(1)


@app.command()
def audit(
    names: Annotated[
        list[str] | None, typer.Argument(help="assignments; all of the course where none is named")
    ] = None,
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
    from autograder.grading.audit import trials
    from autograder.grading.grade import Grader, Task
    from autograder.grading.slots import SlotPool
    from autograder.sandbox import choose, gpu
    from autograder.settings import Settings

    settings = Settings.read(limits=limit or ())
    found_gpus = gpu.gpus(gpus or settings.sandbox.gpus, 1)
    wrong = 0
    with SlotPool(choose.sandbox(sandbox), settings.sandbox.slot_lifetime) as pool:
        grader = Grader(pool, image, runtime, found_gpus)
        for assignment in [settings.assignment(name) for name in names] if names else settings.assignments:
            if assignment.needs_gpu and found_gpus is None:
                note("not audited", f"{assignment.name} needs a GPU, and there is none to use here", "yellow")
                continue
            task = Task.load(assignment, settings.root, settings.secret)
            found = []
            total = len(task.suite.mistakes) + 2
            with err.status(f"auditing {assignment.name} ...") as status:
                for trial in trials(grader, task):
                    found.append(trial)
                    status.update(f"auditing {assignment.name}: {len(found)} of {total}")
                    if not err.is_terminal and (len(found) == total or len(found) % 10 == 0):
                        err.print(f"auditing {assignment.name}: {len(found)}/{total}", highlight=False)
            table.print_audit(out, assignment.name, found)
            wrong += sum(trial.verdict != "ok" for trial in found)
    if wrong:
        raise typer.Exit(1)


@app.command()
def feedback(
    name: Annotated[str, typer.Argument(help="the assignment")],
    student: Annotated[list[str] | None, typer.Option("--student", help="only this student; may be repeated")] = None,
) -> None:
    """Make feedback pages with nbgrader's own generator: course/feedback/STUDENT/NAME/NAME.html."""
    from autograder.gradebook.pages import generate
    from autograder.jobs import restoring
    from autograder.settings import Settings

    settings = Settings.read()
    assignment = settings.assignment(name)
    tell_restored(restoring.restore_recorded(settings, assignment))
    with progress(name) as (advance, starting):
        starting("feedback")
        pages = generate(
            settings.course_folder, settings.db_url, assignment.name, settings.course_id, student,
            lambda done, total: advance(done, total, None, True),
        )  # fmt: skip
    out.print(
        f"{count(len(pages), 'page')}: {settings.course_folder / 'feedback'}/<student>/{name}/{name}.html",
        highlight=False,
        soft_wrap=True,
    )


app.command()(extend)


@app.command()
def doctor() -> None:
    """Say which walls stand on this machine, what each stops, and what to install for the rest."""
    from autograder.sandbox.doctor import diagnose, render

    render(diagnose(), out)


@images.command("build")
def build(
    base: Annotated[
        str, typer.Option(help="the base image, or `mmdebstrap`: a Debian root filesystem made here")
    ] = "python:3.11-slim",
    tag: Annotated[str, typer.Option(help="the name of the image")] = "autograder:latest",
    force: Annotated[bool, typer.Option("--force", help="build it even if nothing changed")] = False,
) -> None:
    """Build the image of docker sandboxes: Python and the course's packages, none of the grader's code."""
    from autograder.sandbox.image import build as build_image

    build_image(
        base=base,
        tag=tag,
        force=force,
        say=lambda line: err.print(line, highlight=False, markup=False, soft_wrap=True),
    )
    out.print(f"image {tag} is ready", highlight=False)


def _expect_folder(path: Path | None) -> None:
    """Say before the work what would stop its result from being written after it."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written (no folder {path.parent}): make it, or choose another file")


def _write_json(path: Path, data: Any) -> None:
    try:
        path.write_text(json.dumps(data, indent=1) + "\n")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): choose another file; what was graded is kept"
        ) from error


if __name__ == "__main__":
    main()
