"""The student, as a check sees it: `student.NAME(...)` calls into the sandbox, plain values come back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from autograder.checks.record import current
from autograder.errors import Cause, CheckerError, StudentFailure
from autograder.inside import values
from autograder.model.assignment import Runner

CAUSES: dict[str, Cause] = {
    "exception": "exception",
    "forbidden": "forbidden",
    "missing": "missing",
    "memory": "memory",
    "type": "type",
}


class Transport(Protocol):
    """What carries a request to the probe inside and its reply back."""

    bounds: values.Bounds
    """Of an answer."""
    runner: Runner
    """What the student's code runs on."""

    def request(
        self, message: dict[str, Any], buffers: Sequence[Any], seconds: float | None
    ) -> tuple[dict[str, Any], Sequence[Any]]:
        """The probe's reply.

        Raises:
            KernelLost: no reply in time, out of memory, or the kernel died.
            SandboxError: the sandbox failed.
        """
        ...


class Handle(values.Opaque):
    """An object that stays in the student's kernel (a network): call it, its methods, or operate on it."""

    __slots__ = ("_student",)
    _student: Student

    def __init__(self, number: int, type_name: str, student: Student) -> None:
        super().__init__(number, type_name)
        object.__setattr__(self, "_student", student)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object itself."""
        return self._student._ask("apply", "", self.number, args, kwargs)

    def method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call one of its methods."""
        return self._student._ask("method", name, self.number, args, kwargs)

    def operate(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """One of the network operations of `autograder.inside.networks`.

        Raises:
            CheckerError: there is no such operation.
        """
        from autograder.inside.networks import OPERATIONS  # it imports torch: only where networks are

        if operation not in OPERATIONS:
            raise CheckerError(f"no network operation {operation!r}: expected one of {', '.join(sorted(OPERATIONS))}")
        return self._student._ask("network", operation, self.number, args, kwargs)


class Student:
    """A proxy for the student's namespace: an attribute is a function there. `name` is who the student is."""

    def __init__(self, name: str, transport: Transport, *, seed: int = 0, seconds: float | None = None) -> None:
        self.name = name
        self._transport = transport
        self._seed = seed
        self._seconds = seconds
        self._asked = 0

    @property
    def runner(self) -> Runner:
        """`gpu` or `cpu`: a check may choose its sizes by it. Networks that it operates on are on that device."""
        return self._transport.runner

    def __getattr__(self, function: str) -> Any:
        if function.startswith("_"):
            raise AttributeError(function)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._ask("call", function, None, args, kwargs)

        call.__name__ = function
        return call

    def value(self, name: str) -> Any:
        """The variable `name` of the notebook."""
        return self._ask("value", name, None, (), {})

    def _ask(self, operation: str, name: str, handle: int | None, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        record = current()
        if operation in {"call", "value"}:
            record.functions.add(name)
            record.call = (
                f"`{name}`" if operation == "value" else signature(name, args, kwargs, record.reveal == "inputs")
            )
        encoder = values.Encoder()
        try:
            message = {
                "operation": operation,
                "name": name,
                "handle": handle,
                "arguments": encoder.encode(list(args)),
                "keywords": encoder.encode(kwargs),
                "seed": self._next_seed(),
                "bounds": list(self._transport.bounds),
            }
        except values.ValueRefused as error:
            raise CheckerError(f"{name} was called with what cannot cross into a sandbox: {error}") from error
        reply, buffers = self._transport.request(message, encoder.buffers, self._seconds)
        return self._read(reply, buffers, name)

    def _read(self, reply: dict[str, Any], buffers: Sequence[Any], name: str) -> Any:
        if reply.get("status") == "ok":
            try:
                return values.Decoder(buffers, self._keep, self._transport.bounds).decode(reply.get("value"))
            except values.ValueRefused as error:
                raise StudentFailure("type", f"the answer of `{name}` cannot be read: {error}") from None
        raise failure(reply, name)

    def _keep(self, number: int, kind: str) -> Handle:
        return Handle(number, kind, self)

    def _next_seed(self) -> int:
        self._asked += 1
        digest = hashlib.sha256(f"{self._seed}:{self._asked}".encode()).digest()
        return int.from_bytes(digest[:7], "big")


def failure(reply: dict[str, Any], name: str) -> StudentFailure:
    """The failure that an error reply tells of, in words for the student."""
    cause = CAUSES.get(str(reply.get("cause")), "exception")
    kind, text, detail = _text(reply, "type", 100), _text(reply, "message", 500), _text(reply, "traceback", 4000)
    where = f"`{name}`" if name else "it"
    if cause == "missing":
        told = f"{where} is not written yet" if kind == "NotImplementedError" else text or f"there is no {where}"
    elif cause == "forbidden":
        told = f"`{text}` does the work of this exercise{f' (at `{line}`)' if (line := _line(detail)) else ''}"
        return StudentFailure(cause, f"{told}: write it yourself", detail)
    elif cause == "memory":
        told = f"{where} ran out of memory"
    elif cause == "type":
        told = f"{where}: {text}"
    else:
        told = f"{where} raised {kind or 'an error'}" + (f": {text}" if text else "")
    line = _line(detail)
    return StudentFailure(cause, f"{told}{f' (at `{line}`)' if line and cause == 'exception' else ''}", detail)


def _text(reply: dict[str, Any], key: str, most: int) -> str:
    """A text of an error reply; whatever else a kernel may send there is none."""
    value = reply.get(key)
    return value[:most].encode(errors="replace").decode() if isinstance(value, str) else ""


def _line(trace: str) -> str:
    """The source line of the innermost frame of a traceback."""
    lines = [
        line.strip()
        for line in trace.splitlines()
        if line.startswith("    ") and not line.strip().startswith(("^", "~"))
    ]
    return lines[-1][:120] if lines else ""


def signature(name: str, args: Sequence[Any], kwargs: dict[str, Any], inputs: bool) -> str:
    """The call in a few words: shapes of arrays and keyword options; other values only if `inputs` allows it."""
    shown = [_shown(value, inputs) for value in args]
    shown += [f"{key}={_shown(value, True)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(shown)})"


def _shown(value: Any, inputs: bool) -> str:
    if isinstance(value, values.Opaque):
        return value.type_name
    if isinstance(value, np.ndarray) or hasattr(value, "shape"):
        return _shape(tuple(value.shape))
    if value is None:
        return "None"
    kind = type(value).__name__
    if not inputs:
        return f"a hidden {kind}"
    if type(value) in {list, tuple}:
        ends = "[]" if isinstance(value, list) else "()"
        text = f"{ends[0]}{', '.join(_shown(item, inputs) for item in value)}{ends[1]}"
    else:
        text = repr(value)
    return text if len(text) <= 200 else f"a long {kind}"


def _shape(shape: tuple[int, ...]) -> str:
    """`3x4`; of one axis `3 numbers`, since `3` alone would be read as the number."""
    if len(shape) < 2:
        return f"{shape[0]} number{'' if shape[0] == 1 else 's'}" if shape else "number"
    return "x".join(map(str, shape))
