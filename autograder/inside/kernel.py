"""An ordinary ipykernel, started in a process that was forked a moment ago, with the probe behind a comm."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from typing import Any

import traitlets.config
import zmq

# A graded kernel has no debugger, which is slow to import; what follows is imported for the forks to come.
sys.modules["debugpy"] = None  # type: ignore[assignment] # this is how an import is made to fail
from ipykernel import iostream, ipkernel, kernelapp, kernelbase  # noqa: E402, F401 - see above
from IPython.core import completer, history, magics  # noqa: E402, F401 - see above

from . import probe  # noqa: E402 - see above


class Application(kernelapp.IPKernelApp):  # type: ignore[misc]  # its base is not typed
    """An IPKernelApp without what a graded kernel does not need: its own files, a crash handler, a history."""

    iopub_port: int

    def init_connection_file(self) -> None:
        """Nothing: the connection is given, and the kernel may write no file outside its work folder."""

    def write_connection_file(self, **_: Any) -> None:
        """Nothing: as above."""

    def init_crash_handler(self) -> None:
        """Nothing: a traceback belongs to the cell that raised it."""

    def init_poller(self) -> None:
        """Nothing: the zygote is the parent, and ends its kernels itself."""

    def init_iopub(self, context: Any) -> None:
        """As ipykernel does, but without the TCP pipe for forked children: there is no network here."""
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = iostream.IOPubThread(self.iopub_socket, pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket  # the one that is safe to use from any thread

    def init_blackhole(self) -> None:
        """Nothing: the standard streams lead nowhere already."""


def initialise(kernel: dict[str, Any]) -> Application:
    """A kernel that is bound to its sockets and ready to start."""
    _silence()
    config = traitlets.config.Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.capture_fd_output = False
    config.InteractiveShell.cache_size = 0
    config.IPCompleter.use_jedi = False
    app: Application = Application.instance(
        config=config,
        transport="ipc",
        ip=kernel["ip"],
        shell_port=kernel["shell_port"],
        iopub_port=kernel["iopub_port"],
        stdin_port=kernel["stdin_port"],
        hb_port=kernel["hb_port"],
        control_port=kernel["control_port"],
        log_level=logging.CRITICAL,
    )
    app.session.key = kernel["key"].encode()
    old = os.umask(0)  # the host's user, another one, connects to these sockets
    app.initialize([])
    os.umask(old)
    app.shell.enable_matplotlib("inline")  # as importing pyplot does in a kernel: here the zygote imported it
    serve(app)
    return app


def serve(app: Application) -> None:
    """Put the probe behind the comm target that the checks open."""
    answers = probe.Probe(app.shell.user_ns)

    def opened(comm: Any, _message: dict[str, Any]) -> None:
        def heard(message: dict[str, Any]) -> None:
            request = message["content"]["data"]
            reply, buffers = answers.answer(request, message["buffers"])
            comm.send(data={**reply, "id": request.get("id")}, buffers=buffers)

        comm.on_msg(heard)

    app.kernel.comm_manager.register_target(probe.COMM_TARGET, opened)


def _silence() -> None:
    """Standard streams to /dev/null: what a kernel prints goes through Jupyter's own channel."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    sys.stdin = io.StringIO()


def warm() -> None:
    """First uses, in the zygote, of what needs no thread: draw and encode a figure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.use("module://matplotlib_inline.backend_inline")
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    FigureCanvasAgg(figure).print_png(io.BytesIO())
    if threading.active_count() != 1:
        raise RuntimeError(f"the zygote holds {threading.active_count()} threads: forks of it would not be safe")
