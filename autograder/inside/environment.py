"""Errors that tell of this machine and not of the student's code: a missing package, file, network or GPU.

`advice` says what is missing, and what to write instead. It is made in the student's process, so nothing rests on it.
"""

from __future__ import annotations

import errno
import itertools
import linecache
import os
import re
import types
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from . import packages

NOTHING: Mapping[str, str] = MappingProxyType({})
FILES = "only files handed in or released with the notebook are there: open them by a path relative to it"
NETWORK = "there is no network while grading: hand in with the notebook the files that it needs"
GPU = 'there is no GPU here: write `device = "cuda" if torch.cuda.is_available() else "cpu"`'
INPUT = "nobody answers while grading: give the value in the code"
FORBIDDEN = "the sandbox that grades this does not allow it"
PROCESSES = "the limit of processes and threads was reached: use fewer workers"
DISK = "the limit of the working folder or of shared memory was reached: write less, or use fewer workers"
OWN_FOLDER = "folders outside of the working folder are closed while grading: use a relative path"
KEYWORD = re.compile(
    r"unexpected keyword argument|takes \d+ positional|takes from \d+ to \d+ positional|invalid keyword argument"
    r"|missing \d+ required|got multiple values for argument|received an invalid combination of arguments"
)
NO_CUDA = re.compile(r"not compiled with CUDA|No CUDA GPUs are available|NVIDIA driver|no CUDA-capable device")
NO_FILE = re.compile(r"File `.*` not found|.* was not found in history, as a file")
"""IPython's own words, of `%run` and `%load`."""


def explained(error: BaseException, text: str, missing: Mapping[str, str] = NOTHING) -> str:
    """Return `text`, an error's message, with what `advice` knows of it in its first line."""
    more = advice(error, missing)
    first, newline, rest = text.partition("\n")
    return f"{first.rstrip('. ') if more.startswith(':') else first}{more}{newline}{rest}" if more else text


def advice(error: BaseException, missing: Mapping[str, str] = NOTHING) -> str:
    """Return what to add to an error's message; empty for an error of the student's own.

    `missing` are the names that a statement which failed for this machine's sake should have bound, each with the
    reason.
    """
    try:
        for find in _ADVISERS:
            if found := find(error, missing):
                return found
    except Exception:  # noqa: BLE001 - hostile exceptions have hostile attributes: then there is no advice
        return ""
    return ""


def is_missing(error: BaseException, missing: Mapping[str, str] = NOTHING) -> bool:
    """Whether a statement failed for what this machine lacks, so that the next one may still run."""
    if isinstance(error, NameError):
        return _unbound(error, missing)
    if isinstance(error, ImportError | OSError):
        return True
    name = type(error).__name__
    if name in {"UsageError", "StdinNotImplementedError", "CalledProcessError"}:
        return True
    if type(error) in {Exception, ValueError}:
        return NO_FILE.match(str(error)) is not None
    return bool(_gpu(error, missing))


def _unbound(error: NameError, missing: Mapping[str, str]) -> bool:
    return getattr(error, "name", None) in missing or "*" in missing


def _module(error: BaseException, _missing: Mapping[str, str]) -> str:
    """A module that is not there, or not in this version of its package."""
    if not isinstance(error, ModuleNotFoundError) or not isinstance(error.name, str):
        return ""
    root = error.name.partition(".")[0][:80]
    if packages.is_there(root):
        return _graded_with(root)
    told = f"`{root}` is not among the packages that this assignment is graded with ({packages.installed()})"
    return f": {told}, and no file {root}.py was handed in"


def _name_of_missing(error: BaseException, missing: Mapping[str, str]) -> str:
    """A name that an import which failed should have bound."""
    if isinstance(error, NameError) and (reason := missing.get(str(error.name))):
        return f": the statement that defines it failed ({reason})"
    return ""


def _version(error: BaseException, _missing: Mapping[str, str]) -> str:
    """An attribute, name or argument that a package does not have in this version."""
    if isinstance(error, ImportError) and isinstance(error.name, str):
        return _graded_with(error.name)
    if isinstance(error, AttributeError):
        return _graded_with(_asked_module(error) or _home(error.obj if error.obj is not None else _called(error)))
    if isinstance(error, TypeError) and KEYWORD.search(str(error)):
        return _graded_with(_home(_called(error)))
    if isinstance(error, ValueError) and "avoid copy" in str(error):
        return _graded_with("numpy")
    return ""


def _graded_with(module: str) -> str:
    root = module.partition(".")[0]
    number = packages.version(root) if root in packages.DISTRIBUTIONS else None
    return f" (graded with {packages.DISTRIBUTIONS[root]} {number})" if number else ""


def _home(owner: Any) -> str:
    """The module that an object is, or that its type comes from."""
    if isinstance(owner, types.ModuleType):
        return owner.__name__
    kind = owner if isinstance(owner, type) else type(owner)
    return str(kind.__module__)


def _asked_module(error: BaseException) -> str:
    """The module whose own `__getattr__` raised: those of numpy and torch say more of what they no longer have."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code.co_name != "__getattr__":
        return ""
    return str(trace.tb_frame.f_globals.get("__name__", ""))


def _called(error: BaseException) -> Any:
    """What the first name of the expression stands for in which a student's line failed: `np` of `np.sum(x, to=1)`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_lasti < 0:
        return None
    code = trace.tb_frame.f_code
    line, _, column, _ = next(itertools.islice(code.co_positions(), trace.tb_lasti // 2, None), (None,) * 4)
    if line is None or column is None:
        return None
    text = linecache.getline(code.co_filename, line).encode()[column:].decode(errors="replace")
    found = re.match(r"[A-Za-z_]\w{0,80}", text)
    if found is None:
        return None
    for scope in (trace.tb_frame.f_locals, trace.tb_frame.f_globals):
        if found[0] in scope:
            return scope[found[0]]
    return None


def _network(error: BaseException, _missing: Mapping[str, str]) -> str:
    """A connection, an address, a download."""
    for each in _chain(error):
        if type(each).__name__ in {"gaierror", "herror", "URLError", "HTTPError", "NewConnectionError"}:
            return f": {NETWORK}"
        if isinstance(each, OSError) and _raised_in(each, "socket.py"):
            return f": {NETWORK}"
    return ""


def _system(error: BaseException, _missing: Mapping[str, str]) -> str:
    """A limit, a closed folder, a file that is not there, a call that is forbidden."""
    text = ""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        text = PROCESSES
    elif not isinstance(error, OSError):
        return ""
    elif error.errno == errno.EAGAIN and _raised_in(error, "popen_fork.py", "subprocess.py", "process.py", "os.py"):
        text = PROCESSES
    elif error.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
        text = DISK
    elif isinstance(error, FileNotFoundError) and error.filename is not None:
        text = FILES
    elif error.errno == errno.EACCES and error.filename is not None:
        text = OWN_FOLDER
    elif error.errno == errno.EPERM:
        text = FORBIDDEN
    return f": {text}" if text else ""


def _gpu(error: BaseException, _missing: Mapping[str, str]) -> str:
    """CUDA, where there is none."""
    if isinstance(error, AssertionError | RuntimeError) and NO_CUDA.search(str(error)[:2000]):
        return f": {GPU}"
    return ""


def _input(error: BaseException, _missing: Mapping[str, str]) -> str:
    """A question to whoever sits at the keyboard."""
    return f": {INPUT}" if type(error).__name__ == "StdinNotImplementedError" else ""


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and what it was raised from, the reason in a URLError too; at most eight."""
    found: list[BaseException] = []
    while isinstance(error, BaseException) and len(found) < 8:
        found.append(error)
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return found


def _raised_in(error: BaseException, *files: str) -> bool:
    """Whether the innermost frame of an error's traceback is in a file of one of these names."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and os.path.basename(trace.tb_frame.f_code.co_filename) in files  # noqa: PTH119 - as above


_ADVISERS: tuple[Callable[[BaseException, Mapping[str, str]], str], ...] = (
    _module, _name_of_missing, _version, _network, _gpu, _input, _system,
)  # fmt: skip
"""In this order: the first that has something to say."""
