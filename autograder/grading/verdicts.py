"""Turn what the checks found into verdicts: with hints, and with what else explains a failure."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.checks.diagnosis import Outcome
from autograder.checks.draw import Attempt
from autograder.checks.suite import NOT_COUNTED, Check, Suite
from autograder.checks.upstream import failing_names, told, upstream
from autograder.errors import CheckerError, StudentFailure
from autograder.grading.cells import broken_cells, exercises, explained_by
from autograder.grading.judge import Judged
from autograder.kernel.session import Execution
from autograder.model.report import CheckResult


@dataclass(frozen=True, slots=True)
class Run:
    """What came out of the kernel: the notebook with its outputs, and what the checks found."""

    execution: Execution
    judged: Judged
    walls: tuple[str, ...]
    versions: dict[str, str]
    """Of Python and the packages, as the zygote says."""

    @property
    def software(self) -> str:
        """The versions in one line."""
        return ", ".join(f"{'Python' if name == 'python' else name} {each}" for name, each in self.versions.items())

    def results(self, suite: Suite, attempt: Attempt, skew: str = "") -> tuple[CheckResult, ...]:
        """The verdicts, with hints.

        `skew` says with which versions of Python it was written and is graded, where they differ.

        Raises:
            CheckerError: a mistake of the assignment raised.
        """
        ran = {item: outcome for item, outcome in self.judged.outcomes.items() if isinstance(outcome, Outcome)}
        failed = {item: outcome for item, outcome in ran.items() if outcome.failed}
        try:
            hints = suite.diagnose(failed, attempt)
        except CheckerError:
            raise
        except Exception as error:
            raise CheckerError(f"a mistake of {suite.assignment} raised {error!r}\n{traceback.format_exc()}") from error
        causes = broken_cells(self.execution, skew)
        results = []
        for item, outcome in self.judged.outcomes.items():
            if isinstance(outcome, StudentFailure):
                results.append(fail(item, outcome))
                continue
            result = suite.result(item, outcome, hints.get(item.name))
            if result.cause == "missing" and item.cell in causes:
                result = fail(item, causes[item.cell])
            elif result.cause == "exception":
                result = replace(result, message=explained_by(skew, result.message))
            results.append(result)
        return self._with_upstream(suite.counted(results))

    def _with_upstream(self, results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
        """The verdicts; the message of one without a hint names what it builds on, where that fails itself."""
        called: dict[str, list[set[str]]] = {}
        for item, outcome in self.judged.outcomes.items():
            if isinstance(outcome, Outcome) and outcome.failed:
                called.setdefault(item.cell, []).append(outcome.record.functions)
        cells = self.execution.notebook.cells
        found = exercises(self.execution.notebook)
        sources = {name: [cells[position].source for position in positions] for name, positions in found.items()}
        helpers = [cell.source for cell in cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
        blamed = upstream(sources, helpers, failing_names(sources, called)) if len(called) > 1 else {}
        return tuple(
            replace(result, message=f"{result.message}. {told(blamed[result.cell])}")
            if result.cell in blamed and result.verdict == "fail" and _is_wrong(result) and not result.hint
            else result
            for result in results
        )


def _is_wrong(result: CheckResult) -> bool:
    """Whether a check failed for what the student's function does."""
    return result.cause != "forbidden" and result.message != NOT_COUNTED


def fail(item: Check, failure: StudentFailure) -> CheckResult:
    """The verdict of a check that could not run, or need not."""
    return CheckResult(
        item.name,
        item.cell,
        item.points,
        "fail",
        failure.cause,
        failure.message,
        title=item.title,
        detail=failure.detail,
    )
