"""The gate of forbidden functions in a fork: an audit hook, which Python code can neither remove nor trace.

Until the checks call the student's code for the first time it lets everything through. From then on a call is refused
unless a library makes it for a purpose of its own: the code that calls is a library's, as it is on disk, and uses the
function by name, and no function that only hands the work on (see `doors.py`) lies between it and the student's code.
"""

from __future__ import annotations

import builtins
import ctypes
import gc
import sys
import types
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any

globals()["__builtins__"] = dict(vars(builtins))  # a copy: what a student's code patches is not used here

from . import shortcuts  # noqa: E402 - see above

FRAMES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
MOST_CAUSES = 20
_Hook = Callable[[str, tuple[Any, ...]], None]


class ForbiddenShortcut(RuntimeError):  # noqa: N818 - its name is told to students
    """A graded call has called a forbidden function."""


def install(plan: shortcuts.Plan, begun: Any) -> None:
    """Put the stand-ins of `plan` in place, and the gate behind them.

    `begun` is shared memory whose first byte the zygote sets before the first graded call: the student's code, which
    might keep the probe from telling, cannot write there.
    """
    plan.apply()
    finder = _Finder((*plan.names, *plan.doors))
    sys.meta_path.insert(0, finder)
    sys.addaudithook(_hook(plan, begun, finder))


def begin() -> None:
    """Say that graded calls begin."""
    sys.audit("autograder.begin")


def refused() -> str:
    """Return the name of a forbidden function that was called since this was last asked; empty if none was."""
    box: list[str] = []
    sys.audit("autograder.refused", box)
    return box[-1] if box else ""


def _hook(plan: shortcuts.Plan, begun: Any, finder: _Finder) -> _Hook:  # noqa: C901, PLR0915 - a closure hides what a class would show
    """The audit hook. What it knows lies in its closure, and no list of objects has it."""
    originals = list(plan.targets)
    codes = dict(plan.codes)
    library = plan.library
    handed_on = {shortcuts.RELAY, *plan.trampolines}
    frame_of, error_of, own, additions = sys._getframe, ForbiddenShortcut, get_ident, shortcuts.Additions(plan)
    state: dict[str, Any] = {"begun": False, "refused": "", "depth": 0, "looking": 0, "new": False}

    def refusal(target: shortcuts.Target) -> str:
        """The name under which a call is refused; empty where it is let through."""
        state["looking"] = own()
        frame: Any = frame_of(3)  # of what has called `sys.audit`
        state["looking"] = 0
        while frame is not None and frame.f_code in handed_on:
            frame = frame.f_back
        first, door = True, ""
        while frame is not None:
            code = frame.f_code
            if code is call.__code__:
                return ""  # a call that was let through made this one
            if code in codes:
                door = codes[code]
            elif not library.has(code):
                return door or (target.name if first else "")
            elif target.strict or (first and target.owner is None and target.called.isdisjoint(code.co_names)):
                return target.name
            first, frame = False, frame.f_back
        return door

    def call(number: int, box: list[Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        target = originals[number]
        if (target.always or state["begun"] or begun[0]) and (name := refusal(target)):
            state["refused"] = name
            box += False, error_of(f"`{name}` does the work of this exercise: write it yourself")
            return
        state["depth"] += 1
        try:
            box += True, target.function(*arguments, **keywords)
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            box += False, _without_frames(error)
        finally:
            state["depth"] -= 1

    def complete(module: types.ModuleType | None = None) -> None:
        """Replace what `module`, or any that was imported since, holds of the forbidden."""
        fresh, more = additions.find(originals, module)
        codes.update(more)
        start = len(originals)
        originals.extend(fresh)
        additions.write(fresh, start, module)
        _hide(*fresh)
        state["new"] = True

    def mark(*_: Any) -> None:
        if not state["begun"]:
            state["begun"] = True
            if state["new"] or finder not in sys.meta_path[:1]:  # else to look at all modules would copy their pages
                complete()

    def tell(box: list[str]) -> None:
        box.append(state["refused"])
        state["refused"] = ""

    def load(name: str, file: Any, *_: Any) -> None:
        """Refuse a second copy of what is written in C, which would have the functions again."""
        state["new"] = state["new"] or finder.concerns(name)
        if isinstance(file, str):
            if file in library.loaded or not library.holds(file):
                raise ImportError(f"{file} cannot be loaded while grading")
            library.loaded.add(file)

    def look(*arguments: Any) -> None:
        """Show no frame while a forbidden function runs: its caller's has it."""
        if state["depth"] and state["looking"] != own() and (len(arguments) < 2 or arguments[1] in FRAMES):
            raise ValueError("call stack is not deep enough")

    actions: dict[str, Callable[..., None]] = {
        "autograder.call": call, "autograder.begin": mark, "autograder.refused": tell, "autograder.loaded": complete,
        "import": load, "sys._getframe": look, "sys._current_frames": look, "object.__getattr__": look,
    }  # fmt: skip

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        action = actions.get(event)
        if action is not None:
            action(*arguments)

    _hide(hook, call, complete, mark, tell, load, look, refusal, originals, *originals, state, actions, additions)
    return hook


def _without_frames(error: BaseException) -> BaseException:
    """An error that shows no frame: by each the one of its caller is found."""
    each: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if each is None:
            break
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def _hide(*things: Any) -> None:
    """Take objects, and the cells of functions among them, from the lists of the garbage collector.

    They are never freed: to free an object that is not in these lists would crash.
    """
    api = ctypes.pythonapi
    for thing in things:
        inner = [thing, getattr(thing, "function", None)]
        if isinstance(thing, types.FunctionType) and thing.__closure__:
            inner += thing.__closure__, *thing.__closure__
        for each in inner:
            if gc.is_tracked(each):
                api.Py_IncRef(ctypes.py_object(each))
                api.PyObject_GC_UnTrack(ctypes.py_object(each))


class _Finder:
    """Finds modules as the other finders do, and tells the gate when one was loaded that may hold what is forbidden."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def concerns(self, name: str) -> bool:
        """Whether a module may hold what is forbidden."""
        return any(shortcuts.concerns(each, name) for each in self._names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Called by `import` for a module that is not loaded, and by `importlib.reload`."""
        if not self.concerns(name):
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                if hasattr(spec.loader, "exec_module"):
                    self._tell_after(spec.loader)
                return spec
        return None

    @staticmethod
    def _tell_after(loader: Any) -> None:
        execute, audit = loader.exec_module, sys.audit

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            audit("autograder.loaded", module)

        loader.exec_module = exec_module
