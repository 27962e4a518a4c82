"""Forbidden functions, replaced in a fork before the student's first line by stand-ins that refuse graded calls.

A zygote finds once what a list of forbidden names stands for and every place that holds it (`Plan`); a fork only writes
those places (`Plan.apply`). A stand-in passes each call on to the gate (see `gate.py`), which lets the student's own
tests through until the checks call for the first time. docs/security.md says what this does not stop.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import inspect
import mmap
import re
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

globals()["__builtins__"] = dict(vars(builtins))  # a copy: what a student's code patches is not used here

from . import doors, library, places  # noqa: E402 - see above

FUNCTIONS: tuple[type, ...] = (types.FunctionType, types.BuiltinFunctionType)
PLAIN = (bool, int, str, list, tuple, type(None))
"""Attributes that a stand-in has like the function: not its parts, by which that could be reached."""


TRAMPOLINES = (
    "torch.nn.modules.module.Module._wrapped_call_impl", "torch.nn.modules.module.Module._call_impl",
    "torch.nn.modules.container.Sequential.forward",
)  # fmt: skip
"""Library functions that call what they are given: who called them made the call."""


class Target(NamedTuple):
    """One forbidden function, its name for people, and how callers may be called that use it for themselves."""

    function: Any
    name: str
    called: frozenset[str]
    strict: bool
    """Whether no library may call it either."""
    always: bool
    """Whether a student's code may not even call it in a test of its own."""
    owner: type | None
    """The class whose method it is."""


class Plan:
    """What a fork has to replace for one list of forbidden names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = doors.aliases(names)
        self.doors = doors.doors(names)
        for name in (*names, *self.doors):
            _load(name)
        self.targets = targets(self.names)
        self.codes = codes(self.doors, self.targets)
        self.library = library.Library()
        """Made here: to look at all modules would copy their pages in each fork."""
        self.trampolines = list(filter(None, (code_of(resolve(name)) for name in TRAMPOLINES)))
        self.stand_ins = [stand_in(target, number) for number, target in enumerate(self.targets)]
        self.places = places.find(_replaced(self.targets, self.stand_ins), _owners(self.targets), Target)

    def apply(self) -> None:
        """Write the stand-ins to all places."""
        for place in self.places:
            place.put(place.holder, place.key, place.value)


def _load(name: str) -> None:
    """Import what `name` is or lies in, where its package is loaded: some packages load their parts when first used."""
    parts = name.split(".")
    if parts[0] in sys.modules:
        for end in range(2, len(parts) + 1):
            with contextlib.suppress(ImportError):
                importlib.import_module(".".join(parts[:end]))


def resolve(name: str) -> Any | None:
    """What a dotted name stands for in the modules that are loaded; None where there is nothing."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        found = sys.modules.get(".".join(parts[:end]))
        if found is not None:
            for part in parts[end:]:
                # a module's own __getattr__ would import
                found = vars(found).get(part) if isinstance(found, types.ModuleType) else getattr(found, part, None)
                if found is None:
                    return None
            return found
    return None


def targets(names: Iterable[str], known: Iterable[Any] = ()) -> list[Target]:
    """The functions that `names` stand for, each once, but for those in `known`."""
    seen = set(map(id, known))
    found: list[Target] = []
    for name in names:
        thing = resolve(name)
        for function, told, owner in _functions(thing, name):
            if id(function) not in seen:
                seen.add(id(function))
                found.append(_target(function, told, owner))
    if doors.forbids_torch_convolution(names) and "torch" in sys.modules:
        for function, told in _torch_convolutions():
            if id(function) not in seen:
                seen.add(id(function))
                found.append(_target(function, told, None)._replace(strict=True))
    return found


def _target(function: Any, name: str, owner: type | None) -> Target:
    called = {name.rpartition(".")[2], getattr(function, "__name__", ""), getattr(owner, "__name__", "")} - {""}
    hidden = any(part.startswith("_") and not part.endswith("__") for part in name.split(".")[1:])
    strict = name.startswith("torch.") and not owner and name not in doors.TORCH_COMPILERS
    return Target(function, name, frozenset(called), strict, hidden or name in doors.TORCH_COMPILERS, owner)


def _functions(thing: Any, name: str) -> Iterator[tuple[Any, str, type | None]]:
    """The functions of a module, class or function: each with a name, and its class if it has one."""
    if isinstance(thing, types.ModuleType):
        prefix = f"{thing.__name__}."
        loaded = [each for n, each in list(sys.modules.items()) if each is thing or n.startswith(prefix)]
        for module in sorted(loaded, key=_privacy):
            for key, value in list(vars(module).items()) if isinstance(module, types.ModuleType) else ():
                if _is_defined_in(value, thing.__name__):
                    yield from _functions(value, f"{module.__name__}.{key}")
    elif isinstance(thing, type):
        for value in list(vars(thing).values()):
            function = getattr(value, "__func__", value)
            if isinstance(function, FUNCTIONS) or type(function).__name__ == "instancemethod":
                yield value if type(function).__name__ == "instancemethod" else function, name, thing
    elif callable(thing):
        yield thing, name, None


def _privacy(module: Any) -> int:
    """Public modules first: theirs are the names that students know."""
    return str(getattr(module, "__name__", "")).count("._")


def _is_defined_in(value: Any, module: str) -> bool:
    if not callable(value) or str(getattr(value, "__name__", "")).endswith(
        "_dispatcher"
    ):  # numpy's, which computes nothing
        return False
    home = getattr(value, "__module__", None)
    if type(value).__name__ == "ufunc":  # says where it is defined in no version alike
        return not any(
            vars(sys.modules[each]).get(value.__name__) is value
            for each in ("numpy", "scipy.special")
            if each in sys.modules
        )
    return isinstance(home, str) and (home == module or home.startswith(f"{module}."))


def _torch_convolutions() -> Iterator[tuple[Any, str]]:
    """Each convolution of torch that can be called: functions, and the operations of its dispatcher's table."""
    torch = sys.modules["torch"]
    pattern = re.compile(doors.CONVOLUTION)
    for module, name in (
        (torch, "torch"),
        (torch.nn.functional, "torch.nn.functional"),
        (torch._C._nn, "torch._C._nn"),
    ):
        for key in dir(module):
            if pattern.search(key) and callable(function := getattr(module, key)) and not isinstance(function, type):
                yield function, f"{name}.{key}"
    for operation in torch._C._dispatch_get_all_op_names():
        space, _, rest = operation.partition("::")
        name, _, overload = rest.partition(".")
        if pattern.search(name):
            with contextlib.suppress(AttributeError, RuntimeError):
                packet = getattr(getattr(torch.ops, space), name)
                told = f"torch.ops.{space}.{name}"
                yield packet._op, told
                one = getattr(packet, overload or "default")
                yield one._op, told


def codes(names: Iterable[str], found: Iterable[Target]) -> dict[types.CodeType, str]:
    """The code of library functions through which nothing forbidden may be called: doors, the forbidden themselves."""
    known: dict[types.CodeType, str] = {}
    for target in found:
        if (code := code_of(target.function)) is not None:
            known[code] = target.name
    for name in names:
        for function, _, _ in _functions(resolve(name), name):
            if (code := code_of(function)) is not None:
                known[code] = name
    return known


def code_of(function: Any) -> types.CodeType | None:
    """The code of a function that is written in Python, under what numpy and decorators put around it."""
    for _ in range(8):
        inner = getattr(function, "_implementation", None) or getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    return getattr(getattr(function, "__func__", function), "__code__", None)


def stand_in(target: Target, number: int) -> Any:
    """What is found in place of a forbidden function.

    Its type is written in C and shows neither closure nor code; with a size of 0 it is no cache.
    """
    audit = sys.audit

    def forbidden(*arguments: Any, **keywords: Any) -> Any:
        box: list[Any] = []
        audit("autograder.call", number, box, arguments, keywords)
        returned, value = box
        if returned:
            return value
        raise value

    # without globals: a traceback shows them
    relay = types.FunctionType(forbidden.__code__, {}, target.name, None, forbidden.__closure__)
    made: Any = functools._lru_cache_wrapper(relay, 0, False, None)  # type: ignore[call-arg]  # untyped
    function: Any = target.function
    for name in ("__name__", "__qualname__", "__module__", "__doc__", *_public(function)):
        value = getattr(function, name, None)
        if isinstance(value, PLAIN):
            setattr(made, name, value)
    with contextlib.suppress(TypeError, ValueError):
        made.__signature__ = inspect.signature(function)
    return made


RELAY = next(code for code in stand_in.__code__.co_consts if isinstance(code, types.CodeType))
"""The code of what passes a call on to the gate."""


def _public(function: Any) -> list[str]:
    return [] if isinstance(function, FUNCTIONS) else [name for name in dir(function) if not name.startswith("_")]


class Additions:
    """What modules that are imported in a fork hold of the forbidden names."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.names
        self._doors = plan.doors
        self._stand_ins = plan.stand_ins
        self._late: list[tuple[Target, Any]] = []
        """What has been replaced in the module alone that defines it."""

    def find(
        self, known: Sequence[Target], module: types.ModuleType | None
    ) -> tuple[list[Target], dict[types.CodeType, str]]:
        """Return the functions that are not replaced yet, and the code through which none may be called."""
        names = self._names if module is None else [each for each in self._names if concerns(each, module.__name__)]
        fresh = targets(names, [*(target.function for target in known), *self._stand_ins])
        return fresh, codes(self._doors, fresh)

    def write(self, fresh: Sequence[Target], start: int, module: types.ModuleType | None) -> None:
        """Replace them, in `module` alone or everywhere; the gate knows the first by the number `start`."""
        made = [stand_in(target, start + n) for n, target in enumerate(fresh)]
        self._stand_ins += made
        self._late += zip(fresh, made, strict=True)
        found = fresh if module is not None else [target for target, _ in self._late]
        replaced = _replaced(found, [each for _, each in self._late[-len(found) :]])
        if module is not None:
            held = places.within([vars(module), *_owners(found)], replaced)
        else:
            held = places.find(replaced, _owners(found), Target) if found else []
        for place in held:
            place.put(place.holder, place.key, place.value)


def _replaced(found: Sequence[Target], stand_ins: Sequence[Any]) -> dict[Any, Any]:
    return {target.function: each for target, each in zip(found, stand_ins, strict=True)}


def _owners(found: Iterable[Target]) -> set[type]:
    return {target.owner for target in found if target.owner is not None}


def concerns(name: str, module: str) -> bool:
    """Whether a module may hold what a dotted name stands for: it lies on its way, or under it."""
    return f"{name}.".startswith(f"{module}.") or module.startswith(f"{name}.")


class Plans:
    """The plans of a zygote, and the memory by which its kernels learn that graded calls begin."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._begun: dict[str, mmap.mmap] = {}

    def prepare(self, kernel: str, names: Sequence[str]) -> Prepared | None:
        """What a kernel that is forked next needs; None where nothing is forbidden."""
        if not names:
            return None
        if (key := tuple(names)) not in self._plans:
            self._plans[key] = Plan(key)
        self._begun[kernel] = mmap.mmap(-1, mmap.PAGESIZE)
        return Prepared([self._plans[key]], self._begun[kernel])

    def begin(self, name: str) -> None:
        """Let a kernel know that the checks begin to call its student's functions."""
        if name in self._begun:
            self._begun[name][0] = 1

    def end(self, name: str) -> None:
        """Forget a kernel."""
        if name in self._begun:
            self._begun.pop(name).close()

    def clear(self) -> None:
        """Forget all, in a fork: what is forbidden is not to be found there."""
        self._plans.clear()


class Prepared(NamedTuple):
    """What one kernel needs: a list of its plan, which is emptied when it is used, and shared memory."""

    plans: list[Plan]
    begun: mmap.mmap
