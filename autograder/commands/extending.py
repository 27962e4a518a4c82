"""The command that extends due dates: `extend`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import examples
from autograder.console import out
from autograder.errors import UsageError
from autograder.table import aligned, plain

if TYPE_CHECKING:
    from autograder.jobs.extending import Extended
    from autograder.settings import Settings

EXAMPLES = examples(
    ("autograder extend ada convolution --by 2d", "two days later"),
    ("autograder extend ada convolution --until 2027-02-10", "at the end of that day"),
    ("autograder extend --list", "all extensions"),
)


def extend(
    student: Annotated[str | None, typer.Argument(help="whose due date")] = None,
    assignment: Annotated[str | None, typer.Argument(help="of which assignment")] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="the new due date: 2027-02-10 (its end) or 2027-02-10T12:00"),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="DURATION", help="how much later: 2d, 12h, 1w, 1d12h"),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="remove the extension")] = False,
    list_all: Annotated[
        bool, typer.Option("--list", help="list all extensions, or those of STUDENT, or those for ASSIGNMENT")
    ] = False,
) -> None:
    """Extend a due date for one student.

    An extension replaces an earlier one. The late penalty of a graded submission follows at once.
    """
    from autograder.access import kept_private
    from autograder.jobs import extending
    from autograder.settings import Settings

    settings = Settings.read()
    if sum((until is not None, by is not None, remove, list_all)) != 1:
        raise UsageError("expected one of --until TIME, --by DURATION, --remove and --list")
    if list_all:
        with kept_private(settings):
            found = extending.extensions(settings, student, assignment)
        _list(settings, found)
        return
    if student is None or assignment is None:
        raise UsageError("expected a student and an assignment, such as `autograder extend ada convolution --by 2d`")
    with kept_private(settings):
        if remove:
            done = extending.remove(settings, student, assignment)
        else:
            done = extending.grant(settings, student, assignment, until=until, by=by)
    _tell(settings, done)


def _tell(settings: Settings, done: Extended) -> None:
    from autograder.model.deadline import shown

    told = f"{done.student}: {done.assignment} is due {shown(done.until, settings.zone)}"
    if done.until > done.due:
        told += f" instead of {shown(done.due, settings.zone)}"
    if done.is_graded:
        told += f"; late penalty: {done.penalty:g} points"
    out.print(plain(told), highlight=False, markup=False, soft_wrap=True)


def _list(settings: Settings, found: list[Extended]) -> None:
    from autograder.model.deadline import shown

    rows = [
        (each.student, each.assignment, shown(each.due, settings.zone), shown(each.until, settings.zone))
        for each in found
    ]
    if not rows:
        out.print("no extensions")
    for line in aligned([("student", "assignment", "due", "extended to"), *rows]) if rows else ():
        out.print(line, highlight=False, markup=False, soft_wrap=True)
