"""Operations on a network that stays in the student's kernel: list its layers, run it, differentiate it.

The probe performs them on the student's object, the checks perform the same on the reference. Arguments and results are
plain values: numbers, strings, lists, dicts, tensors.

A *layer* here is a module with parameters or running statistics of its own, described as a dict: `name` (its path in
the network), `kind` (its class), `tensors` (`[name, shape]` of each: matrices, vectors, running statistics). A layer
that was executed also has the *signals* seen there, `input` and `output` (of its first call) and in a patterned run
`gradient` (of its first tensor): `[shape, norm, projection]`, enough to tell whether two networks have the same numbers
in the same order.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

STATISTICS = ("running_mean", "running_var")
DROPOUTS = frozenset(
    {
        functional.dropout,
        functional.dropout1d,
        functional.dropout2d,
        functional.dropout3d,
        functional.alpha_dropout,
        functional.feature_alpha_dropout,
        torch.dropout,
    }
)


def layers(network: object) -> dict[str, Any]:
    """`parameters`, their number (a shared one counts once), and `layers` in the order of definition."""
    module = _module(network)
    return {
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "layers": [_description(name, layer) for name, layer in _layers(module)],
    }


def build(family: object, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What `layers` says of the network `family(*args, **kwargs)`, made on torch's meta device: shapes, no memory."""
    if not callable(family):
        raise TypeError(f"expected a class of networks, found a {type(family).__name__}")
    with torch.device("meta"):
        return layers(family(*args, **kwargs))


def forward(
    network: object,
    x: Tensor,
    weights: dict[str, Tensor] | None = None,
    *,
    training: bool = False,
    patterned: bool = False,
) -> dict[str, Any]:
    """Run the network on `x` with every dropout switched off. `weights`, by name, are put in first, and stay.

    Returns `outputs` (a list of tensors), `layers` in the order of execution with their signals, and `dropouts`:
    `[rate, values per sample]` of each dropout that was switched off.

    A `patterned` run has a `pattern` in every tensor instead of its weights, which are put back afterwards, and adds
    each layer's gradient, that of a fixed weighting of the outputs. Patterns depend on shapes alone, so layers of two
    networks with the same signals play the same part.
    """
    module = _module(network)
    _load(module, weights or {})
    with _mode(module, training), _patterns(module, patterned), torch.set_grad_enabled(patterned):
        with _WithoutDropout() as dropout, _observed(module) as seen:
            outputs = _outputs(module(x))
        if patterned:
            _note_gradients(outputs, seen)
    return {
        "outputs": [output.detach() for output in outputs],
        "layers": [description for description, _ in seen],
        "dropouts": dropout.found,
    }


def backward(network: object, x: Tensor, slopes: Sequence[Tensor], *, training: bool = False) -> dict[str, Any]:
    """Gradients of a loss whose derivatives with respect to the outputs are `slopes`; dropout is switched off.

    Returns `input`, the gradient with respect to `x`, and `parameters`, one gradient by name: None where there is none.
    """
    module = _module(network)
    x = x.clone().requires_grad_()
    with _mode(module, training), torch.enable_grad(), _WithoutDropout():
        outputs = _outputs(module(x))
        named = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
        found = torch.autograd.grad(outputs, [x, *named.values()], list(slopes), allow_unused=True)
    return {"input": found[0], "parameters": dict(zip(named, found[1:], strict=True))}


def statistics(network: object) -> dict[str, Tensor]:
    """The running means and variances of all layers, by name."""
    return {name: tensor.clone() for name, tensor in _module(network).named_buffers() if name.endswith(STATISTICS)}


def zero(network: object) -> None:
    """Set every parameter to zero."""
    with torch.no_grad():
        for parameter in _module(network).parameters():
            parameter.zero_()


OPERATIONS: dict[str, Callable[..., Any]] = {
    operation.__name__: operation for operation in (layers, build, forward, backward, statistics, zero)
}


def put_on(device: str, value: Any) -> Any:
    """`value` with its networks moved to `device`, and the tensors in its lists, tuples and dicts copied there."""
    if isinstance(value, nn.Module | Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: put_on(device, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(put_on(device, item) for item in value)
    return value


def table(shape: Sequence[int]) -> tuple[int, ...]:
    """A tensor's shape as a layer uses it: `(outputs, weights of each)`, or `(n,)` for a vector.

    A linear layer on a flattened map and a convolution as large as the map are the same table.
    """
    return (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (math.prod(shape),)


def pattern(shape: Sequence[int], position: int, *, norm: bool, seed: int = 0) -> Tensor:
    """Numbers for the tensor at `position` in a layer, float32 of this `table`: random to the eye, always the same.

    Matrices have He's deviation, sqrt(2 / fan-in), so that signals keep their size through many layers. In a layer
    without matrices (`norm`) they are a scale near 1, a shift and a mean near 0, a variance from 0.5 to 1.5.
    """
    generator = torch.Generator().manual_seed(zlib.crc32(repr((seed, position, *shape)).encode()))
    if norm and position == 3:
        return torch.rand(*shape, generator=generator) + 0.5
    values = torch.randn(*shape, generator=generator)
    if len(shape) > 1:
        return values * math.sqrt(2 / max(1, shape[1]))
    return values * 0.2 + (1.0 if norm and position == 0 else 0.0)


def _module(network: object) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise TypeError(f"expected a torch.nn.Module, found a {type(network).__name__}")
    return network


def _layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return ((name, layer) for name, layer in module.named_modules() if _tensors(layer))


def _tensors(layer: nn.Module) -> list[tuple[str, Tensor]]:
    """The layer's own tensors with their names in the layer."""
    parameters = [(name, tensor) for name, tensor in layer._parameters.items() if tensor is not None]
    parameters.sort(key=lambda pair: -pair[1].dim())
    statistics = [(name, tensor) for name in STATISTICS if (tensor := layer._buffers.get(name)) is not None]
    return parameters + statistics


def _is_norm(layer: nn.Module) -> bool:
    return all(tensor.dim() < 2 for _, tensor in _tensors(layer))


def _description(name: str, layer: nn.Module) -> dict[str, Any]:
    prefix = f"{name}." if name else ""
    tensors = [[prefix + own, list(tensor.shape)] for own, tensor in _tensors(layer)]
    return {"name": name, "kind": type(layer).__name__, "tensors": tensors}


def _outputs(value: Any) -> list[Tensor]:
    """What `forward` returned, as a list of tensors.

    Raises:
        TypeError: it is neither a tensor nor a tuple, list or dict of tensors.
    """
    parts = list(value.values()) if isinstance(value, dict) else value
    outputs = list(parts) if isinstance(parts, tuple | list) else [parts]
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"forward should return a tensor, or a tuple of tensors; found a {type(output).__name__}")
    return outputs


def _load(module: nn.Module, weights: dict[str, Tensor]) -> None:
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    for name, value in weights.items():
        _fill(own[name], value)


def _fill(tensor: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        tensor.copy_(values.reshape(tensor.shape))


@contextmanager
def _mode(module: nn.Module, training: bool) -> Iterator[None]:
    """The network in training or evaluation mode, every module back in its own mode afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def _patterns(module: nn.Module, patterned: bool) -> Iterator[None]:
    """Where `patterned`, a pattern in every tensor of every layer, none frozen; all is put back afterwards."""
    tensors = (*module.parameters(), *module.buffers()) if patterned else ()
    kept = [(tensor, tensor.detach().clone(), tensor.requires_grad) for tensor in tensors]
    try:
        for _, layer in _layers(module) if patterned else ():
            for position, (_, tensor) in enumerate(_tensors(layer)):
                _fill(tensor, pattern(table(tensor.shape), position, norm=_is_norm(layer)))
                tensor.requires_grad_(isinstance(tensor, nn.Parameter))
        yield
    finally:
        for tensor, values, requires_grad in kept:
            tensor.requires_grad_(requires_grad)
            _fill(tensor, values)


class _WithoutDropout(TorchFunctionMode):
    """Lets dropout pass its input on, whether it is called as a module or as a function, and notes its rate."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[float]] = []

    def __torch_function__(
        self, func: Any, _types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in DROPOUTS:
            return func(*args, **kwargs)
        named = {**dict(zip(("input", "p", "training", "inplace"), args, strict=False)), **kwargs}
        x, rate = named["input"], float(named.get("p", 0.5))
        if named.get("training", named.get("train", True)) and rate > 0:
            self.found.append([rate, float(x[0].numel())])
        return x


@contextmanager
def _observed(module: nn.Module) -> Iterator[list[tuple[dict[str, Any], nn.Module]]]:
    """A list that grows by every layer when it is first executed: its description with its signals, and itself."""
    seen: list[tuple[dict[str, Any], nn.Module]] = []
    known: dict[nn.Module, dict[str, Any]] = {}
    names = {layer: name for name, layer in _layers(module)}

    def enter(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if layer not in known:
            value = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
            known[layer] = _description(names[layer], layer) | {"input": _signal(value), "output": None}
            seen.append((known[layer], layer))

    def leave(layer: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        if known[layer]["output"] is None and isinstance(output, Tensor):
            known[layer]["output"] = _signal(output)

    hooks = [layer.register_forward_pre_hook(enter, with_kwargs=True) for layer in names]
    hooks += [layer.register_forward_hook(leave) for layer in names]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _note_gradients(outputs: Sequence[Tensor], seen: Sequence[tuple[dict[str, Any], nn.Module]]) -> None:
    """Add to each layer that was seen the gradient of its first tensor: None where none arrives."""
    outputs = [output for output in outputs if output.requires_grad]
    firsts = [_tensors(layer)[0][1] for _, layer in seen]
    wanted = [tensor for tensor in firsts if tensor.requires_grad]
    slopes = [torch.from_numpy(_direction(o.numel())).reshape(o.shape).to(o.device) for o in outputs]
    found = torch.autograd.grad(outputs, wanted, slopes, allow_unused=True) if outputs and wanted else ()
    gradients = dict(zip(map(id, wanted), found, strict=bool(found)))
    for (description, _), first in zip(seen, firsts, strict=True):
        description["gradient"] = _signal(gradients.get(id(first)))


def _signal(tensor: Tensor | None) -> list[Any] | None:
    """Shape, Euclidean norm, and projection on a fixed direction: differs wherever the numbers or their order do."""
    if tensor is None:
        return None
    values = tensor.detach().cpu().float().numpy()  # numpy from here on: no tensor operation to be watched for dropout
    flat = values.reshape(-1)
    return [list(values.shape), float(np.sqrt(flat @ flat)), float(flat @ _direction(flat.size))]


def _direction(size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A fixed vector; a shorter one is the beginning of a longer one."""
    return _long_direction(1 << max(0, size - 1).bit_length())[:size]


@lru_cache(maxsize=32)
def _long_direction(size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal(size, dtype=np.float32)
