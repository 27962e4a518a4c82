"""Compare a student's network with the reference: parameters, shapes, outputs and gradients with the same weights.

    from autograder.checks.networks import agree
    agree(student.LeNet5(classes=7), LeNet5(classes=7), draw.tensor.images(4, 1, 32, 32))

The networks need no names in common. Their layers are paired (see `pairing`), both are given the same weights, and
what comes out must be the same; where it is not, the message says at which layer the two part. As `close` does, each
function records its comparison in the running check and returns whether it held.

Every function raises StudentFailure where the student's network raises, or is no network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from autograder.checks.compare import Difference, describe, differ, note
from autograder.checks.pairing import Layer, ordinal, pair, parting, read_layers, unpaired
from autograder.checks.student import Handle
from autograder.errors import StudentFailure
from autograder.inside.networks import OPERATIONS, pattern, table


def agree(model: Any, reference: nn.Module, x: Any, *, training: bool = False, what: str = "the output") -> bool:
    """Whether both networks give the same outputs for the same weights (and, in batch normalisation, statistics).

    Dropout is switched off, so that networks in training mode can be compared too.
    """
    pairing = _transplant(model, reference, _tensor(x), training)
    return pairing is not None and pairing.same_outputs(what)


def same_gradients(
    model: Any, reference: nn.Module, x: Any, loss: Callable[..., Tensor], *, training: bool = False
) -> bool:
    """Whether `loss(*outputs)` has the same gradients for the same weights: with respect to `x` and every weight."""
    x = _tensor(x)
    pairing = _transplant(model, reference, x, training)
    if pairing is None or not pairing.same_outputs("the output"):
        return False
    slopes = _slopes(pairing.expected.outputs, loss)
    expected, found = (_ask(network, "backward", x, slopes, training=training) for network in (reference, model))
    return pairing.same_tensors(
        expected["parameters"],
        _field(found, "parameters"),
        "the gradient of the ",
        {"the gradient with respect to the input": (_field(found, "input"), expected["input"])},
    )


def same_statistics(model: Any, reference: nn.Module, x: Any) -> bool:
    """Whether one pass in training mode moves the running means and variances of both networks alike."""
    pairing = _transplant(model, reference, _tensor(x), training=True)
    if pairing is None:
        return False
    expected, found = (_ask(network, "statistics") for network in (reference, model))
    return pairing.same_tensors(expected, found, "after one pass in training, the ")


def same_parameters(model: Any, reference: Any, *args: Any, **kwargs: Any) -> bool:
    """Whether both networks have as many parameters, and layers of the same shapes, in any order.

    Two classes (`student.value("VGG")` and `VGG`) are built with the arguments on torch's meta device: a network of
    138 million parameters takes no memory there.
    """
    operation = "build" if isinstance(reference, type) else "layers"
    expected, found = (_ask(network, operation, *args, **kwargs) for network in (reference, model))
    wanted, given, total = read_layers(expected), read_layers(found), _field(found, "parameters")
    apart = unpaired(wanted, given)
    difference = None
    if apart or total != expected["parameters"]:
        told = f"{_count(total)} parameters, expected {expected['parameters']:,}"
        difference = Difference("value", f"{told}; {apart}" if apart else told)
    return note(difference, [total, *sorted(layer.key for layer in given)])


def same_shapes(model: Any, reference: nn.Module, x: Any, *, training: bool = False) -> bool:
    """Whether both networks return as many outputs, of the same shapes, whatever their weights."""
    expected, found = (_run(network, _tensor(x), None, training=training) for network in (reference, model))
    return note(_shapes_differ(found.shapes, expected.shapes), [found.shapes])


def same_dropout(model: Any, reference: nn.Module, x: Any) -> bool:
    """Whether in training the same dropouts are active, on as many values each, and none in evaluation.

    Any of torch's dropouts counts, as a module or as a function.
    """
    x = _tensor(x)
    wanted = _run(reference, x, None, training=True).dropouts
    given, resting = (_run(model, x, None, training=training).dropouts for training in (True, False))
    difference = None
    if resting:
        difference = Difference("value", f"in evaluation mode nothing may be dropped, found {_rates(resting)}")
    elif given != wanted:
        difference = Difference("value", f"in training mode expected {_rates(wanted)}, found {_rates(given)}")
    return note(difference, [given, resting])


def is_identity_with_zero_weights(block: Any, x: Any, *, training: bool = False) -> bool:
    """Whether a block whose parameters are all zero returns `x`: a residual block does, for x not below zero."""
    _ask(block, "zero")
    x = _tensor(x)
    outputs = _run(block, x, None, training=training).outputs
    difference = differ(outputs[0], x, "with all its weights zero, the block's output")
    return note(difference, outputs[0], x)


@dataclass(frozen=True, slots=True)
class _Run:
    """What came out of a network: its outputs, the layers it executed, the dropouts that would have been active."""

    outputs: list[Tensor]
    layers: list[Layer]
    dropouts: list[tuple[float, int]]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the outputs."""
        return [tuple(output.shape) for output in self.outputs]


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Two networks that were run with the same weights.

    `partners` are the names of the student's layers, for each expected layer in the order of execution; `tensors` are
    titles and their names here and there.
    """

    expected: _Run
    found: _Run
    partners: list[str]
    tensors: list[tuple[str, str, str]]

    def same_outputs(self, what: str) -> bool:
        """Compare the outputs; say where the networks part."""
        wanted, given = self.expected.outputs, self.found.outputs
        difference = _shapes_differ(self.found.shapes, self.expected.shapes)
        if difference is None:
            difference = differ(_single(given), _single(wanted), what)
        if difference is not None:
            where = parting(self.expected.layers, self.found.layers, self.partners)
            brief = difference.count or difference.message
            difference = replace(difference, message=f"{difference.message}; {where}", count=f"{brief}; {where}")
        return note(difference, given, wanted)

    def same_tensors(
        self, expected: dict[str, Tensor], found: Any, what: str, more: dict[str, Any] | None = None
    ) -> bool:
        """Compare tensors by the names that the layers' tensors have here and there.

        `more` are further ones, `(found, expected)` by title, compared first.
        """
        if not isinstance(found, dict):
            raise _unreadable(found)
        pairs = dict(more or {})
        for title, here, there in self.tensors:
            if here in expected:
                pairs[what + title] = (_reshaped(found.get(there), expected[here]), expected[here])
        differences = (_tensors_differ(given, wanted, title) for title, (given, wanted) in pairs.items())
        difference = next((difference for difference in differences if difference is not None), None)
        return note(difference, [given for given, _ in pairs.values()], [wanted for _, wanted in pairs.values()])


def _transplant(model: Any, reference: nn.Module, x: Tensor, training: bool) -> _Pairing | None:
    """Pair the layers, put the same weights into both networks, run both; None where their layers differ (recorded)."""
    wanted, given = (
        read_layers(_ask(network, "forward", x, training=training, patterned=True)) for network in (reference, model)
    )
    if apart := unpaired(wanted, given):
        difference = Difference("value", f"among the layers that are used, {apart}")
        note(difference, sorted(layer.key for layer in given))
        return None
    here, there, partners, tensors = {}, {}, [], []
    for number, (layer, partner) in enumerate(zip(wanted, pair(wanted, given), strict=True)):
        partners.append(partner.name)
        for position, ((own, shape), (theirs, _)) in enumerate(zip(layer.tensors, partner.tensors, strict=True)):
            here[own] = there[theirs] = pattern(table(shape), position, norm=layer.norm, seed=number + 1)
            tensors.append((f"{own.rpartition('.')[2]} of the {ordinal(wanted, number)}", own, theirs))
    expected, found = _run(reference, x, here, training=training), _run(model, x, there, training=training)
    return _Pairing(expected, found, partners, tensors)


def _ask(network: Any, operation: str, *args: Any, **kwargs: Any) -> Any:
    """Perform an operation on a network here, or on the student's, there."""
    if isinstance(network, Handle):
        return network.operate(operation, *args, **kwargs)
    if isinstance(network, nn.Module | type):
        return OPERATIONS[operation](network, *args, **kwargs)
    raise StudentFailure("type", f"expected a network (a torch.nn.Module), found {describe(network)}")


def _run(network: Any, x: Tensor, weights: dict[str, Tensor] | None, *, training: bool) -> _Run:
    answer = _ask(network, "forward", x, weights, training=training)
    outputs, dropouts = _field(answer, "outputs"), _field(answer, "dropouts")
    if not isinstance(outputs, list) or not outputs or not all(isinstance(output, Tensor) for output in outputs):
        raise _unreadable(outputs)
    try:
        rates = sorted((float(rate), int(size)) for rate, size in dropouts)
    except (TypeError, ValueError, OverflowError):
        raise _unreadable(dropouts) from None
    return _Run(outputs, read_layers(answer), rates)


def _field(answer: Any, name: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise _unreadable(answer)
    return answer[name]


def _unreadable(value: Any) -> StudentFailure:
    return StudentFailure("type", f"the network's answer cannot be read: found {describe(value)}")


def _tensor(x: Any) -> Tensor:
    return torch.as_tensor(x).float()


def _slopes(outputs: Sequence[Tensor], loss: Callable[..., Tensor]) -> list[Tensor]:
    """Derivatives of the loss with respect to the outputs."""
    leaves = [output.clone().requires_grad_() for output in outputs]
    return list(torch.autograd.grad(loss(*leaves), leaves))


def _single(outputs: list[Tensor]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


def _shapes_differ(found: list[tuple[int, ...]], expected: list[tuple[int, ...]]) -> Difference | None:
    if len(found) != len(expected):
        return Difference("shape", f"the network returns {_outputs(found)}, expected {_outputs(expected)}")
    if found != expected:
        pairs = zip(found, expected, strict=True)
        wrong, right = next(pair for pair in pairs if pair[0] != pair[1])
        return Difference("shape", f"the output has shape {wrong}, expected {right}")
    return None


def _outputs(shapes: list[tuple[int, ...]]) -> str:
    return "one output" if len(shapes) == 1 else f"{len(shapes)} outputs"


def _reshaped(found: Any, expected: Tensor) -> Any:
    """A layer's tensor in the shape of its partner's, where they are the same table."""
    same_size = isinstance(found, Tensor) and found.numel() == expected.numel()
    return found.reshape(expected.shape) if same_size else found


def _tensors_differ(found: Any, expected: Tensor | None, title: str) -> Difference | None:
    if expected is None and found is None:
        return None
    if found is None:
        return Difference("value", f"{title} is missing: nothing of the loss reaches it")
    return differ(found, expected, title)


def _rates(dropouts: list[tuple[float, int]]) -> str:
    listed = ", ".join(f"dropout of {rate:g} on {size:,} values" for rate, size in dropouts[:6])
    return listed or "no dropout"


def _count(total: Any) -> str:
    return f"{total:,}" if isinstance(total, int) else describe(total)
