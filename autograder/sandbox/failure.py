"""What an error of the container engine means: a line that says what to do, and whether trying again can help."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

import requests
from docker import errors

DEFAULT_HOST = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Failure:
    """`retry`: the same request may succeed a moment later. `advice` is empty where nothing has to be done."""

    reason: str
    retry: bool
    advice: str = ""

    @property
    def message(self) -> str:
        """Both in one line."""
        return f"{self.reason}: {self.advice}" if self.advice else self.reason


def classify(error: Exception, host: str | None = None) -> Failure:
    """What `error`, raised by the engine at `host` (default: $DOCKER_HOST) or on the way to it, means.

    Raises:
        error: it is none of the engine's; nothing is hidden here.
    """
    host = host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    if isinstance(error, errors.ImageNotFound):
        return Failure("the container image is not there", retry=False, advice="make it with `autograder image build`")
    if isinstance(error, errors.NotFound):
        return Failure(f"the container is gone: {_said(error)}", retry=True)
    if isinstance(error, errors.APIError):
        # 409: another request is at work on the same thing; 5xx: the engine itself stumbled
        retry = error.status_code == 409 or error.is_server_error()
        return Failure(f"the container engine refused: {_said(error)}", retry)
    if isinstance(error, requests.Timeout):
        return Failure(f"the container engine at {host} did not answer in time", retry=True)
    if isinstance(error, errors.DockerException | requests.ConnectionError):
        return _unreachable(error, host)
    raise error


def _unreachable(error: Exception, host: str) -> Failure:
    """The engine could not be spoken to: not running, not ours to use, or gone in the middle of an answer."""
    reason = _first_os_error(error)
    if isinstance(reason, PermissionError):
        advice = "join the group `docker` and log in again, or set DOCKER_HOST to a rootless engine"
        return Failure(f"this user may not use the container engine at {host}", retry=False, advice=advice)
    if isinstance(reason, ConnectionResetError | BrokenPipeError):
        return Failure(f"the container engine at {host} hung up: {reason}", retry=True)
    what = f" ({reason})" if reason else f" ({error})"
    return Failure(f"no container engine answers at {host}{what}", retry=False, advice=_start(host))


def _start(host: str) -> str:
    """What makes an engine answer at `host`."""
    if host != DEFAULT_HOST:
        return "start that engine, or correct or unset DOCKER_HOST"
    if not any(map(shutil.which, ("dockerd", "apt-get"))):
        return "install and start Docker, or set DOCKER_HOST to another engine's socket"
    started = "start one with `make docker`" if os.geteuid() == 0 else "have root start one with `make docker`"
    return f"{started}, or set DOCKER_HOST to another engine's socket"


def _first_os_error(error: BaseException | None) -> OSError | None:
    """The system's own reason, however deep requests and urllib3 wrapped it."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, OSError) and isinstance(each.errno, int):
            return each
        waiting += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]
    return None


def _said(error: errors.APIError) -> str:
    return " ".join(str(error.explanation or error).split())[:500]
