"""The range, the sandboxes of this machine, and the table attack x sandbox that the suite ends with."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import table
from shooting_range import KINDS, Range, canary

PLACES = ("solutions", "gradebook", "environment", "neighbour", "memory")
CHOSEN = os.environ.get("AUTOGRADER_REDTEAM")
"""One sandbox alone, where it is set."""
OUTCOMES: table.Outcomes = {}
"""Of this process's tests and its workers'."""
USAGE = [0, 0.0]
"""Of the processes that graded: the most memory, and the most processor time for one submission."""


def pytest_configure() -> None:
    if CHOSEN not in {None, *KINDS}:
        raise pytest.UsageError(f"AUTOGRADER_REDTEAM={CHOSEN}: there is no such sandbox; expected {' or '.join(KINDS)}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--print-outcomes", action="store_true", help="end with what held, and where, for a program")
    parser.addoption("--pages", action="store_true", help="write the table into README.md and docs/security.md")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.redteam)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if {"attack", "kind"} <= parameters.keys() and (report.when == "call" or report.outcome != "passed"):
        attack = parameters["attack"]
        if (used := getattr(item, "funcargs", {}).get("shooting_range")) is not None:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            report.user_properties.append(("usage", (peak, used.longest)))
        report.user_properties.append(("attack", (attack.line, attack.name, parameters["kind"], table.outcome(report))))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties:
        if name == "usage":
            USAGE[:] = map(max, USAGE, value)
        if name == "attack":
            line, attack, kind, outcome = value
            row = OUTCOMES.setdefault((line, attack), {})
            if row.get(kind) != table.LOST:  # several tests may try the same attack: each has to hold
                row[kind] = outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--pages") and not hasattr(session.config, "workerinput"):
        table.write(OUTCOMES)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if OUTCOMES:
        terminalreporter.section("attacks")
        terminalreporter.write(table.rendered(OUTCOMES))
        peak, seconds = USAGE
        terminalreporter.line(f"the grader: {peak / 1e6:.0f} MB at its peak, {seconds:.1f} s of CPU for one submission")
        if config.getoption("--print-outcomes"):
            terminalreporter.write(table.told(OUTCOMES))


@pytest.fixture(scope="session")
def shooting_range(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    """The course, its slots and its canaries: one lies in the environment, one in this process's memory."""
    canaries = {place: canary(place) for place in PLACES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SECRET", canaries["environment"])
        patch.delenv("AUTOGRADER_ROOT", raising=False)
        made = Range.build(tmp_path_factory.mktemp("range"), canaries)
        yield made
        made.close()


@pytest.fixture(
    params=[pytest.param(k, marks=[pytest.mark.docker] * (k == "docker")) for k in KINDS if CHOSEN in {None, k}]
)
def kind(request: pytest.FixtureRequest) -> str:
    """Each sandbox with walls that this machine has."""
    if (reason := KINDS[request.param]().missing()) is not None:
        pytest.skip(f"{request.param}: {reason}")
    return request.param
