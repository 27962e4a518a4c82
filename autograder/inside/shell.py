"""IPython's shell for graded notebooks: no history, no terminal; what only this machine lacks does not end a cell."""

from __future__ import annotations

import ast
import codecs
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import traitlets
from ipykernel import compiler, zmqshell
from IPython.core import history
from IPython.core.error import UsageError

from . import environment, packages

MOST_SKIPPED = 20
"""Statements of a cell that may fail for what this machine lacks; after that many it stops, as in Jupyter."""
INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")


class Shell(zmqshell.ZMQInteractiveShell):  # type: ignore[misc]  # its base is not typed
    """IPython's shell without a history. IPython's own compiles each cell twice, to see whether it awaits something.

    A top-level statement that fails for what this machine lacks (see `environment.is_missing`) is skipped: its error is
    shown, and the cell goes on with the next statement. So are later statements that need a name it should have bound.
    All other errors end their cell, as in Jupyter.
    """

    cache_size = traitlets.Integer(0)
    compiler_class = traitlets.Type(compiler.XCachingCompiler)
    call_pdb = property(lambda _self: False, lambda _self, _wanted: None)
    """Never: nobody answers a debugger here."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.db: dict[str, Any] = {}  # IPython's own is a folder, beside the work folder
        self.missing: dict[str, str] = {}
        """Names that statements which were skipped should have bound; `*` after `from ... import *`."""
        self.events.register("post_run_cell", lambda _result: self.stay())

    def init_history(self) -> None:
        """As IPython does, but nothing is kept."""
        self.history_manager = history.HistoryManager(shell=self, parent=self, enabled=False)
        self.configurables.append(self.history_manager)

    def init_magics(self) -> None:
        """As IPython does; installers and `%cd` are ours."""
        super().init_magics()
        for name in INSTALLERS:
            self.register_magic_function(lambda line, name=name: self.system(f"{name} {line}"), "line", name)
        change = self.find_line_magic("cd")

        def cd(line: str = "") -> Any:
            """Change the working directory, within the working folder."""
            result = change(line)
            self.stay(say=True)
            return result

        self.register_magic_function(cd, "line", "cd")

    def ask_exit(self) -> None:
        """`exit()` and `quit()` end their cell or call, as sys.exit() does.

        IPython's own end the kernel a moment later, in the middle of whatever runs then.
        """
        raise SystemExit

    def should_run_async(self, raw_cell: str, **keywords: Any) -> bool:
        """As IPython does, where the text leaves room for doubt."""
        if "await" not in raw_cell and "async" not in raw_cell:
            return False
        found: bool = super().should_run_async(raw_cell, **keywords)
        return found

    def stay(self, *, say: bool = False) -> None:
        """Go back to the working folder where a cell has left it: nothing outside can be read."""
        home = self.starting_dir
        try:
            here = os.getcwd()  # noqa: PTH109 - as in the zygote
        except OSError:
            here = ""
        if here == home or here.startswith(home + os.sep):
            return
        with contextlib.suppress(OSError):  # a student has removed it
            os.chdir(home)
            if say:
                print(f"The folders outside of the working folder are not there while grading: this is {home} again.")

    def enable_matplotlib(self, gui: str | None = None) -> Any:
        """As IPython does, but always inline: here is no window, and nobody to click into a widget."""
        del gui
        return super().enable_matplotlib("inline")

    # shell commands

    def system_piped(self, cmd: str) -> None:
        """Run a shell command and print what it says, as `!command` does. Through a pipe: the sandbox has no terminals.

        Its exit code is in `_exit_code`, as in IPython.
        """
        if cmd.rstrip().endswith("&"):
            raise OSError("Background processes not supported.")  # as ipykernel does
        command = self.var_expand(cmd, depth=1)
        if packages.only_installs(command):
            print(f"No package can be installed while grading. Installed are: {packages.installed()}.")
            self.user_ns["_exit_code"] = 1
            return
        code = self.user_ns["_exit_code"] = _run(command)
        if code > 0 and (remark := packages.remark(command)):
            print(remark)

    system = system_piped

    # cells

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """As IPython does; the cell of a magic that is not installed is run without it, where it is Python.

        So is that of `%%time`: the cell's statements are then run one by one, as in a cell without magic.
        """
        if magic_name == "time" and not line.strip():
            began, worked = time.perf_counter(), time.process_time()
            self.run_cell(cell)
            worked, passed = time.process_time() - worked, time.perf_counter() - began
            print(f"CPU times: total: {worked:.3g} s\nWall time: {passed:.3g} s")
            return None
        try:
            return super().run_cell_magic(magic_name, line, cell)
        except UsageError as error:
            if self.find_cell_magic(magic_name) is not None or not self._parses(cell):
                raise
            self.show_usage_error(error)
            self.run_cell(cell)
        return None

    def _parses(self, cell: str) -> bool:
        try:
            ast.parse(self.transform_cell(cell))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return bool(cell.strip())

    async def run_ast_nodes(
        self, nodelist: list[ast.stmt], cell_name: str, *arguments: Any, result: Any = None, **keywords: Any
    ) -> bool:
        """As IPython does; where a statement fails for what this machine lacks, the next one is run."""
        left = list(nodelist)
        for _ in range(MOST_SKIPPED):
            if not await super().run_ast_nodes(list(left), cell_name, *arguments, result=result, **keywords):
                return False
            error = getattr(result, "error_in_exec", None)
            if error is None or not environment.is_missing(error, self.missing):
                return True
            failed = _position(left, cell_name, error.__traceback__)
            if failed is None:
                return True
            why = environment.explained(error, str(error), self.missing).partition("\n")[0]
            self.missing.update(dict.fromkeys(_bound(left[failed]), f"{type(error).__name__}: {why}"[:300]))
            left = left[failed + 1 :]
            if not left:
                return True
        return bool(await super().run_ast_nodes(left, cell_name, *arguments, result=result, **keywords))

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        """As ipykernel does, with what is known of an error that this machine is the reason for."""
        told: Any = evalue
        if more := environment.advice(evalue, self.missing):
            told, stb = environment.explained(evalue, str(evalue), self.missing), [*stb, more.strip(": ")]
        super()._showtraceback(etype, told, stb)


def _run(command: str) -> int:
    """Run a command, print what it says as it comes; the exit code, or minus the number of the signal."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    sys.stdout.flush()
    with subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        try:
            while data := os.read(process.stdout.fileno(), 65536):
                sys.stdout.write(decode(data))
            sys.stdout.write(decode(b"", final=True))
        except BaseException:  # an interrupt ends the command too
            process.send_signal(signal.SIGKILL)
            raise
        finally:
            sys.stdout.flush()
    return process.returncode


def _position(nodes: list[ast.stmt], cell_name: str, trace: TracebackType | None) -> int | None:
    """The position of the statement in which an error was raised; None where it is none of these."""
    while trace is not None and trace.tb_frame.f_code.co_filename != cell_name:
        trace = trace.tb_next
    if trace is None or trace.tb_lasti < 0:
        return None
    where = next(itertools.islice(trace.tb_frame.f_code.co_positions(), trace.tb_lasti // 2, None), (None,) * 4)
    place = (where[0] or trace.tb_lineno, where[2] or 0)
    for position, node in enumerate(nodes):
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        start = (first, node.col_offset if first == node.lineno else 0)
        if start <= place < (node.end_lineno or first, node.end_col_offset or 0):
            return position
    return None


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
        elif isinstance(each, ast.alias):
            found.add(each.asname or each.name.partition(".")[0])
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(each.name)
    return found
