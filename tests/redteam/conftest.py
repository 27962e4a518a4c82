"""The range, the sandboxes of this machine, and the table attack x sandbox that the suite ends with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import table
from shooting_range import KINDS, Range, canary

PLACES = ("solutions", "gradebook", "environment", "neighbour", "memory")
CHOSEN = os.environ.get("AUTOGRADER_REDTEAM")
"""One sandbox alone, where it is set."""
OUTCOMES = pytest.StashKey[table.Outcomes]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, help="write what held, and where, to this file")
    parser.addoption("--pages", action="store_true", help="write the table into README.md and docs/security.md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if "attack" in parameters and (report.when == "call" or report.outcome != "passed"):
        row = item.config.stash[OUTCOMES].setdefault((parameters["attack"].line, parameters["attack"].name), {})
        row[parameters["kind"]] = table.outcome(report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    outcomes = session.config.stash[OUTCOMES]
    if path := session.config.getoption("--outcomes"):
        table.save(outcomes, path)
    if session.config.getoption("--pages"):
        table.write(outcomes)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if outcomes := config.stash[OUTCOMES]:
        terminalreporter.section("attacks")
        terminalreporter.write(table.rendered(outcomes))


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> table.Outcomes:
    """What held so far: a run as another user adds its column."""
    return request.config.stash[OUTCOMES]


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
