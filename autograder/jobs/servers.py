"""Dask's scheduler and worker without their HTTP servers, which answer anyone on the machine."""

from __future__ import annotations

from typing import Any

import distributed


class Scheduler(distributed.Scheduler):  # type: ignore[misc]  # its base is not typed
    """A scheduler that listens at the port of its own protocol alone."""

    def start_http_server(self, *_arguments: Any, **_options: Any) -> None:
        """Called by `Scheduler.__init__()`: start none."""


class Worker(distributed.Worker):  # type: ignore[misc]  # as above
    """A worker that listens at the port of its own protocol alone."""

    def start_http_server(self, *_arguments: Any, **_options: Any) -> None:
        """Called by `Worker.start_unsafe()`: start none."""
