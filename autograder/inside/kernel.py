"""An ordinary ipykernel, started in a process that was forked a moment ago, with the probe behind a comm."""

from __future__ import annotations

import importlib
import io
import logging
import os
import pathlib
import sys
import tempfile
import threading
from types import SimpleNamespace
from typing import Any
from unittest import mock

import traitlets
import zmq

# A graded kernel has no debugger, which is slow to import; what follows is imported for the forks to come.
sys.modules["debugpy"] = None  # type: ignore[assignment] # this is how an import is made to fail
from ipykernel import ipkernel, kernelapp  # noqa: E402 - see above
from IPython.core import profiledir  # noqa: E402 - see above

from . import packages, probe  # noqa: E402 - see above
from .shell import Shell  # noqa: E402 - see above
from .streams import Publisher, Stream  # noqa: E402 - see above

LAZY = (
    "faulthandler", "ipykernel.debugger", "pdb", "tornado.gen", "tornado.locks", "tornado.platform.asyncio",
    "tornado.queues", "zmq.utils.garbage", "IPython.core.completer", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.core.history", "IPython.core.logger", "IPython.core.magics",
    "IPython.core.magics.ast_mod", "IPython.core.magics.execution", "IPython.core.oinspect",
    "IPython.utils.module_paths", "IPython.utils.wildcard",
)  # fmt: skip
"""What a kernel imports while it starts, or runs its first cell."""


MOST_PROCESSORS = 4
"""What `os.cpu_count` says at most."""


class NoThread:
    """Stands where ipykernel has a thread that reads shell messages: it asks even none for its parent."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class Kernel(ipkernel.IPythonKernel):  # type: ignore[misc]  # its base is not typed
    """IPython's kernel, silent about the state of calls: their answers say when they are done."""

    shell_class = traitlets.Type(Shell)
    _execute_sleep = traitlets.Float(0.0)

    _supports_kernel_subshells = False
    calls: str | None = None
    """The comm of the checks' calls."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        # the shell is the zygote's: what it could not know there
        self.shell.parent = self.shell.kernel = self
        self.shell.profile_dir = self.profile_dir
        self.shell.ipython_dir = os.environ["IPYTHONDIR"]
        self.shell.starting_dir = str(pathlib.Path.cwd())

    def _publish_status(self, status: str, channel: str, parent: dict[str, Any] | None = None) -> None:
        asked = parent or self.get_parent(channel)
        if asked.get("msg_type") != "comm_msg" or asked["content"].get("comm_id") != self.calls:
            super()._publish_status(status, channel, parent)


class Application(kernelapp.IPKernelApp):  # type: ignore[misc]  # its base is not typed
    """An IPKernelApp without what a graded kernel does not need: command line, files of its own, logs, subshells.

    Its settings are defaults of these classes: a traitlets configuration is searched for each object that is made.
    """

    iopub_port: int
    kernel_class = traitlets.Type(Kernel)
    capture_fd_output = traitlets.Bool(False)
    outstream_class = traitlets.DottedObjectName(f"{Stream.__module__}.{Stream.__name__}")

    def _configure_logging(self) -> None:
        """Nothing: nobody reads a kernel's log."""

    def parse_command_line(self, argv: Any = None) -> None:
        """Nothing: a fork has none."""

    def init_path(self) -> None:
        """The working folder last: no file of the student's stands before a package."""
        sys.path[:] = [*(path for path in sys.path if path), ""]

    def init_profile_dir(self) -> None:
        """One that is nowhere: a fork keeps no profile."""
        self.profile_dir = profiledir.ProfileDir()

    def init_config_files(self) -> None:
        """Nothing: there are no files, see the class."""

    def load_config_file(self, suppress_errors: bool | None = None) -> None:
        """Nothing: as above."""

    def init_extensions(self) -> None:
        """Nothing: the default one, %store, keeps variables for the next kernel, and there is none."""

    def init_code(self) -> None:
        """As ipykernel does where there is no code to run, but without its list of modules: see `init_kernel`."""
        self.shell.user_ns_hidden.update(self.shell.user_ns)

    def init_control(self, context: Any) -> None:
        """As ipykernel does, but shell messages are read where they are handled: there are no subshells here."""
        super().init_control(context)
        self.shell_channel_thread = NoThread()

    def init_kernel(self) -> None:
        """As ipykernel does, but without its list of all modules' files, which only a debugger reads.

        To read a module's attribute is to write its reference counts: 3,800 pages would be copied.
        """
        without_modules = SimpleNamespace(**{**vars(sys), "modules": {}})
        with mock.patch.object(ipkernel, "sys", without_modules):
            super().init_kernel()

    def init_connection_file(self) -> None:
        """Nothing: the connection is given, and the kernel may write no file outside its work folder."""

    def write_connection_file(self, **_: Any) -> None:
        """Nothing: as above."""

    def init_crash_handler(self) -> None:
        """Nothing: a traceback belongs to the cell that raised it."""

    def init_poller(self) -> None:
        """Nothing: the zygote is the parent, and ends its kernels itself."""

    def init_iopub(self, context: Any) -> None:
        """As ipykernel does, but nothing is dropped; no TCP pipe for forked children, as there is no network here."""
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_socket.sndhwm = 0  # ZeroMQ drops what a busy grader has not read: a cell's last word among it
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = Publisher(self.iopub_socket, pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket  # the one that is safe to use from any thread

    def init_blackhole(self) -> None:
        """Nothing: the standard streams lead nowhere already."""


def initialise(kernel: dict[str, Any]) -> Application:
    """A kernel that is bound to its sockets and ready to start."""
    _silence()
    _set_environment()
    app: Application = Application.instance(
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
    _count_processors()
    app.shell.enable_matplotlib("inline")  # as importing pyplot does in a kernel: here the zygote imported it
    serve(app, "cpu" if kernel["gpu"] is None else "cuda")
    return app


def serve(app: Application, device: str) -> None:
    """Put the probe behind the comm target that the checks open."""
    answers = probe.Probe(app.shell.user_ns, device, app.shell.missing)

    def opened(comm: Any, _message: dict[str, Any]) -> None:
        def heard(message: dict[str, Any]) -> None:
            request = message["content"]["data"]
            reply, buffers = answers.answer(request, message["buffers"])
            comm.send(data={**reply, "id": request.get("id")}, buffers=buffers)

        comm.on_msg(heard)
        app.kernel.calls = comm.comm_id

    app.kernel.comm_manager.register_target(probe.COMM_TARGET, opened)


def _set_environment() -> None:
    """What programs find that a notebook starts: this Python and its scripts first, as in a virtual environment."""
    os.environ.update(packages.ENVIRONMENT)
    tempfile.tempdir = os.environ["TMPDIR"]  # not the zygote's; not looked for, as one that is full is none
    os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])


def _count_processors() -> None:
    """Let `Pool()` and the like start a few processes, on however large a machine: each has its price in the limits."""
    count = min(os.cpu_count() or 1, MOST_PROCESSORS)
    for name in ("cpu_count", "process_cpu_count"):  # the second since Python 3.13
        if hasattr(os, name):
            setattr(os, name, lambda: count)
    os.environ["PYTHON_CPU_COUNT"] = os.environ["LOKY_MAX_CPU_COUNT"] = str(count)  # for children; for joblib


def _silence() -> None:
    """Standard streams to /dev/null: what a kernel prints goes through Jupyter's own channel."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    sys.stdin = io.StringIO()


def warm() -> None:
    """First uses, in the zygote, of what needs no thread: imports, drawing and encoding a figure."""
    for module in LAZY:
        importlib.import_module(module)
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.use("module://matplotlib_inline.backend_inline")
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    FigureCanvasAgg(figure).print_png(io.BytesIO())
    Shell.instance(profile_dir=profiledir.ProfileDir(), ipython_dir="", user_ns={})  # each fork's kernel takes it over
    if threading.active_count() != 1:
        raise RuntimeError(f"the zygote holds {threading.active_count()} threads: forks of it would not be safe")
