"""scripts/install-docker.sh: it does only what is missing, and never fails: tried with stand-ins for every program."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install-docker.sh"
DOCKER = 'if [ -e "$RUNNING" ]; then echo 99.0; else exit 1; fi'
START = ': > "$RUNNING"'


@pytest.fixture
def run(tmp_path):
    """`run({"program": "script"})`: the script's output, with these programs beside the shell's usual ones."""

    def run(programs, **environment):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("sh", "env", "mktemp", "rm", "sleep", "tail", "setsid"):
            (folder / name).symlink_to(
                next(Path(each) / name for each in ("/bin", "/usr/bin") if (Path(each) / name).exists())
            )
        for name, text in {"id": "echo 0", "docker": DOCKER, **programs}.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        settings = {"PATH": str(folder), "RUNNING": str(tmp_path / "running"), "DOCKERD_LOG": str(tmp_path / "log")}
        done = subprocess.run(
            ["/bin/sh", SCRIPT],
            env={**settings, "DOCKERD_SECONDS": "2", "TMPDIR": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


def test_an_engine_that_answers_is_left_alone(run):
    assert run({"docker": "echo 99.0", "dockerd": "exit 1"}) == "docker: engine 99.0 answers\n"


def test_another_engine_is_not_started_where_one_was_named(run):
    said = run({"dockerd": START}, DOCKER_HOST="tcp://engine:2375")
    assert "tcp://engine:2375" in said
    assert "answers" not in said.replace("nothing answers", "")


def test_one_that_is_installed_is_started(run):
    said = run({"dockerd": START, "systemctl": START})
    assert "starting" in said
    assert said.endswith("docker: engine 99.0 answers\n")


def test_one_that_is_missing_is_installed_first(run, tmp_path):
    install = f"""case "$*" in *install*)
        printf '#!/bin/sh\\n: > "$RUNNING"\\n' > {tmp_path}/bin/dockerd
        /bin/chmod +x {tmp_path}/bin/dockerd
    esac"""
    said = run({"apt-get": install, "apt-cache": "exit 1", "systemctl": START})
    assert "installing docker.io, iptables and mmdebstrap" in said
    assert said.endswith("docker: engine 99.0 answers\n")


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        ({"id": "echo 1000", "sudo": "exit 1"}, "only root"),
        ({}, "no apt-get"),
        ({"apt-get": "echo 'E: no network' >&2; exit 100"}, "E: no network"),
        ({"dockerd": "echo 'no permission to mount'", "systemctl": "exit 1"}, "no engine here"),
        ({"docker": "exit 1", "dockerd": "exit 1", "id": "echo 1000", "sudo": "exit 1"}, "none answers to this user"),
    ],
)
def test_where_it_cannot_be_done_it_says_why(run, programs, reason):
    said = run(programs)
    assert reason in said
    assert said.endswith("`make doctor` says so\n")


def test_the_script_can_be_run():
    assert os.access(SCRIPT, os.X_OK)
