"""Answers to the questions whose numbers are drawn for each student, and to the printed tables."""

from __future__ import annotations

from course.personal import numbers

from .reference import conv_macs, linear_parameters, receptive_field, summarise
from .spec import FLATTEN, RELU, Spec, conv, linear, pool

ALEXNET_CONV1_SIDE = 54
ALEXNET_PADDING = (1, 2)
VGG16_WRONG_ROW = "pool4"
VGG16_TOTAL = 138_357_544
GOOGLENET_WRONG_ROW = "pool projection"
GOOGLENET_RIGHT_PARAMETERS = 106_624
RESNET18_PROJECTIONS = 173_824
RESNET18_TOTAL = 11_689_512


def input_sides(student: str) -> tuple[int, int]:
    """Smallest and largest input side that the student's layer maps to the drawn output side."""
    n = numbers("input_sides", student)
    window = n["dilation"] * (n["kernel_size"] - 1) + 1
    smallest = (n["output"] - 1) * n["stride"] + window - 2 * n["padding"]
    return smallest, smallest + n["stride"] - 1


def depth(student: str) -> int:
    """Fewest convolutions after the student's stem that see at least the drawn field."""
    n = numbers("depth", student)
    layers = [(n["stem_kernel"], n["stem_stride"], 1), (3, 2, 1)]
    count = 0
    while receptive_field(layers)[0] < n["field"]:
        layers.append((n["kernel_size"], 1, 1))
        count += 1
    return count


def saved_weights(student: str) -> int:
    """Weights that the student's 1x1 bottleneck saves."""
    n = numbers("bottleneck", student)
    taps = n["kernel_size"] ** 2
    plain = n["in_channels"] * n["out_channels"] * taps
    return plain - n["in_channels"] * n["reduced"] - n["reduced"] * n["out_channels"] * taps


def network(student: str) -> tuple[Spec, tuple[int, int, int]]:
    """The student's own small network and its input shape."""
    n = numbers("network", student)
    width, side = n["width"], n["side"]
    spec = [
        conv(width, 5, padding=1), RELU, pool(2), conv(2 * width, 3, padding=1), RELU, pool(2),
        FLATTEN, linear(n["classes"]),
    ]  # fmt: skip
    return spec, (3, side, side)


def network_parameters(student: str) -> int:
    """All parameters of the student's network."""
    return sum(parameters for _, parameters in summarise(*network(student)))


def network_macs(student: str) -> int:
    """All multiply-accumulates of the student's network for one image."""
    spec, shape = network(student)
    n, shapes = numbers("network", student), [row[0] for row in summarise(spec, shape)]
    first = conv_macs(3, n["width"], 5, shapes[0][1:])
    second = conv_macs(n["width"], 2 * n["width"], 3, shapes[3][1:])
    return first + second + linear_parameters(shapes[6][0], n["classes"], bias=False)
