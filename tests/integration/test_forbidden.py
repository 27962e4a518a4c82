"""Forbidden functions of torch, and of modules that are imported late: what is refused in calls, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.inside.values import Encoder
from autograder.kernel.session import KernelSession
from autograder.model.assignment import Limits
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

FORBIDDEN = ("torch.nn.functional.conv2d", "scipy.signal", "numpy.convolve", "torch.hub")
SETUP = """
import numpy as np, torch, torch.nn.functional as F
from torch import nn
x, w = torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3)
made = nn.Conv2d(1, 1, 3)
network = nn.Sequential(made, nn.ReLU())
assert F.conv2d(x, w).sum() == 81  # a test of one's own
import scipy.signal
from scipy.signal import convolve2d
assert convolve2d(np.ones((3, 3)), np.ones((2, 2))).sum() == 36
"""
REFUSED = [
    "F.conv2d(x, w)", "torch.conv2d(x, w)", "torch.convolution(x, w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)",
    "torch.ops.aten.conv2d(x, w)", "torch.ops.aten.conv2d.default(x, w)",
    "torch.ops.aten.convolution(x, w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)",
    "torch._C._VariableFunctions.conv2d(x, w)", "type(torch._C._VariableFunctions).conv2d(x, w)",
    "torch._C._nn.thnn_conv2d(x, w, [3, 3])", "torch._C._nn.slow_conv_dilated2d(x, w, [3, 3])",
    "torch._C._jit_get_operation('aten::conv2d')[0](x, w)",
    "F.conv3d(x[None], w[None])", "F.conv_transpose2d(x, w)", "made(x)", "network(x)", "nn.Conv2d(1, 1, 3)(x)",
    "nn.Conv2d.forward(made, x)", "made._conv_forward(x, w, None)", "torch.vmap(F.conv2d)(x[None], w[None])",
    "torch.nn.grad.conv2d_input((1, 1, 5, 5), w, x[..., :3, :3])", "list(map(F.conv2d, [x], [w]))",
    "torch.jit.CompilationUnit('def f(x, w):\\n  return torch.conv2d(x, w)\\n').f(x, w)",
    "[each for each, name in torch.jit._builtins._builtin_ops if name == 'aten::conv2d'][0](x, w)",
    "scipy.signal.fftconvolve([1.0, 2.0], [1.0])", "convolve2d(np.ones((3, 3)), np.ones((2, 2)))",
    "__import__('scipy.signal', fromlist=['x']).correlate([1.0, 2.0], [1.0])",
    "scipy.signal._signaltools.convolve([1.0, 2.0], [1.0])", "scipy.signal.lfilter([1.0], [1.0], [1.0, 2.0])",
    "__import__('scipy.ndimage', fromlist=['x']).convolve(np.ones((3, 3)), np.ones((2, 2)))",
    "np.convolve([1.0, 2.0], [1.0])", "torch.hub.list('no/where')",
]  # fmt: skip
ALLOWED = [
    "F.linear(torch.ones(2, 3), torch.ones(4, 3))", "F.unfold(x, 3)", "F.pad(x, (1, 1))", "F.max_pool2d(x, 2)",
    "nn.Sequential(nn.Flatten(), nn.Linear(25, 2))(x)", "nn.BatchNorm2d(1)(x)", "nn.LSTM(5, 2)(x[0])[0]",
    "nn.TransformerEncoderLayer(4, 2)(torch.ones(3, 2, 4))", "torch.fft.rfft(x)", "x.unfold(2, 3, 1)",
    "torch.func.vmap(torch.sum)(x)", "torch.einsum('bchw,cd->bdhw', x, torch.ones(1, 2))",
    "torch.autograd.grad((a := x.clone().requires_grad_()).sum(), a)",
    "nn.utils.parameters_to_vector(made.parameters())", "torch.nn.init.kaiming_normal_(torch.ones(2, 2))",
    "torch.optim.SGD(made.parameters(), 0.1).step()", "np.polyfit(np.arange(4.0), np.arange(4.0), 1)",
    "__import__('scipy.stats', fromlist=['x']).norm.cdf(0.0)",
    "__import__('scipy.linalg', fromlist=['x']).inv(np.eye(2))",
    "__import__('scipy.interpolate', fromlist=['x']).interp1d([0.0, 1.0], [0.0, 1.0])(0.5)",
]  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[KernelSession]:
    sandbox = Bubblewrap()
    if (reason := sandbox.missing()) is not None:
        pytest.skip(f"bwrap: {reason}")
    limits = Limits(memory_bytes=4 * 2**30)
    with Slot(sandbox, SlotSpec("torch", limits)) as slot, KernelSession(slot, "ada", limits, (), FORBIDDEN) as made:
        functions = [f"def {name}():\n    {source}\n    return 1" for name, source in named().items()]
        notebook = new_notebook(cells=[new_code_cell(dedent(SETUP)), *map(new_code_cell, functions)])
        ran = made.run(notebook)
        assert not any(output.output_type == "error" for cell in ran.notebook.cells for output in cell.outputs), [
            output for cell in ran.notebook.cells for output in cell.outputs
        ]
        yield made


def named() -> dict[str, str]:
    return {f"f{number}": source for number, source in enumerate([*REFUSED, *ALLOWED])}


def asked(session: KernelSession, source: str) -> dict[str, object]:
    name = next(name for name, each in named().items() if each == source)
    nothing = Encoder().encode([])
    request = {"operation": "call", "name": name, "arguments": nothing, "keywords": Encoder().encode({}), "seed": 1}
    return session.request(request, [], 20.0)[0]


@pytest.mark.parametrize("source", REFUSED)
def test_a_forbidden_function_is_refused_by_any_door(session, source):
    reply = asked(session, source)
    assert reply.get("cause") == "forbidden", reply


@pytest.mark.parametrize("source", ALLOWED)
def test_what_is_not_forbidden_works(session, source):
    reply = asked(session, source)
    assert reply["status"] == "ok", reply
