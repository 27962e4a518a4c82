"""Assignments for GPUs, on a machine without one, or with one that cannot be used: what waits, what is said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.jobs import cluster
from autograder.settings import Settings

HERE = Path(__file__).parents[2]
GPU = {"uuid": "GPU-0", "name": "Fake H0"}


@pytest.fixture
def course(project: Path) -> Path:
    """A course folder with one assignment, for GPUs, and one right submission of it."""
    write(project, "needs_gpu = true")
    task = Task.load(Settings.read(project).assignment("output_sizes"), HERE, "secret")
    folder = project / "course" / "submitted" / "ada" / "output_sizes"
    folder.mkdir(parents=True)
    (folder / "output_sizes.ipynb").write_text(json.dumps(specimens.right(task)))
    return project


def write(course: Path, more: str) -> None:
    (course / "course" / "course.toml").write_text(f"""
        [course]
        id = "gpu"
        title = "On GPUs"

        [[assignments]]
        name = "output_sizes"
        title = "Sizes"
        profile = "torch"
        runner = "gpu"
        {more}
    """)


def run(course: Path, *arguments: str, gpus: list[dict[str, object]] | None = None) -> tuple[int, str, str]:
    """A command on a machine with these GPUs, as NVML says; None is a machine without a driver."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments],
        cwd=course,
        env={
            **os.environ, "AUTOGRADER_ROOT": str(course), "COLUMNS": "200", "FAKE_GPUS": json.dumps(gpus),
            "PYTHONPATH": os.pathsep.join([str(HERE / "tests" / "nvml"), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def grade(course: Path, *more: str, gpus: list[dict[str, object]] | None = None) -> tuple[int, str, str]:
    return run(course, "grade", "output_sizes", "--sandbox", "none", "--json", "r.json", *more, gpus=gpus)


def test_what_needs_a_gpu_waits_where_there_is_none(course: Path) -> None:
    code, out, err = grade(course)
    assert code == 0, err
    assert re.search(r"^ada +queued .* output_sizes needs a GPU, and this machine has none", out, re.MULTILINE), out
    assert "0 of 1 graded" in out
    assert "queued: 1 submission of 1: output_sizes needs a GPU, and this machine has none; run the same command" in err
    [report] = json.loads((course / "r.json").read_text())
    assert (report["status"], report["score"], report["checks"]) == ("queued", 0, [])
    code, out, err = grade(course, "--gpus", "none", gpus=[GPU])
    assert "none may be used" in err
    code, out, err = run(course, "audit", "output_sizes", "--sandbox", "none")
    assert (code, "not audited: output_sizes needs a GPU" in err) == (0, True), err
    notebook = "course/submitted/ada/output_sizes/output_sizes.ipynb"
    code, out, err = run(course, "check", notebook, "-a", "output_sizes", "--sandbox", "none")
    assert (code, "output_sizes needs a GPU, and there is none to use here" in err) == (2, True), err

    write(course, "")  # it can do without
    code, out, err = grade(course)
    assert (code, "1 of 1 graded (1 now, 0 before)" in out) == (0, True), err
    assert "no GPU here: the checks take their CPU size" in err
    [report] = json.loads((course / "r.json").read_text())
    assert (report["status"], report["score"]) == ("graded", 100)


def test_a_gpu_that_cannot_be_used_costs_nothing(course: Path) -> None:
    """NVML speaks of a GPU that torch, here a CPU build, cannot use."""
    code, out, err = grade(course, gpus=[GPU])
    assert code == 1
    assert "starting none slots on 1 GPU (Fake H0), 1 to grade" in err
    assert re.search(r"^ada +failed ", out, re.MULTILINE), out
    assert "the sandbox failed 3 times: the kernel did not start" in err
    [report] = json.loads((course / "r.json").read_text())
    assert {check["verdict"] for check in report["checks"]} == {"not_run"}
    code, out, err = grade(course, gpus=[{**GPU, "used": 16 * 2**30}])
    assert "has 0 MiB free, and a submission may use 8192: end what else runs on it" in err


def test_a_gpu_that_is_not_there_is_named(course: Path) -> None:
    code, _, err = grade(course, "--gpus", "1", gpus=[GPU])
    assert (code, "no GPU '1': 0 (Fake H0, GPU-0)" in err) == (2, True), err


def test_a_cluster_without_gpus_is_told_how_to_have_one(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster.client(None, 1) as dask:
        address = dask.scheduler.address
        assert not cluster.has_gpus(dask)
        certificate = tmp_path / "dask.pem"
        certificate.write_text(dask.security.tls_client_cert + dask.security.tls_client_key)
        for name in ("CA_FILE", "CLIENT__CERT"):
            monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{name}", str(certificate))
        _, _, err = grade(course, "--scheduler", address)
    assert f"no worker of {address} has one" in err


def test_workers_with_a_gpu_are_known() -> None:
    with cluster.client(None, 1, gpus=True) as dask:
        assert cluster.has_gpus(dask)
        assert dask.submit(lambda: 7, resources={cluster.GPU: 1}).result(timeout=60) == 7
