"""A Dask cluster of its own processes, secured as docs/cluster.md says: who has the certificate grades there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client
from distributed.security import Security
from small_course import SmallCourse

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    made = SmallCourse(tmp_path, "alpha")
    made.hand_in("ada", "alpha")
    return made


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's certificate and configuration, in a folder that Dask reads."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path / "dask"
    folder.mkdir(mode=0o700)
    [command] = re.findall(r"^\$ (\(umask 077; openssl .*\))$", PAGE, re.MULTILINE)
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, capture_output=True)
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "distributed.yaml").write_text(re.sub(r"/\S+/tls/", f"{folder}/", text))
    monkeypatch.setenv("DASK_CONFIG", str(folder))
    return folder


@pytest.fixture
def address(configuration: Path, course: SmallCourse) -> Iterator[str]:
    """Of a scheduler that has a worker."""
    with ExitStack() as stack:

        def start(program: str, *arguments: str) -> None:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"]
            process = stack.enter_context(
                subprocess.Popen(command, cwd=course.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            stack.callback(process.terminate)

        told = configuration / "scheduler.json"
        start(
            "dask_scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told)
        )
        start(
            "dask_worker", "--scheduler-file", str(told), "--nthreads", "1", "--memory-limit", "0",
            "--local-directory", str(configuration),
        )  # fmt: skip
        certificate, key = (str(configuration / name) for name in ("cert.pem", "key.pem"))
        security = Security(tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key)
        with Client(scheduler_file=str(told), security=security, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        yield json.loads(told.read_text())["address"]


def test_submissions_are_graded_on_a_cluster_over_tls(course: SmallCourse, address: str) -> None:
    assert address.startswith("tls://")
    code, out, err = course.grade("--scheduler", address)
    assert (code, "1 of 1 graded (1 now, 0 before)" in out) == (0, True), err


def test_who_has_no_certificate_is_told_what_to_do(course: SmallCourse, address: str, tmp_path: Path) -> None:
    nothing = str(tmp_path / "nothing")
    code, _, err = course.grade("--scheduler", address, DASK_CONFIG=nothing)
    assert (code, "docs/cluster.md" in err, "Traceback" in err) == (2, True, False), err
    code, _, err = course.grade("--scheduler", address.replace("tls://", "tcp://"), DASK_CONFIG=nothing)
    assert (code, "no Dask scheduler answers" in err, "Traceback" in err) == (2, True, False), err


def test_a_scheduler_of_another_machine_without_tls_is_refused_before_anything_is_done(course: SmallCourse) -> None:
    code, _, err = course.grade("--scheduler", "tcp://192.0.2.1:8786")
    assert (code, "--insecure-scheduler" in err) == (2, True), err
    assert not (course.root / "course" / "gradebook.db").exists()
