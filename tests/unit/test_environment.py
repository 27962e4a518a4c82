"""environment.yml gives students and graders what pyproject.toml asks for."""

import tomllib
from pathlib import Path

import pytest
import yaml
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


def normal(line):
    """A requirement in one spelling, so that quotes and spaces make no difference."""
    return str(Requirement(line))
