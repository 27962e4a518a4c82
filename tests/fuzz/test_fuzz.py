"""New cases for every target, each target in a process of its own: none hangs, fills the memory or breaks a promise."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import subprocess
import sys
from collections.abc import Callable

import pytest
from campaign import BUILD, MEMORY, ROOT, current
from targets import SHARES

pytestmark = pytest.mark.fuzz
CAMPAIGN = "tests/fuzz/campaign.py"
PATIENCE = 1800
"""Seconds for a target: a hang of one case is found long before, by the target's process itself."""


@pytest.mark.parametrize("target", SHARES)
def test_fuzz(target: str, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    asked = math.ceil(request.config.getoption("--cases") * SHARES[target])
    seed = request.config.getoption("--fuzz-seed")
    seed = secrets.randbelow(10**9) if seed is None else seed
    command = [sys.executable, CAMPAIGN, target, "--cases", str(asked), "--seed", str(seed)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        case = current(target)
        kept = BUILD / f"{target}-{hashlib.sha256(case).hexdigest()[:12]}"
        kept.write_bytes(case)
        again = f"python {CAMPAIGN} {target} {kept.relative_to(ROOT)}"
        pytest.fail(
            f"exit code {done.returncode} with seed {seed}; again: {again}\n{done.stderr[-6000:]}", pytrace=False
        )
    told = json.loads(done.stdout.splitlines()[-1])
    record_property(
        "fuzz",
        (
            target,
            f"{told['cases']}",
            f"{told['drawn']}",
            f"{told['cases'] / told['seconds']:.0f}",
            f"{told['seconds']:.0f}",
            f"{told['cpu']:.0f}",
            f"{told['peak'] / 1e6:.0f}",
        ),
    )
    assert told["cases"] >= asked
    assert told["peak"] <= MEMORY
