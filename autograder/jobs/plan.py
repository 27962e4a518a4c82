"""Plan of a run over several assignments: which have submissions, in the course's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.errors import UsageError
from autograder.gradebook.names import shown
from autograder.jobs import roll
from autograder.model.assignment import Assignment
from autograder.notebooks.releases import Releases
from autograder.settings import Settings
from autograder.submissions.collect import collect, submitters


@dataclass(frozen=True, slots=True)
class Plan:
    """The assignments to work on, those without submissions, and the students asked for who have none (`missing`)."""

    assignments: tuple[Assignment, ...]
    empty: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def chosen(settings: Settings, names: Sequence[str]) -> tuple[Assignment, ...]:
    """The assignments called `names`, each once and in the course's order; all of the course where none is named.

    Raises:
        UsageError: the course has no assignment of a name.
    """
    for name in names:
        settings.assignment(name)
    return tuple(assignment for assignment in settings.assignments if not names or assignment.name in names)


def plan(settings: Settings, names: Sequence[str], students: Sequence[str] = ()) -> Plan:
    """Plan to grade `names` (all of the course where none is named) for `students` (all where none is named).

    Raises:
        UsageError: an unknown assignment; no submission at all.
    """
    assignments = chosen(settings, names)
    releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])
    found: list[Assignment] = []
    unknown = {*students}
    for assignment in assignments:
        if not students:
            there = bool(submitters(settings.course_folder, assignment, releases))
        else:
            collected = collect(settings.course_folder, assignment, releases, students)
            there = bool(collected.submissions or collected.held)
            unknown &= {*collected.missing}
        if there:
            found.append(assignment)
    if not found:
        raise expected(settings, [each.name for each in assignments], sorted(unknown))
    return Plan(tuple(found), tuple(each.name for each in assignments if each not in found), tuple(sorted(unknown)))


def expected(
    settings: Settings, names: Sequence[str], missing: Sequence[str] = (), warnings: Sequence[str] = ()
) -> UsageError:
    """The error for assignments without submissions, or without one of the `missing` students: where one was expected.

    `warnings` are what is wrong with what lies there; the first ones are told too.
    """
    one = names[0] if len(names) == 1 else "<assignment>"
    folder = settings.course_folder / "submitted"
    if missing:
        who = ", ".join(map(shown, missing))
        told = f"no submission of {who} for {' or '.join(names)}: expected a folder {folder}/<student>/{one}/"
        there = roll.known(settings)
        unknown = [roll.no_student(settings, student, there) for student in missing if student not in there]
        return UsageError("; ".join([told, *unknown]))
    if not folder.is_dir():
        return UsageError(
            f"nothing to grade: there is no folder {folder}: `nbgrader collect` or `nbgrader zip_collect` (in course/) "
            f"makes it, or make it and put notebooks at <student>/{one}/{one}.ipynb in it"
        )
    where = folder / "<student>" / one
    told = f"nothing to grade: expected {one}.ipynb in {where}/ (nbgrader collect puts it there)"
    told += f", of {', '.join(names)}" if len(names) > 1 else ""
    return UsageError(told + "".join(f"; {warning}" for warning in warnings[:3]))
