"""`python -m benchmarks`: nbgrader, the grader and the limit over the same submissions, in turns."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autograder.errors import AutograderError
from autograder.sandbox.choose import option_help
from benchmarks import page
from benchmarks.course import SETS, Course, Set, hand_in
from benchmarks.figures import Grading, Result, Round
from benchmarks.nbgrader import Nbgrader
from benchmarks.ours import Autograder, measure
from benchmarks.processes import BenchmarkError, Cost

FEW = 2
"""nbgrader grades classes of FEW and of N, the grader of N and of many times N: the difference is without start-up."""
STEPS = 5
out, err = Console(), Console(stderr=True)


def main(
    which: Annotated[str, typer.Option("--set", help="light, class or all")] = "all",
    runs: Annotated[int, typer.Option(min=1, help="rounds: each system once a round, in turns")] = 3,
    submissions: Annotated[int, typer.Option(min=FEW + 1, help="N, the size of nbgrader's class")] = 12,
    sandbox: Annotated[str, typer.Option(help=option_help())] = "auto",
    write: Annotated[bool, typer.Option(help="put the figures into docs/performance.md")] = True,
) -> None:
    """Measure, print and write. Takes about a quarter of an hour on two cores; nothing else should run meanwhile."""
    chosen = list(SETS.values()) if which == "all" else [SETS[which]] if which in SETS else []
    if not chosen:
        raise typer.BadParameter(f"expected one of {', '.join(SETS)} or all, found {which!r}", param_hint="--set")
    command = "python -m benchmarks " + " ".join(sys.argv[1:])
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            course = Course.build(Path(folder), [each.assignment for each in chosen])
            for each in chosen:
                result = run(course, each, runs, submissions, sandbox)
                page.show(out, each, result)
                if write:
                    page.write(each, result, command.strip())
    except (BenchmarkError, AutograderError) as error:
        err.print(f"[red]error:[/] {type(error).__name__}", error, markup=False, highlight=False)
        raise typer.Exit(1) from error


def run(course: Course, of: Set, runs: int, submissions: int, sandbox: str) -> Result:
    """All rounds of a set."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(f"{of.name}: making the submissions", total=runs * STEPS + 1)

        def begin(step: str) -> None:
            bar.update(task, description=f"{of.name}: {step}", advance=1)

        contents = of.contents(course.task(of.assignment))[:submissions]
        theirs = Nbgrader(course, of.assignment, contents)
        ours = Autograder(course, of.assignment, contents, sandbox)
        rounds = tuple(_round(course, theirs, ours, (submissions, of.many * submissions), begin) for _ in range(runs))
        begin("warm process")
        hand_in(course.root / "course" / "submitted", of.assignment, contents, submissions)
        warm = measure("benchmarks.warm", course, of.assignment, sandbox)
    return Result(rounds, warm)


def _round(
    course: Course, theirs: Nbgrader, ours: Autograder, sizes: tuple[int, int], begin: Callable[[str], None]
) -> Round:
    """Each system's two runs, in turns; `sizes` are those of the grader's classes.

    Raises:
        BenchmarkError: a system failed, two of them gave a submission different scores, or the noise is too great.
    """
    n, many = sizes
    begin(f"nbgrader autograde, {FEW} submissions")
    their_few = theirs.run(FEW)
    begin(f"autograder grade, {n} submissions")
    our_few = ours.run(n)
    begin(f"the limit, {n} submissions")
    limit = measure("benchmarks.limit", course, ours.assignment)
    begin(f"nbgrader autograde, {n} submissions")
    their_many = theirs.run(n)
    begin(f"autograder grade, {many} submissions")
    our_many = ours.run(many)
    scores = ours.scores()
    for name, other in (("nbgrader", theirs.scores()), ("the limit", limit["scores"])):
        if differing := {who: (scores[who], other[who]) for who in other if abs(scores[who] - other[who]) > 1e-6}:
            raise BenchmarkError(f"the grader and {name} give different scores: {differing}")
    found = Round(
        Grading(FEW, their_few, n, their_many),
        Grading(n, our_few, many, our_many),
        Cost(limit["wall"], limit["cpu"]),
    )
    if min(found.nbgrader.steady.wall, found.ours.steady.wall) <= 0:
        raise BenchmarkError("a larger class took less time than a small one: leave the machine alone, or take more")
    return found


if __name__ == "__main__":
    typer.run(main)
