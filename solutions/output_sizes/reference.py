"""Right answers of `output_sizes`, in plain Python.

Sources: V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016 (relationships
6 and 15); A. Araujo, W. Norris and J. Sim, *Computing receptive fields of convolutional neural networks*,
Distill, 2019; torch's `MaxPool2d` for `ceil_mode`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .spec import BATCHNORM, RELU, Layer, concat, conv, pool, residual

Shape = tuple[int, ...]
Row = tuple[Shape, int]


def output_size(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    """Places of a window of `k` taps on `i` pixels with `padding` more at each end; 0 where it does not fit.

    With `ceil_mode` a last window may hang over the end, if it begins before the padding at that end.
    """
    room = i + 2 * padding - dilation * (k - 1) - 1
    if not ceil_mode:
        return max(room // stride + 1, 0)
    size = -(-room // stride) + 1
    if (size - 1) * stride >= i + padding:
        size -= 1
    return max(size, 0)


def same_padding(k, dilation=1):
    """Padding `(before, after)` that keeps the size at stride 1; an odd pixel goes after."""
    total = dilation * (k - 1)
    return total // 2, total - total // 2


def conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """Learned numbers of a convolution with square kernels."""
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights + (out_channels if bias else 0)


def separable_parameters(in_channels, out_channels, kernel_size, bias=False):
    """Learned numbers of a depthwise convolution followed by a pointwise one."""
    depthwise = conv_parameters(in_channels, in_channels, kernel_size, groups=in_channels, bias=bias)
    return depthwise + conv_parameters(in_channels, out_channels, 1, bias=bias)


def linear_parameters(n, m, bias=True):
    """Learned numbers of a linear layer from `n` to `m` features."""
    return n * m + (m if bias else 0)


def conv_macs(in_channels, out_channels, kernel_size, output_shape, groups=1):
    """Multiply-accumulates of a convolution for one image; `output_shape` is `(height, width)`."""
    height, width = output_shape
    return height * width * conv_parameters(in_channels, out_channels, kernel_size, groups, bias=False)


def receptive_field(layers: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
    """`(size, jump)` in input pixels of a chain of layers `(kernel_size, stride, dilation)`."""
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= stride
    return size, jump


def summarise(spec: Sequence[Layer], input_shape: Shape) -> list[Row]:
    """A row `(output_shape, parameters)` for each layer of `spec`, for one input of `input_shape`."""
    rows, shape = [], tuple(input_shape)
    for kind, options in spec:
        shape, parameters = LAYERS[kind](shape, **options)
        rows.append((shape, parameters))
    return rows


def inception(ones, reduce3, threes, reduce5, fives, projection):
    """GoogLeNet's module (Szegedy et al., 2015), named as the columns of its table."""
    return concat(
        [conv(ones, 1), RELU],
        [conv(reduce3, 1), RELU, conv(threes, 3, padding=1), RELU],
        [conv(reduce5, 1), RELU, conv(fives, 5, padding=2), RELU],
        [pool(3, stride=1, padding=1), conv(projection, 1), RELU],
    )


def basic_block(in_channels, out_channels, stride=1):
    """ResNet-18's block (He et al., 2016), with a projection where the shape changes."""
    body = [
        conv(out_channels, 3, stride=stride, padding=1, bias=False),
        BATCHNORM,
        RELU,
        conv(out_channels, 3, padding=1, bias=False),
        BATCHNORM,
    ]
    if stride == 1 and in_channels == out_channels:
        return residual(body)
    return residual(body, [conv(out_channels, 1, stride=stride, bias=False), BATCHNORM])


def _conv(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True) -> Row:
    channels, *sides = shape
    out = [output_size(side, kernel_size, padding, stride, dilation) for side in sides]
    return (out_channels, *out), conv_parameters(channels, out_channels, kernel_size, groups, bias)


def _pool(shape, kernel_size, stride=None, padding=0, ceil_mode=False) -> Row:
    channels, *sides = shape
    step = kernel_size if stride is None else stride
    out = [output_size(side, kernel_size, padding, step, ceil_mode=ceil_mode) for side in sides]
    return (channels, *out), 0


def _global_pool(shape) -> Row:
    return (shape[0], 1, 1), 0


def _linear(shape, out_features, bias=True) -> Row:
    (features,) = shape
    return (out_features,), linear_parameters(features, out_features, bias)


def _flatten(shape) -> Row:
    features = 1
    for size in shape:
        features *= size
    return (features,), 0


def _batchnorm(shape) -> Row:
    return shape, 2 * shape[0]


def _unchanged(shape) -> Row:
    return shape, 0


def _concat(shape, branches) -> Row:
    ends = [_chain(branch, shape) for branch in branches]
    _, *sides = ends[0][0]
    return (sum(end[0] for end, _ in ends), *sides), sum(parameters for _, parameters in ends)


def _residual(shape, body, shortcut=()) -> Row:
    end, parameters = _chain(body, shape)
    return end, parameters + _chain(shortcut, shape)[1]


def _chain(spec, shape) -> Row:
    """Where a chain ends and all its parameters."""
    rows = summarise(spec, shape)
    return (rows[-1][0] if rows else shape), sum(parameters for _, parameters in rows)


LAYERS: dict[str, Any] = {
    "conv": _conv,
    "pool": _pool,
    "global_pool": _global_pool,
    "linear": _linear,
    "flatten": _flatten,
    "batchnorm": _batchnorm,
    "relu": _unchanged,
    "dropout": _unchanged,
    "lrn": _unchanged,
    "concat": _concat,
    "residual": _residual,
}
