"""Commands that hand results out: `feedback` pages and `export` of all scores."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import NamesArgument, StudentsOption, examples, expect_folder, write_text
from autograder.console import count, err, listed, note, progress, say, tell_restored
from autograder.errors import UsageError
from autograder.gradebook.names import meant

if TYPE_CHECKING:
    from autograder.model.assignment import Assignment
    from autograder.settings import Settings

FEEDBACK_EXAMPLES = examples(
    ("autograder feedback", "pages for everything that is graded"),
    ("autograder feedback convolution --student ada", "one page"),
)
EXPORT_EXAMPLES = examples(
    ("autograder export", "all scores to scores.csv"),
    ("autograder export convolution --to convolution.csv", "one assignment"),
    ("autograder export --to - | head", "to standard output"),
)


def feedback(names: NamesArgument = None, student: StudentsOption = None) -> None:
    """Make feedback pages with nbgrader's own generator: course/feedback/STUDENT/NAME/NAME.html.

    Without a name: every assignment with graded submissions, in the course's order.
    """
    err.print("loading nbgrader, which takes some seconds", style="dim")
    from autograder.access import kept_private
    from autograder.commands.several import each
    from autograder.gradebook.pages import generate, graded
    from autograder.jobs import restoring
    from autograder.jobs.plan import chosen
    from autograder.settings import Settings

    settings = Settings.read()
    with kept_private(settings) as access:
        assignments = chosen(settings, names or ())

        def restore(assignment: Assignment, _: str) -> bool:
            restored = restoring.restore_recorded(settings, assignment)
            for whose, reason in restored.failed.items():
                note("look at", f"{assignment.name}: {whose}: {reason}", "yellow")
            return tell_restored(restored)

        well = each(assignments, restore)
        found = {assignment.name: graded(settings.course_folder, assignment.name) for assignment in assignments}
        pages_of = {name for students in found.values() for name in students}
        student = [meant(asked, pages_of) for asked in student or ()]
        without = sorted({*student} - pages_of)
        if not any(found.values()) or (student and not pages_of & {*student}):
            raise _not_graded(settings, [*found], without)
        wanted = {name: [who for who in students if not student or who in student] for name, students in found.items()}
        if empty := [name for name, students in wanted.items() if not students]:
            say(f"nothing graded for: {', '.join(empty)}")

        def work(assignment: Assignment, label: str) -> bool:
            name = assignment.name
            with progress(label) as (advance, starting):
                starting("feedback")
                pages, failed = generate(
                    settings.course_folder, settings.db_url, name, settings.course_id, wanted[name],
                    lambda done, total: advance(done, total, None, True), mode=access.file,
                )  # fmt: skip
            told = f"{count(len(pages), 'page')}: {settings.course_folder / 'feedback'}/<student>/{name}/{name}.html"
            say(told)
            for whose, reason in failed.items():
                note("no page", f"{name}: {whose}: {reason}")
            return not failed

        if not (each([assignment for assignment in assignments if wanted[assignment.name]], work) and well):
            well = False
        if without:
            raise _not_graded(settings, [*found], without)
        if not well:
            raise typer.Exit(1)


def _not_graded(settings: Settings, assignments: Sequence[str], students: Sequence[str]) -> UsageError:
    """The error for students without a graded submission of any of the assignments; for all where none is named."""
    from autograder.jobs import roll

    command = f"autograder grade {assignments[0]}" if len(assignments) == 1 else "autograder grade"
    there = roll.known(settings) if students else set[str]()
    known = [student for student in students if meant(student, there) in there]
    told = [roll.no_student(settings, student, there) for student in students if student not in known]
    if known or not students:
        whose = f"nothing of {listed(known)}" if known else "nothing"
        told.append(f"{whose} is graded yet for {' or '.join(assignments)}: run `{command}` first")
    return UsageError("; ".join(told))


def export(
    names: NamesArgument = None,
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="the file to write; - is standard output")
    ] = "scores.csv",
) -> None:
    """Write all scores as one CSV: a row for each student and assignment, a column for each exercise and check.

    Manual points and lateness are in the score. Students who have not handed in have a row without one.
    """
    from autograder.access import kept_private
    from autograder.jobs.export import as_csv, scores_table
    from autograder.jobs.plan import chosen
    from autograder.settings import Settings

    settings = Settings.read()
    path = None if to == "-" else Path(to)
    expect_folder(path)
    with kept_private(settings) as access:
        table = scores_table(settings, chosen(settings, names or ()))
        text = as_csv(table)
        if path is None:
            sys.stdout.write(text)
            return
        write_text(path, "\N{BYTE ORDER MARK}" + text, access)
    say(f"{count(len(table.rows), 'row')}: {path}")
