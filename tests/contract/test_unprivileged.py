"""bubblewrap without root: the same suite, run by the user `nobody`, where root can arrange that."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxed import REPOSITORY

from autograder.sandbox.bwrap import executable

NOBODY = 65534


def closed_ancestor(path):
    """The first folder above `path` that other users may not enter."""
    return next((parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001), None)


def open_to_everyone(*paths):
    """bwrap's arguments for a view of this machine in which anyone can reach `paths`, wherever they lie."""
    arguments = ["--dev-bind", "/", "/"]
    closed = {path: closed_ancestor(path) for path in paths}
    for ancestor in {each for each in closed.values() if each is not None}:
        arguments += ["--perms", "0755", "--tmpfs", str(ancestor)]
    for path, ancestor in closed.items():
        if ancestor is not None:
            for parent in reversed(path.relative_to(ancestor).parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(ancestor / parent)]
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


@pytest.mark.skipif(os.geteuid() != 0, reason="the suite runs without root already")
@pytest.mark.skipif(executable() is None, reason="bwrap is not installed")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_the_contract_holds_for_a_user_without_root():
    with tempfile.TemporaryDirectory(prefix="nobody-") as folder:
        Path(folder).chmod(0o700)
        os.chown(folder, NOBODY, NOBODY)
        view = open_to_everyone(Path(sys.prefix), Path(sys.base_prefix), REPOSITORY)
        command = [executable(), *view, "--chdir", str(REPOSITORY), "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}"]
        command += ["--clear-groups", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract"]
        command += ["-k", "not torch"]  # warm and slow, and no different without root
        environment = {
            **os.environ,
            "AUTOGRADER_CONTRACT": "bwrap",
            "AUTOGRADER_RUN": f"{folder}/run",
            "HOME": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    print(done.stdout[-5000:])
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
