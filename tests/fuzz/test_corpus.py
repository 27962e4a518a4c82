"""Every case that ever found something, and some that are sound, once more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from campaign import CORPUS, ROOT
from targets import SHARES


@pytest.mark.parametrize("target", SHARES)
def test_the_kept_cases(target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert any(not path.name.startswith("found-") for path in files), "no seed: mutation has nothing to begin with"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "tests/fuzz/campaign.py", target, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_target_has_a_share_and_a_corpus() -> None:
    modules = {path.stem for path in (CORPUS.parent / "targets").glob("[a-z]*.py")}
    assert modules == set(SHARES) == {path.name for path in CORPUS.iterdir()}
    assert abs(sum(SHARES.values()) - 1) < 1e-9
