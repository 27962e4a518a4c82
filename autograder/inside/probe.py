"""Answers the checks' requests in the student's kernel: call a function, read a variable, use an object.

It runs in the student's process and is therefore trusted with nothing: it holds no answer and no score, and
whatever it is made to say is only a value that the checks outside compare.
"""

from __future__ import annotations

import linecache
import random
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from . import environment, gate, gpu, values

COMM_TARGET = "autograder"
"""The comm target under which the checks reach the probe."""


_REFUSED = {"status": "error", "cause": "forbidden", "type": gate.ForbiddenShortcut.__name__}


class Probe:
    """Serves requests on `namespace`, the student's globals. Objects that cannot cross are kept by number.

    `missing` are names that cells could not bind here, with the reason: see `environment.advice`.

    Tensors come to lie on the CPU, and functions are called with them as they are. A network that a check operates on
    is put on `device` first, and so is what it is given.

    A request is a dict: `operation` (`call`, `value`, `apply`, `method`, `network`), `name`, `handle`,
    `arguments`, `keywords`, `seed`, `bounds` of the answer; a reply is `{"status": "ok", "value": tree}` or
    `{"status": "error", "cause", "type", "message", "traceback"}`.
    """

    not_an_answer: tuple[type[BaseException], ...] = ()
    """What goes through; nothing of a student's."""

    def __init__(
        self, namespace: dict[str, Any], device: str = "cpu", missing: Mapping[str, str] = environment.NOTHING
    ) -> None:
        self.namespace = namespace
        self.missing = missing
        self.device = device
        self._kept: list[Any] = []

    def answer(self, request: dict[str, Any], buffers: Sequence[Any]) -> tuple[dict[str, Any], list[Any]]:
        """The reply to one request and its buffers. Never raises for what the student's code does."""
        gate.begin()
        reply, found = self._answer(request, buffers)
        if shortcut := gate.refused():
            return {**_REFUSED, "message": shortcut, "traceback": reply.get("traceback", "")}, []
        return reply, found

    def _answer(self, request: dict[str, Any], buffers: Sequence[Any]) -> tuple[dict[str, Any], list[Any]]:
        try:
            decoder = values.Decoder(buffers, self._find)
            arguments = decoder.decode(request.get("arguments"))
            keywords = decoder.decode(request.get("keywords"))
            _seed(request.get("seed"))
            result = self._perform(request, arguments or [], keywords or {})
            encoder = values.Encoder(self._keep, values.Bounds(*request.get("bounds", values.ANSWER)))
            return {"status": "ok", "value": encoder.encode(result)}, encoder.buffers
        except values.ValueRefused as error:
            return _error("type", error, f"the value returned cannot be read: {error}"), []
        except _Missing as error:
            return _error("missing", error), []
        except NotImplementedError as error:
            return _error("missing", error), []
        except MemoryError as error:
            return _error("memory", error), []
        except self.not_an_answer:
            raise
        except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt too are the student's answer
            return _error("memory" if _is_torch_memory(error) else "exception", error, missing=self.missing), []

    def _perform(self, request: dict[str, Any], arguments: Sequence[Any], keywords: dict[str, Any]) -> Any:
        operation, name = request["operation"], request.get("name", "")
        if operation == "value":
            return self._lookup(name)
        if operation == "call":
            function = self._lookup(name)
            if not callable(function):
                raise _Missing(f"{name} is a {type(function).__name__}, not a function")
            return function(*arguments, **keywords)
        target = self._find(request["handle"], "")
        if operation == "apply":
            return target(*arguments, **keywords)
        if operation == "method":
            return getattr(target, name)(*arguments, **keywords)
        if operation == "network":
            from . import networks  # it imports torch: only where networks are

            if self.device != "cpu":
                target, arguments, keywords = networks.put_on(self.device, (target, arguments, keywords))
            return networks.OPERATIONS[name](target, *arguments, **keywords)
        raise values.ValueRefused(f"unknown operation {operation!r}")

    def _lookup(self, name: str) -> Any:
        if name not in self.namespace:
            raise _Missing(f"there is no `{name}`")
        return self.namespace[name]

    def _keep(self, value: Any) -> int:
        self._kept.append(value)
        return len(self._kept) - 1

    def _find(self, number: int, _type_name: str) -> Any:
        if not 0 <= number < len(self._kept):
            raise values.ValueRefused("a handle to nothing")
        return self._kept[number]


class _Missing(Exception):  # noqa: N818 - never seen outside: it becomes a cause
    """The name is not there, or is no function."""


def _seed(seed: int | None) -> None:
    if seed is None:
        return
    random.seed(seed)
    np = sys.modules["numpy"]
    np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.default_generator.manual_seed(seed)  # torch.manual_seed looks for every kind of device, each time
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


def _is_torch_memory(error: BaseException) -> bool:
    """Whether torch could not allocate: it raises a plain RuntimeError on the CPU."""
    return gpu.is_out_of_memory(error) or (type(error) is RuntimeError and "can't allocate memory" in str(error))


def _error(
    cause: str, error: BaseException, message: str | None = None, missing: Mapping[str, str] = environment.NOTHING
) -> dict[str, Any]:
    try:
        text = environment.explained(error, str(error), missing) if message is None else message
    except Exception:  # noqa: BLE001 - a hostile __str__; there is nothing better to say
        text = "(its message could not be read)"
    return {
        "status": "error",
        "cause": cause,
        "type": type(error).__name__[:100],
        "message": text[:1000].encode(errors="replace").decode(),
        "traceback": _frames(error)[-4000:],
    }


def _frames(error: BaseException) -> str:
    """The student's own frames of the traceback (notebook cells), innermost last, without the probe's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipykernel" in frame.filename or frame.filename.startswith("<")
    ]
    if not frames:
        return ""
    linecache.checkcache()
    return "".join(traceback.format_list(frames)[-6:])
