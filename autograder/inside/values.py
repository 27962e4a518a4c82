"""The value codec: plain values to a JSON tree and binary buffers, and back. Never pickle, never code.

Both sides use it. The side that decodes trusts nothing: types, shapes, dtypes, sizes, depth and counts are
checked before anything is allocated. Only *exact* types are encoded, so a subclass with its own `__eq__` or
`__array__` never crosses; what has no plain form crosses as an opaque handle (its number and the name of its
type).
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

MAX_ALIKE = 100
MAX_INT_BITS = 4096
MAX_SCALAR = 2 * 16
"""Hexadecimal digits of the largest."""
NUMERIC_DTYPE = re.compile(r"[<|][biufc](?:[1248]|16)")
TENSOR_DTYPES = {
    "float16", "float32", "float64", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool",
    "complex64", "complex128",
}  # fmt: skip


class Bounds(NamedTuple):
    """How large a value may be: bytes of its arrays and strings together, lists in lists, parts, arrays, text."""

    bytes: int = 2**30
    depth: int = 32
    parts: int = 200_000
    arrays: int = 4096
    text: int = 2**22
    """Characters of its strings together. Each may take four bytes, and twelve on the way."""


REQUEST = Bounds()
ANSWER = Bounds(2**28, depth=24, parts=100_000, arrays=2048, text=2**20)
"""Less than of a request: so a check can hand an answer on, inside another list, and never be refused."""
MAX_DIMENSIONS = 32


class ValueRefused(ValueError):  # noqa: N818 - it is a refusal, and the message says of what
    """A value that may not cross: too deep, too large, or (when decoding) malformed."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """What the trusted side knows of an object that stayed in the kernel."""

    number: int
    type_name: str


class Encoder:
    """Encodes values; `keep` is asked for the number of an object that cannot cross."""

    def __init__(self, keep: Callable[[Any], int] | None = None, bounds: Bounds = REQUEST) -> None:
        self.keep = keep
        self.buffers: list[Any] = []
        self._bounds = bounds
        self._left = bounds.bytes
        self._parts = self._text = 0

    def encode(self, value: Any, depth: int = 0) -> Any:  # noqa: C901, PLR0911, PLR0912 - one branch a type
        """The JSON tree of `value`; its binary parts are appended to `buffers`.

        Raises:
            ValueRefused: it is out of bounds.
        """
        self._parts += 1
        if depth > self._bounds.depth:
            raise ValueRefused(f"a value nested more than {self._bounds.depth} deep")
        if self._parts > self._bounds.parts:
            raise ValueRefused(f"a value of more than {self._bounds.parts} parts")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if value.bit_length() > MAX_INT_BITS:
                raise ValueRefused(f"an integer of {value.bit_length()} bits")
            return value if value.bit_length() < 64 else {"t": "int", "v": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"t": "float", "v": repr(value)}
        if kind is str:
            self._spend(len(value))
            self._text = _more_text(self._text, value, self._bounds)
            return value.encode("utf-8", "replace").decode("utf-8")
        if kind is complex:
            return {"t": "complex", "v": [self.encode(value.real), self.encode(value.imag)]}
        if kind is bytes:
            return {"t": "bytes", "b": self._buffer(value, len(value))}
        if kind is list or kind is tuple:
            return {"t": kind.__name__, "v": [self.encode(item, depth + 1) for item in value]}
        if kind is dict:
            return {
                "t": "dict",
                "v": [[self.encode(key, depth + 1), self.encode(item, depth + 1)] for key, item in value.items()],
            }
        if kind is np.ndarray and value.dtype.kind in "biufc" and value.dtype.itemsize <= 16:
            array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
            return {
                "t": "ndarray",
                "d": array.dtype.str,
                "s": list(value.shape),
                "b": self._buffer(array.reshape(-1).view(np.uint8) if array.size else b"", array.nbytes),
            }
        if (
            issubclass(kind, np.generic)
            and kind.__module__ == "numpy"
            and value.dtype.kind in "biufc"
            and value.nbytes <= 16
        ):
            self._spend(value.nbytes)
            return {"t": "scalar", "d": value.dtype.str, "v": value.tobytes().hex()}
        torch = sys.modules.get("torch")
        if torch is not None and kind in (torch.Tensor, torch.nn.Parameter) and not value.is_sparse:
            return self._tensor(value, torch)
        if issubclass(kind, Opaque):
            return {"t": "handle", "n": value.number, "k": value.type_name}
        if self.keep is None:
            raise ValueRefused(f"a {kind.__name__} is no plain value")
        return {"t": "handle", "n": self.keep(value), "k": _kind(value)}

    def _tensor(self, value: Any, torch: Any) -> dict[str, Any]:
        name = str(value.dtype).removeprefix("torch.")
        if name not in TENSOR_DTYPES:
            raise ValueRefused(f"a tensor of dtype {name}")
        if value.is_meta:
            raise ValueRefused("a tensor without values, on the device `meta`")
        self._spend(0, value.numel() * value.element_size())
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        flat = flat.as_strided((flat.numel(),), (1,))  # one element is contiguous whatever its stride
        data = flat.view(torch.uint8).numpy() if flat.numel() else b""
        return {"t": "tensor", "d": name, "s": list(value.shape), "b": self._buffer(data, 0)}

    def _buffer(self, data: Any, size: int) -> int:
        self._spend(size)
        if len(self.buffers) == self._bounds.arrays:
            raise ValueRefused(f"a value of more than {self._bounds.arrays} arrays")
        self.buffers.append(data)
        return len(self.buffers) - 1

    def _spend(self, size: int, more: int = 0) -> None:
        self._left -= size + more
        if self._left < 0:
            raise ValueRefused(f"a value of more than {size_of(self._bounds.bytes)}")


class Decoder:
    """Decodes what an `Encoder` wrote; `find` turns the number of a handle into an object."""

    def __init__(
        self, buffers: Sequence[Any], find: Callable[[int, str], Any] | None = None, bounds: Bounds = REQUEST
    ) -> None:
        self._buffers = buffers
        self._unused = set(range(len(buffers)))
        self._find = find
        self._bounds = bounds
        self._parts = self._characters = 0

    def decode(self, tree: Any, depth: int = 0) -> Any:
        """The value of `tree`.

        Raises:
            ValueRefused: anything about it is not as an Encoder of these bounds writes it.
        """
        self._parts += 1
        if depth > self._bounds.depth or self._parts > self._bounds.parts:
            raise ValueRefused("too deep or too many parts")
        if len(self._buffers) > self._bounds.arrays:
            raise ValueRefused(f"more than {self._bounds.arrays} arrays")
        if isinstance(tree, str):
            self._characters = _more_text(self._characters, tree, self._bounds)
            return _text(tree)
        if tree is None or isinstance(tree, bool | float) or (isinstance(tree, int) and tree.bit_length() < 64):
            return tree
        if not isinstance(tree, dict):
            raise ValueRefused(f"a {type(tree).__name__} where a value was expected")
        try:
            return self._tagged(tree, depth)
        except ValueRefused:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
            raise ValueRefused("a malformed value") from error

    def _tagged(self, tree: dict[str, Any], depth: int) -> Any:  # noqa: C901, PLR0911, PLR0912 - one branch a type
        tag = tree["t"]
        if tag == "int":
            if len(tree["v"]) > MAX_INT_BITS // 4 + 3:
                raise ValueRefused("an integer too long")
            number = int(tree["v"], 16)
            if number.bit_length() > MAX_INT_BITS:  # what is accepted here can be sent back
                raise ValueRefused(f"an integer of {number.bit_length()} bits")
            return number
        if tag == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[tree["v"]]
        if tag == "complex":
            real, imag = (self.decode(part, depth) for part in tree["v"])
            return complex(float(real), float(imag))
        if tag == "bytes":
            return bytes(self._raw(tree))
        if tag == "list":
            return [self.decode(item, depth + 1) for item in tree["v"]]
        if tag == "tuple":
            return tuple(self.decode(item, depth + 1) for item in tree["v"])
        if tag == "dict":
            return _dict([(self.decode(key, depth + 1), self.decode(item, depth + 1)) for key, item in tree["v"]])
        if tag == "scalar":
            return self._array(_dtype(tree["d"]), (), memoryview(bytes.fromhex(tree["v"][:MAX_SCALAR])))[()]
        if tag == "ndarray":
            return self._array(_dtype(tree["d"]), _shape(tree["s"]), self._raw(tree))
        if tag == "tensor":
            return self._tensor(tree)
        if tag == "handle":
            handle, name = tree["n"], tree["k"]
            if self._find is None or type(handle) is not int or type(name) is not str:
                raise ValueRefused("a handle where none is allowed")
            return self._find(handle, _text(name[:100]))
        raise ValueRefused(f"unknown tag {str(tag)[:40]!r}")

    def _raw(self, tree: dict[str, Any]) -> memoryview:
        index = tree["b"]
        if type(index) is not int or index not in self._unused:  # used twice, one buffer would fill the memory
            raise ValueRefused("a buffer that is not there")
        self._unused.remove(index)
        return memoryview(self._buffers[index]).cast("B")

    @staticmethod
    def _array(dtype: np.dtype[Any], shape: tuple[int, ...], raw: memoryview) -> np.ndarray[Any, Any]:
        if math.prod(shape) * dtype.itemsize != raw.nbytes:
            raise ValueRefused(f"{raw.nbytes} bytes for an array of shape {shape} and dtype {dtype}")
        return np.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)  # a copy of its own, writable

    def _tensor(self, tree: dict[str, Any]) -> Any:
        import torch

        name, shape, raw = tree["d"], _shape(tree["s"]), self._raw(tree)
        if name not in TENSOR_DTYPES:
            raise ValueRefused("a tensor of unknown dtype")
        dtype = getattr(torch, name)
        if math.prod(shape) * dtype.itemsize != raw.nbytes:
            raise ValueRefused(f"{raw.nbytes} bytes for a tensor of shape {shape} and dtype {name}")
        if raw.nbytes == 0:
            return torch.empty(shape, dtype=dtype)
        return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)


def size_of(count: int) -> str:
    """A number of bytes as people say it."""
    return f"{count >> 20} MiB" if count >= 2**20 else f"{count} bytes"


def _kind(value: Any) -> str:
    """What a student calls a value that cannot cross."""
    name = type(value).__name__[:40]
    if type(value) is np.ndarray:
        return f"{name} of dtype {value.dtype}"[:100]
    return f"sparse {name}" if name == "Tensor" else name


def _dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A key is compared with all others of its hash, and those of numbers are anybody's: 40,000 take half a minute."""
    alike = Counter(hash(key) for key, _ in pairs)
    if max(alike.values(), default=0) > MAX_ALIKE:
        raise ValueRefused(f"a dict of more than {MAX_ALIKE} keys with one hash")
    return dict(pairs)


def _more_text(before: int, value: str, bounds: Bounds) -> int:
    """Return the characters so far, and of one more string.

    Raises:
        ValueRefused: they are too many.
    """
    if before + len(value) > bounds.text:
        raise ValueRefused(f"a value of more than {bounds.text:,} characters of text")
    return before + len(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueRefused("a string that is not Unicode text") from None
    return value


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS:
        raise ValueRefused("a shape that is no short list")
    if any(type(size) is not int or not 0 <= size < 2**40 for size in value):
        raise ValueRefused("a shape of something other than sizes")
    return tuple(value)


def _dtype(name: Any) -> np.dtype[Any]:
    if type(name) is not str or not NUMERIC_DTYPE.fullmatch(name):
        raise ValueRefused("a dtype that is not numeric")
    return np.dtype(name)
