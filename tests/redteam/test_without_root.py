"""bubblewrap started by a user without root: every attack again."""

from __future__ import annotations

import re
from collections.abc import Callable

import nobody
import pytest
import table

SUITE = ("test_attacks", "test_breaking", "test_reading", "test_walls_off", "test_gpu_attacks")


def test_every_attack_is_held_for_a_user_without_root(record_property: Callable[[str, object], None]) -> None:
    if reason := nobody.missing():
        pytest.skip(reason)
    code, said = nobody.pytest_as_nobody(
        *(f"tests/redteam/{name}.py" for name in SUITE),
        "--print-outcomes",
        seconds=1500, AUTOGRADER_REDTEAM="bwrap",
    )  # fmt: skip
    print(said)
    outcomes = table.printed(said)
    if failed := re.findall(r"^FAILED (\S+)", said, re.MULTILINE):  # a busy machine: what does not hold fails again
        code, said = nobody.pytest_as_nobody(*failed, "--print-outcomes", seconds=600, AUTOGRADER_REDTEAM="bwrap")
        print(said)
        outcomes |= table.printed(said)
    for (line, name), row in outcomes.items():
        record_property("attack", (line, name, "bwrap, no root", row["bwrap"]))
    assert code == 0, said
    assert " passed" in said
