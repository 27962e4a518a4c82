"""The engine's errors are sorted into those that may pass and those that need somebody; each line says what to do."""

import os
import shutil

import docker
import pytest
import requests
from docker import errors
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from autograder.sandbox.failure import DEFAULT_HOST, classify


def api_error(status: int, kind: type[errors.APIError] = errors.APIError) -> errors.APIError:
    response = requests.Response()
    response.status_code = status
    return kind("request", response=response, explanation="the\n explanation")


def test_a_missing_image_says_how_to_make_it():
    failure = classify(api_error(404, errors.ImageNotFound))
    assert not failure.retry
    assert "autograder image build" in failure.message


def test_a_missing_container_may_be_made_again():
    assert classify(api_error(404, errors.NotFound)).retry


@given(st.integers(400, 599))
def test_the_engines_own_troubles_and_conflicts_may_pass(status):
    failure = classify(api_error(status))
    assert failure.retry == (status == 409 or status >= 500)
    assert "the explanation" in failure.message
    assert "\n" not in failure.message


def test_a_silent_engine_may_answer_the_next_time():
    failure = classify(requests.ReadTimeout("slow"), host="tcp://engine:2375")
    assert failure.retry
    assert "tcp://engine:2375" in failure.message


def test_an_engine_that_is_not_there_says_where_it_was_sought(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(errors.DockerException) as raised:
        docker.from_env().ping()
    failure = classify(raised.value)
    assert not failure.retry
    assert f"unix://{tmp_path}/none.sock" in failure.message
    assert "No such file" in failure.message
    assert "DOCKER_HOST" in failure.advice


@pytest.mark.parametrize(
    ("root", "installed", "advice"),
    [
        (True, ("dockerd",), "start one with `make docker`"),
        (True, ("apt-get",), "start one with `make docker`"),
        (False, ("dockerd",), "have root start one"),
        (True, (), "install and start Docker"),
    ],
)
def test_an_engine_that_is_not_there_is_started_as_this_machine_can(monkeypatch, root, installed, advice):
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(shutil, "which", lambda name: name if name in installed else None)
    failure = classify(wrapped(FileNotFoundError(2, "No such file or directory")), host=DEFAULT_HOST)
    assert failure.advice.startswith(advice)
    assert failure.message.endswith(failure.advice)


def test_what_passes_by_itself_needs_no_advice():
    failure = classify(wrapped(ConnectionResetError(104, "Connection reset by peer")), host="h")
    assert (failure.advice, failure.message) == ("", failure.reason)


def wrapped(reason: OSError) -> requests.ConnectionError:
    """As requests and urllib3 hand it on."""
    return requests.ConnectionError(ProtocolError("Connection aborted.", reason))


def test_a_forbidden_socket_names_the_group():
    failure = classify(wrapped(PermissionError(13, "Permission denied")), host="unix:///run/docker.sock")
    assert not failure.retry
    assert "group `docker`" in failure.message


def test_a_lost_connection_may_be_made_again():
    assert classify(wrapped(ConnectionResetError(104, "Connection reset by peer")), host="h").retry


def test_what_is_not_the_engines_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        classify(ZeroDivisionError())
