"""environment.yml gives what pyproject.toml asks for, and course/pyproject.toml gives students their part of it."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from git_files import git_files
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def from_conda():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    return [item for item in listed if isinstance(item, str)]


@pytest.fixture(scope="module")
def from_pip():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (packages,) = [item["pip"] for item in listed if isinstance(item, dict)]
    return packages


def test_pip_packages_are_those_of_pyproject(project, from_pip):
    assert sorted(map(normal, from_pip)) == sorted(map(normal, project["dependencies"]))


def test_python_is_that_of_pyproject(project, from_conda):
    assert f"python{project['requires-python']}" in from_conda


def test_conda_brings_pip_itself(from_conda):
    assert "pip" in from_conda


def test_torch_is_pinned_to_one_release(from_pip):
    (torch,) = [Requirement(line) for line in from_pip if Requirement(line).name == "torch"]
    assert [clause.operator for clause in torch.specifier] == ["=="]


@pytest.fixture(scope="module")
def students_project():
    return tomllib.loads((ROOT / "course" / "pyproject.toml").read_text())["project"]


def test_students_get_the_versions_of_the_graders(project, students_project):
    graders = set(map(normal, project["dependencies"]))
    assert students_project["dependencies"]
    assert [line for line in map(normal, students_project["dependencies"]) if line not in graders] == []
    for name in ("version", "requires-python", "license"):
        assert students_project[name] == project[name]


def test_students_get_what_the_notebooks_import(students_project):
    sources = [path.read_text() for path in (ROOT / "solutions").glob("*/notebook.py")]
    imported = {name for text in sources for name in re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)}
    given = {Requirement(line).name.replace("-", "_") for line in students_project["dependencies"]}
    assert imported >= {"numpy", "course"}
    assert imported - set(sys.stdlib_module_names) - given <= {"course", "IPython"}  # IPython comes with JupyterLab


def test_the_students_package_is_the_course_and_no_command(tmp_path):
    for name in git_files("course"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "wheels",
        "./course",
    ]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"course/__init__.py", "course/plots.py", "course/images/photos.npz"} <= names
    assert [name for name in names if name.endswith("entry_points.txt") or name.startswith("autograder")] == []


def normal(line):
    """A requirement in one spelling, so that quotes and spaces make no difference."""
    return str(Requirement(line))
