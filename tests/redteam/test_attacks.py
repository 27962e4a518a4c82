"""Every attack, in every sandbox: its honest score, nothing read, nothing left, and a report in plain words."""

from __future__ import annotations

import re

import breaking
import forging
import grinding
import pytest
import quotas
import reading
import showing
from attack import POINTS, Attack
from shooting_range import Range, plain

ATTACKS: list[Attack] = [
    *forging.ATTACKS,
    *reading.ATTACKS,
    *breaking.ATTACKS,
    *showing.ATTACKS,
    *grinding.ATTACKS,
    *quotas.ATTACKS,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.line:02}-{attack.name.replace(' ', '-')}")
def test_attack(shooting_range: Range, kind: str, attack: Attack) -> None:
    if kind in attack.not_on:
        pytest.skip(f"not applicable: {attack.not_on[kind]}")
    shooting_range.grader(kind)
    before = shooting_range.files()
    graded = shooting_range.grade(kind, attack)
    report = graded.report
    assert report.status == "graded", plain(report.error)
    points = {name: sum(check.points for check in report.cell(name)) for name in POINTS}
    assert report.score == attack.honest_points, plain([points, [check.message for check in report.checks]])
    assert shooting_range.leaked(graded) == []
    for name, pattern in attack.says.items():
        messages = [check.message for check in report.cell(name) if check.verdict != "pass"]
        assert any(re.search(pattern, message) for message in messages), plain(messages)
    if attack.repaired:
        assert any(re.search(attack.repaired, repair) for repair in report.repairs), report.repairs
    assert shooting_range.files() == before
    assert shooting_range.traces(kind) == []


def test_names_of_attacks_are_unique() -> None:
    names = [attack.name for attack in ATTACKS]
    assert sorted(set(names)) == sorted(names)
