"""The image has the grader's own versions, is made once for the same inputs, and says why when it cannot be made."""

from importlib.metadata import version

import pytest
import requests
from docker import errors
from packaging.requirements import Requirement

from autograder.errors import SandboxError, UsageError
from autograder.sandbox import base as bases
from autograder.sandbox import image, requirements
from autograder.sandbox.base import DEBIAN, DEBIAN_NAME, DEFAULT_BASE, Base, resolve
from autograder.sandbox.image import BASE_LABEL, DIGEST_LABEL, build


def not_found():
    response = requests.Response()
    response.status_code = 404
    return errors.ImageNotFound("no", response=response, explanation="no such host")


def test_everything_is_pinned_to_what_is_installed_here():
    lines = [Requirement(line) for line in requirements.requirements().splitlines()]
    pins = {line.name: str(line.specifier) for line in lines}
    assert set(requirements.PACKAGES) <= set(pins)
    assert pins["numpy"] == f"=={version('numpy')}"
    assert pins["torch"] == f"=={version('torch').partition('+')[0]}"
    assert "pyzmq" in pins  # what those packages need is there too
    assert not {"nbgrader", "distributed", "docker", "pytest", "cnn-course"} & set(pins)


def test_a_package_that_is_not_here_is_named(monkeypatch):
    monkeypatch.setattr(requirements, "PACKAGES", ("numpy", "not-a-package"))
    with pytest.raises(UsageError, match="not-a-package"):
        requirements.requirements()


class Engine:
    """An engine with one image, that builds what it is asked and remembers it."""

    def __init__(self, labels=None, steps=({"stream": "Step 1/1 : FROM x\n"},)):
        self.image = labels and type("Image", (), {"id": "sha256:1", "labels": labels, "attrs": {"Size": 5}})
        self.steps = steps
        self.asked = []
        self.images = self.api = self

    def get(self, name):
        if self.image is None:
            raise not_found()
        return self.image

    def build(self, **asked):
        self.asked.append(asked)
        self.image = type("Image", (), {"id": "sha256:2", "labels": asked["labels"], "attrs": {"Size": 7}})
        return iter(self.steps)

    def prune(self, **_):
        return {}


@pytest.fixture
def engine(monkeypatch):
    def use(engine):
        monkeypatch.setattr(image, "connect", lambda seconds: engine)
        monkeypatch.setattr(image, "resolve", lambda client, name, say: Base(name, "3.11", "x86_64"))
        monkeypatch.setattr(image, "_packages", lambda *_: {"PIP_NO_INDEX": "1"})
        return engine

    return use


def quiet(line):
    pass


def test_the_same_inputs_make_one_image(engine):
    first = engine(Engine())
    assert build(say=quiet).made
    (asked,) = first.asked
    assert asked["labels"][BASE_LABEL] == DEFAULT_BASE
    assert asked["labels"]["autograder.site-packages"] == "/opt/venv/lib/python3.11/site-packages"
    assert asked["network_mode"] == "none"  # the wheels came with the context
    second = engine(Engine(asked["labels"]))
    assert not build(say=quiet).made
    assert second.asked == []
    assert build(say=quiet, force=True).made


def test_other_packages_make_another_image(engine, monkeypatch):
    first = engine(Engine())
    build(say=quiet)
    monkeypatch.setattr(image, "requirements", lambda: "numpy==1.0\n")
    second = engine(Engine(first.asked[0]["labels"]))
    assert build(say=quiet).made
    assert second.asked[0]["labels"][DIGEST_LABEL] != first.asked[0]["labels"][DIGEST_LABEL]


def test_another_base_makes_another_image_and_the_stand_in_is_as_good(engine):
    first = engine(Engine())
    build(say=quiet)
    labels = {**first.asked[0]["labels"], BASE_LABEL: DEBIAN_NAME}
    for base, made in ((DEFAULT_BASE, False), (DEBIAN, False), ("python:3.12-slim", True)):
        engine(Engine(labels))
        assert build(base=base, say=quiet).made is made, base


def test_a_step_that_fails_is_told_with_its_last_lines(engine):
    engine(Engine(steps=[{"stream": "Step 1/2 : RUN pip"}, {"stream": "no matching wheel\n"}, {"error": "code: 1"}]))
    with pytest.raises(SandboxError, match=r"code: 1.*no matching wheel"):
        build(say=quiet)


def test_pips_own_settings_are_handed_on_except_paths_of_this_machine(monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.test/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///local https://more.test/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/local/wheels")
    monkeypatch.delenv("PIP_DEFAULT_TIMEOUT", raising=False)
    assert image._pip_indexes() == {
        "index-url": "https://packages.test/simple",
        "extra-index-url": "https://more.test/simple",
    }


def test_an_image_of_another_python_fetches_its_own_packages(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("certificates")
    settings = {"index-url": "https://packages.test/simple", "cert": str(tmp_path / "ca.pem"), "find-links": "/wheels"}
    monkeypatch.setattr(image, "_pip_settings", lambda: settings)
    for name in image.PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.test")
    (context := tmp_path / "context").mkdir()
    assert image._packages(context, "2.7", "x86_64", quiet) == {
        "PIP_INDEX_URL": "https://packages.test/simple",
        "PIP_CERT": "/build/certificates.pem",
        "https_proxy": "http://proxy.test",
    }
    assert (context / "certificates.pem").read_text() == "certificates"
    assert list((context / "wheels").iterdir()) == []


class Registry:
    """An engine that has no image and a registry that cannot be reached."""

    def __init__(self):
        self.images = self

    def get(self, name):
        raise not_found()

    def pull(self, name):
        raise not_found()


def test_without_a_registry_the_default_base_is_a_debian_root(monkeypatch):
    monkeypatch.setattr(bases, "_debian", lambda client, say: DEBIAN_NAME)
    monkeypatch.setattr(bases, "_probe", lambda client, name: Base(name, "3.11", "x86_64"))
    said = []
    assert resolve(Registry(), DEFAULT_BASE, said.append).name == DEBIAN_NAME
    assert any("no such host" in line for line in said)


def test_a_base_that_was_asked_for_is_not_replaced():
    with pytest.raises(SandboxError, match=r"mine:1 could not be pulled.*--base mmdebstrap"):
        resolve(Registry(), "mine:1", quiet)


def test_a_debian_root_needs_its_tool(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxError, match="apt-get install mmdebstrap"):
        resolve(Registry(), DEBIAN, quiet)
