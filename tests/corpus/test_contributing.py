"""The worked example of CONTRIBUTING.md is a whole assignment: as it stands there, it passes the audit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COURSE = '[course]\nid = "example"\ntitle = "An example"\n'
FILE = re.compile(r"^```(?:python|toml)\n# ((?:solutions|course)/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path):
    """A project with no assignment but the one that the document spells out."""
    files = FILE.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert files
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "__init__.py").touch()
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(COURSE + text if path.suffix == ".toml" else text)
    return tmp_path


def autograder(project, *arguments):
    environment = {**os.environ, "AUTOGRADER_ROOT": str(project), "PYTHONPATH": f"{project}:{ROOT}", "COLUMNS": "200"}
    command = [sys.executable, "-m", "autograder.cli", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_example_is_released_and_passes_the_audit(project):
    released = autograder(project, "release", "pooling")
    assert released.returncode == 0, released.stderr
    assert (project / "assignments" / "pooling" / "pooling.ipynb").is_file()

    audited = autograder(project, "audit", "pooling", "--sandbox", "none")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "mutation score 3/3 killed, 3/3 with their own hint" in audited.stdout
