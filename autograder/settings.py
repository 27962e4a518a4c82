"""The course's settings: one frozen object, read once from `course/course.toml`."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    field_validator,
    model_validator,
)

from autograder.course_secret import secret_of
from autograder.errors import UsageError
from autograder.misconfigured import line_of, listed, wrong
from autograder.model import deadline
from autograder.model.assignment import Assignment, Limits, Profile, Runner

MIB = 2**20
SHORT = {
    "np": "numpy", "plt": "matplotlib.pyplot", "pd": "pandas", "sp": "scipy", "nn": "torch.nn",
    "F": "torch.nn.functional", "tf": "tensorflow", "pl": "pytorch_lightning",
}  # fmt: skip
"""What people call modules; a notebook may call them anything."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CourseTable(_Table):
    """`[course]`: what the course is called, in which time zone it is held, and who may read what it keeps."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    title: str
    timezone: str = "UTC"
    group: str = ""

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            deadline.zone(name)
        except ValueError as error:
            close = get_close_matches(name, available_timezones(), 1)
            raise ValueError(f"{error}; did you mean {close[0]}?" if close else str(error)) from None
        return name


class LateTable(_Table):
    """`[late]`: nbgrader's late policies, or a fixed penalty a day."""

    method: Literal["none", "zero", "per_day"] = "none"
    points_per_day: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _takes_something(self) -> LateTable:
        if self.method == "per_day" and not self.points_per_day:
            raise ValueError("per_day takes nothing without points_per_day")
        return self


class GradebookTable(_Table):
    """`[gradebook]`: how long to wait for a database that somebody else is writing to."""

    wait_seconds: float = Field(default=30.0, ge=0)


class LimitsTable(_Table):
    """`[limits]`, for all assignments, or `limits` of one.

    Seconds do not count the time in which the code waits for a processor; sizes are in MiB and KiB.
    """

    cell_seconds: float | None = Field(default=None, gt=0)
    call_seconds: float | None = Field(default=None, gt=0)
    total_seconds: float | None = Field(default=None, gt=0)
    memory_mb: int | None = Field(default=None, ge=128)
    processes: int | None = Field(default=None, ge=8)
    disk_mb: int | None = Field(default=None, ge=1)
    output_kb: int | None = Field(default=None, ge=1)
    answer_mb: int | None = Field(default=None, ge=1, le=192)
    answer_depth: int | None = Field(default=None, ge=1, le=24)
    answer_parts: int | None = Field(default=None, ge=1, le=100_000)
    notebook_mb: int | None = Field(default=None, ge=1)
    gpu_memory_mb: int | None = Field(default=None, ge=64)

    def over(self, base: Limits) -> Limits:
        """`base` with what this table sets."""
        return Limits(
            cell_seconds=self.cell_seconds or base.cell_seconds,
            call_seconds=self.call_seconds or base.call_seconds,
            total_seconds=self.total_seconds or base.total_seconds,
            memory_bytes=self.memory_mb * MIB if self.memory_mb else base.memory_bytes,
            processes=self.processes or base.processes,
            disk_bytes=self.disk_mb * MIB if self.disk_mb else base.disk_bytes,
            output_bytes=self.output_kb * 1024 if self.output_kb else base.output_bytes,
            answer_bytes=self.answer_mb * MIB if self.answer_mb else base.answer_bytes,
            answer_depth=self.answer_depth or base.answer_depth,
            answer_parts=self.answer_parts or base.answer_parts,
            notebook_bytes=self.notebook_mb * MIB if self.notebook_mb else base.notebook_bytes,
            gpu_memory_bytes=self.gpu_memory_mb * MIB if self.gpu_memory_mb else base.gpu_memory_bytes,
        )

    @classmethod
    def of(cls, pairs: Sequence[str]) -> LimitsTable:
        """The table that `NAME=VALUE` pairs make: what a command sets for one run.

        Raises:
            UsageError: no such limit, or no such value.
        """
        table = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise UsageError(f"--limit {pair}: expected NAME=VALUE, for example call_seconds=20")
            table[name.strip()] = value.strip()
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            where, told = wrong(error.errors()[0], _names())
            raise UsageError(f"--limit {where}={table[where]}: {told}") from error


class SandboxTable(_Table):
    """`[sandbox]`: how slots are used. A command's options go before it."""

    slot_lifetime: int = Field(default=200, ge=1)
    gpus: str = "all"
    slots_per_gpu: int = Field(default=1, ge=1)


def _date_or_time(value: object) -> date | datetime:
    """A due date as TOML has it: an offset or local date-time, or a local date.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return deadline.read(value)
    if not isinstance(value, date):
        raise ValueError(f"expected {deadline.FORMS}, found {value!s:.80}")  # noqa: TRY004 - pydantic reports a ValueError
    return value


class AssignmentTable(_Table):
    """`[[assignments]]`: one assignment, in the course's order."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    profile: Profile
    points: float = 100.0
    due: Annotated[date | datetime, PlainValidator(_date_or_time)] | None = None
    forbidden: tuple[str, ...] = ()
    limits: LimitsTable = LimitsTable()
    runner: Runner = "cpu"
    needs_gpu: bool = False

    @field_validator("forbidden")
    @classmethod
    def _are_whole_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            first, *rest = name.split(".")
            if not all(part.isidentifier() for part in (first, *rest)):
                raise ValueError(f"{name!r} is no dotted name, such as numpy.convolve")
            if first in SHORT:
                raise ValueError(f"{name!r}: write {SHORT[first]}{name.removeprefix(first)}")
        return names

    @model_validator(mode="after")
    def _can_use_a_gpu(self) -> AssignmentTable:
        if self.needs_gpu and self.runner != "gpu":
            raise ValueError('needs_gpu needs runner = "gpu"')
        if self.runner == "gpu" and self.profile != "torch":
            raise ValueError('runner = "gpu" needs profile = "torch"')
        return self


class _Course(_Table):
    course: CourseTable
    late: LateTable = LateTable()
    gradebook: GradebookTable = GradebookTable()
    limits: LimitsTable = LimitsTable()
    sandbox: SandboxTable = SandboxTable()
    assignments: tuple[AssignmentTable, ...]

    @model_validator(mode="after")
    def _are_due_in_a_possible_year(self) -> _Course:
        for assignment in self.assignments:
            try:
                if assignment.due is not None:
                    deadline.moment(assignment.due, deadline.zone(self.course.timezone))
            except ValueError as error:
                raise ValueError(f"{assignment.name}: due: {error}") from None
        return self

    @field_validator("assignments")
    @classmethod
    def _have_names_of_their_own(cls, assignments: tuple[AssignmentTable, ...]) -> tuple[AssignmentTable, ...]:
        for name, number in Counter(each.name for each in assignments).items():
            if number > 1:
                raise ValueError(f"{number} of them are named {name!r}")
        return assignments


def _names() -> set[str]:
    """The names of all settings."""
    tables = (_Course, CourseTable, LateTable, GradebookTable, LimitsTable, SandboxTable, AssignmentTable)
    return {field for table in tables for field in table.model_fields}


class Settings(_Table):
    """Where things are and what the course says.

    `secret` seeds the hidden inputs and never enters a sandbox.
    """

    root: Path
    title: str
    course_id: str
    timezone: str
    group: str
    late: LateTable
    gradebook: GradebookTable
    sandbox: SandboxTable
    assignments: tuple[Assignment, ...]
    db_url: str

    @classmethod
    def read(cls, root: Path | str | None = None, limits: Sequence[str] = ()) -> Settings:
        """The settings of the project in `root` (else in $AUTOGRADER_ROOT, the working folder or a parent).

        `limits`, `NAME=VALUE` each, go before those of the course and of its assignments.

        Raises:
            UsageError: no course.toml there, or something in it or in `limits` is wrong; says where.
        """
        root = _find_root(root)
        path = root / "course" / "course.toml"
        content = path.read_bytes()
        data: dict[str, Any] = {}
        try:
            data = tomllib.loads(content.decode())
            table = _Course.model_validate(data)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not TOML: {error}{line_of(error, content)}") from error
        except ValidationError as error:
            raise UsageError(f"{path}: {listed(wrong(each, _names(), data) for each in error.errors())}") from error
        where = deadline.zone(table.course.timezone)
        base, over = table.limits.over(Limits()), LimitsTable.of(limits)
        return cls(
            root=root,
            title=table.course.title,
            course_id=table.course.id,
            timezone=table.course.timezone,
            group=table.course.group,
            late=table.late,
            gradebook=table.gradebook,
            sandbox=table.sandbox,
            db_url=os.environ.get("AUTOGRADER_DB_URL", f"sqlite:///{root / 'course' / 'gradebook.db'}"),
            assignments=tuple(
                Assignment(
                    a.name,
                    a.title,
                    a.points,
                    a.profile,
                    None if a.due is None else deadline.moment(a.due, where),
                    a.forbidden,
                    over.over(a.limits.over(base)),
                    a.runner,
                    a.needs_gpu,
                )
                for a in table.assignments
            ),
        )

    @property
    def course_folder(self) -> Path:
        """The course root of nbgrader: submitted/, autograded/, feedback/, gradebook.db."""
        return self.root / "course"

    @property
    def zone(self) -> tzinfo:
        """The time zone of the course."""
        return deadline.zone(self.timezone)

    @property
    def secret(self) -> str:
        """The course's secret: see `autograder.course_secret.secret_of`.

        Raises:
            UsageError: it is empty, or short enough to be guessed.
        """
        return secret_of(self.course_folder)

    def assignment(self, name: str) -> Assignment:
        """The assignment called `name`.

        Raises:
            UsageError: the course has none; says which it has.
        """
        for assignment in self.assignments:
            if assignment.name == name:
                return assignment
        known = [assignment.name for assignment in self.assignments]
        close = get_close_matches(name, known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f"no assignment {name!r} in course.toml; it has: {', '.join(known)}{meant}")


def _find_root(root: Path | str | None) -> Path:
    if root is None:
        root = os.environ.get("AUTOGRADER_ROOT")
    candidates = [Path(root).resolve()] if root is not None else [Path.cwd(), *Path.cwd().parents]
    for folder in candidates:
        if (folder / "course" / "course.toml").is_file():
            return folder
    where = f"{candidates[0]} or above" if root is None else f"{candidates[0]}"
    raise UsageError(f"no course/course.toml in {where}: run this in the project's folder, or set AUTOGRADER_ROOT")
