"""The reference of `output_sizes`: the lectures' worked numbers, torch, and the answer key of the networks."""

import re
from itertools import product
from pathlib import Path

import jupytext
import pytest
import torch
from torch import nn

from course.personal import numbers
from solutions.output_sizes import answers, mistakes, networks, reference
from solutions.output_sizes.reference import (
    conv_macs,
    conv_parameters,
    linear_parameters,
    output_size,
    receptive_field,
    same_padding,
    separable_parameters,
    summarise,
)
from solutions.output_sizes.spec import (
    BATCHNORM,
    FLATTEN,
    GLOBAL_POOL,
    RELU,
    concat,
    conv,
    linear,
    pool,
    residual,
)

FOLDER = Path(reference.__file__).parent
IMAGE = (3, 224, 224)
NAMES = [f"student{n}" for n in range(200)]


def learned(module):
    return sum(parameter.numel() for parameter in module.parameters())


def total(spec, shape=IMAGE):
    return sum(parameters for _, parameters in summarise(spec, shape))


@pytest.fixture(scope="module")
def notebook():
    """What the model answer defines, and its text cells."""
    cells = jupytext.read(FOLDER / "notebook.py").cells
    namespace = {"__name__": "__main__"}
    for cell in cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    return namespace, {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in cells}


# sizes


def test_output_size_is_torchs_convolution():
    for i, k, p, s, d in product(range(1, 12), range(1, 5), range(3), range(1, 4), range(1, 4)):
        if i + 2 * p < d * (k - 1) + 1:
            assert output_size(i, k, p, s, d) == 0
            continue
        out = nn.functional.conv1d(torch.zeros(1, 1, i), torch.zeros(1, 1, k), padding=p, stride=s, dilation=d)
        assert output_size(i, k, p, s, d) == out.shape[-1], (i, k, p, s, d)


def test_output_size_is_torchs_pooling():
    for i, k, s, d, up in product(range(1, 14), range(1, 6), range(1, 5), range(1, 3), (False, True)):
        for p in range(k // 2 + 1):
            expected = output_size(i, k, p, s, d, ceil_mode=up)
            if i + 2 * p >= d * (k - 1) + 1:
                pooled = nn.functional.max_pool1d(torch.zeros(1, 1, i), k, s, p, d, ceil_mode=up)
                assert expected == pooled.shape[-1], (i, k, p, s, d, up)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_same_padding_is_torchs():
    for k, d in product(range(1, 9), range(1, 4)):
        layer = nn.Conv1d(1, 1, k, dilation=d, padding="same")
        assert same_padding(k, d) == tuple(layer._reversed_padding_repeated_twice)
        assert layer(torch.zeros(1, 1, 20)).shape[-1] == 20
        assert output_size(20 + sum(same_padding(k, d)), k, dilation=d) == 20


# parameters and multiplications


def test_the_worked_parameters_of_the_lectures():
    assert [conv_parameters(*layer) for layer in [(1, 1, 3), (3, 4, 3), (3, 64, 3), (64, 64, 3)]] == [
        10, 112, 1_792, 36_928,
    ]  # fmt: skip
    assert conv_parameters(3, 4, 5, bias=False) == 300
    assert conv_parameters(3, 4, 5) == 304
    assert conv_parameters(64, 128, 5, bias=False) == 204_800
    assert separable_parameters(64, 128, 5) == 9_792
    assert conv_parameters(480, 48, 5, bias=False) == 576_000
    assert conv_parameters(480, 16, 1, bias=False) + conv_parameters(16, 48, 5, bias=False) == 26_880
    assert linear_parameters(28 * 28, 24 * 24, bias=False) == 451_584
    assert 451_584 // conv_parameters(1, 1, 5, bias=False) == 18_063


@pytest.mark.parametrize("bias", [False, True])
def test_parameters_are_torchs(bias):
    for n, m, k, groups in [(6, 4, 3, 1), (6, 4, 3, 2), (6, 12, 5, 6), (1, 3, 1, 1)]:
        assert conv_parameters(n, m, k, groups, bias) == learned(nn.Conv2d(n, m, k, groups=groups, bias=bias))
    separable = nn.Sequential(nn.Conv2d(6, 6, 3, groups=6, bias=bias), nn.Conv2d(6, 10, 1, bias=bias))
    assert separable_parameters(6, 10, 3, bias) == learned(separable)
    assert linear_parameters(7, 5, bias) == learned(nn.Linear(7, 5, bias=bias))


def test_the_multiplications_of_vgg16():
    spec, shape, macs = networks.vgg(), IMAGE, 0
    for (kind, options), (after, parameters) in zip(spec, summarise(spec, shape), strict=True):
        if kind == "conv":
            macs += conv_macs(shape[0], after[0], options["kernel_size"], after[1:])
        elif kind == "linear":
            macs += parameters - after[0]
        shape = after
    assert macs == 15_470_264_320


# receptive fields


def test_the_receptive_fields_of_the_key():
    lenet5 = [(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1), (5, 1, 1)]
    alexnet = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), *[(3, 1, 1)] * 3, (3, 2, 1)]
    vgg16 = [layer for n in networks.VGG16 for layer in [*[(3, 1, 1)] * n, (2, 2, 1)]]
    resnet18 = [(7, 2, 1), (3, 2, 1), *[(3, 1, 1)] * 4, *[(3, 2, 1), *[(3, 1, 1)] * 3] * 3]
    chains = lenet5, alexnet, vgg16[:-1], vgg16, resnet18, [(3, 1, 1), (3, 1, 2), (3, 1, 4)]
    assert [receptive_field(chain)[0] for chain in chains] == [32, 195, 196, 212, 435, 15]


@pytest.mark.parametrize("chain", [[(3, 2, 1), (3, 1, 2)], [(5, 3, 1), (3, 2, 2), (4, 1, 1)], [(2, 2, 1)] * 3])
def test_the_receptive_field_is_where_the_gradient_is_not_zero(chain):
    x = torch.ones(1, 1, 100, requires_grad=True)
    y = x
    for k, s, d in chain:
        y = nn.functional.conv1d(y, torch.ones(1, 1, k), stride=s, dilation=d)
    first = torch.autograd.grad(y[0, 0, 0], x, retain_graph=True)[0].nonzero()[:, -1]
    second = torch.autograd.grad(y[0, 0, 1], x)[0].nonzero()[:, -1]
    size, jump = int(first.max() - first.min()) + 1, int(second.min() - first.min())
    assert receptive_field(chain) == (size, jump)


# networks


def test_the_totals_of_the_key():
    assert total(networks.lenet5(), (1, 32, 32)) == 61_706
    assert total(networks.alexnet(), (3, 227, 227)) == 62_378_344
    assert total(networks.alexnet(groups=2), (3, 227, 227)) == 60_965_224
    assert total(networks.vgg()) == 138_357_544
    assert total(networks.vgg(networks.VGG19)) == 143_667_240
    assert total(networks.vgg()[: networks.vgg().index(FLATTEN)]) == 14_714_688
    assert total(networks.googlenet()) == 6_998_552
    assert total(networks.resnet()) == 11_689_512
    assert total(networks.resnet((3, 4, 6, 3))) == 21_797_672


def test_the_rows_of_alexnet():
    rows = [n for _, n in summarise(networks.alexnet(), (3, 227, 227)) if n]
    assert rows == [34_944, 614_656, 885_120, 1_327_488, 884_992, 37_752_832, 16_781_312, 4_097_000]


def bottlenecks(blocks, groups=1, base=64):
    """ResNet-50, -101, -152 and ResNeXt-50 (groups=32, base=128)."""
    spec, channels = networks.resnet((0, 0, 0, 0))[:4], 64
    for stage, count in enumerate(blocks):
        for block in range(count):
            inner, outer, stride = base * 2**stage, 256 * 2**stage, 2 if stage and not block else 1
            middle = conv(inner, 3, stride=stride, padding=1, groups=groups, bias=False)
            body = [conv(inner, 1, bias=False), BATCHNORM, RELU, middle, BATCHNORM, RELU]
            body += [conv(outer, 1, bias=False), BATCHNORM]
            shortcut = [] if channels == outer else [conv(outer, 1, stride=stride, bias=False), BATCHNORM]
            spec += [residual(body, shortcut), RELU]
            channels = outer
    return [*spec, GLOBAL_POOL, FLATTEN, linear(1000)]


def mobilenet():
    """MobileNetV1: depthwise convolutions are the case groups = channels."""
    spec, channels = [conv(32, 3, stride=2, padding=1, bias=False), BATCHNORM, RELU], 32
    for out_channels, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5,
                                 (1024, 2), (1024, 1)]:  # fmt: skip
        depthwise = conv(channels, 3, stride=stride, padding=1, groups=channels, bias=False)
        spec += [depthwise, BATCHNORM, RELU, conv(out_channels, 1, bias=False), BATCHNORM, RELU]
        channels = out_channels
    return [*spec, GLOBAL_POOL, FLATTEN, linear(1000)]


def test_summarise_counts_networks_it_was_not_made_for():
    assert total(bottlenecks((3, 4, 6, 3))) == 25_557_032
    assert total(bottlenecks((3, 4, 23, 3))) == 44_549_160
    assert total(bottlenecks((3, 8, 36, 3))) == 60_192_808
    assert total(bottlenecks((3, 4, 6, 3), groups=32, base=128)) == 25_028_904
    assert total(mobilenet()) == 4_231_976


def test_shapes_are_torchs():
    pairs = [
        (conv(6, 5, stride=2, padding=1), nn.Conv2d(3, 6, 5, stride=2, padding=1)),
        (pool(3, stride=2, ceil_mode=True), nn.MaxPool2d(3, 2, ceil_mode=True)),
        (conv(8, 3, dilation=2, groups=2, bias=False), nn.Conv2d(6, 8, 3, dilation=2, groups=2, bias=False)),
        (BATCHNORM, nn.BatchNorm2d(8)),
        (pool(2), nn.MaxPool2d(2)),
        (FLATTEN, nn.Flatten()),
        (linear(11), nn.LazyLinear(11)),
    ]
    x, rows = torch.zeros(1, 3, 50, 41), []
    for _, layer in pairs:
        x = layer(x)
        rows.append((tuple(x.shape[1:]), learned(layer)))
    assert summarise([layer for layer, _ in pairs], (3, 50, 41)) == rows


def test_branches_and_shortcuts():
    branches = concat([conv(4, 1)], [conv(8, 3, padding=1), RELU, conv(5, 3, padding=1)])
    assert summarise([branches], (3, 10, 12)) == [((9, 10, 12), 605)]
    assert summarise([residual([branches, conv(3, 1)])], (3, 10, 12)) == [((3, 10, 12), 635)]
    assert summarise([], (3, 10, 12)) == []


# the notebook


def test_the_notebooks_networks_are_the_references(notebook):
    same = {
        "LENET5": (networks.lenet5(), (1, 32, 32)),
        "ALEXNET": (networks.alexnet(), (3, 227, 227)),
        "VGG16": (networks.vgg(), IMAGE),
        "GOOGLENET": (networks.googlenet(), IMAGE),
        "RESNET18": (networks.resnet(), IMAGE),
    }
    for name, (spec, shape) in same.items():
        assert summarise(notebook[0][name], shape) == summarise(spec, shape), name


def printed(text):
    """The rows `name: parameters` of the tables in a text cell."""
    found = {}
    for line in text.splitlines():
        fields = [field.strip(" *") for field in line.strip("# |").split("|")]
        for start in range(0, len(fields), 4):
            group = fields[start : start + 4]
            count = next((field for field in reversed(group) if re.fullmatch(r"[\d,]+", field)), None)
            if count and group[0]:
                found[group[0]] = int(count.replace(",", ""))
    return found


def test_the_printed_vgg16_has_one_wrong_row(notebook):
    rows = printed(notebook[1]["vgg16_table-text"])
    wrong_total = rows.pop("total")
    assert sum(rows.values()) == wrong_total
    right = [n for (kind, _), (_, n) in zip(networks.vgg(), summarise(networks.vgg(), IMAGE), strict=True)
             if kind in {"conv", "pool", "linear"}]  # fmt: skip
    in_order = sorted(rows, key=lambda name: (name[:2] == "fc", name.strip("convpl_")[0], name[:2] == "po", name))
    wrong = [name for name, n in zip(in_order, right, strict=True) if rows[name] != n]
    assert wrong == [answers.VGG16_WRONG_ROW]
    assert sum(right) == answers.VGG16_TOTAL


def test_the_printed_module_5b_has_one_wrong_row(notebook):
    rows = printed(notebook[1]["googlenet_table-text"])
    ones, reduce3, threes, reduce5, fives, projection = networks.GOOGLENET_MODULES["5b"]
    right = {
        "1x1": conv_parameters(832, ones, 1),
        "3x3 reduce": conv_parameters(832, reduce3, 1),
        "3x3": conv_parameters(reduce3, threes, 3),
        "5x5 reduce": conv_parameters(832, reduce5, 1),
        "5x5": conv_parameters(reduce5, fives, 5),
        "pool projection": conv_parameters(832, projection, 1),
    }
    assert [name for name in right if rows[name] != right[name]] == [answers.GOOGLENET_WRONG_ROW]
    assert right[answers.GOOGLENET_WRONG_ROW] == answers.GOOGLENET_RIGHT_PARAMETERS


def test_the_printed_resnet18_adds_up(notebook):
    rows = printed(notebook[1]["resnet18_table-text"])
    wrong_total = rows.pop("total")
    assert sum(rows.values()) == wrong_total == 11_511_784
    channels = 64 + 4 * (64 + 128 + 256 + 512)  # a batch normalisation has one number more than a bias for each
    assert wrong_total + channels + answers.RESNET18_PROJECTIONS == answers.RESNET18_TOTAL


def test_alexnets_first_row():
    assert output_size(224, 11, stride=4) == answers.ALEXNET_CONV1_SIDE
    assert (224 + sum(answers.ALEXNET_PADDING) - 11) / 4 + 1 == 55


# each student's own questions


def test_the_answers_to_the_drawn_questions():
    for name in NAMES:
        n = numbers("input_sides", name)
        layer = n["kernel_size"], n["padding"], n["stride"], n["dilation"]
        smallest, largest = answers.input_sides(name)
        sizes = [output_size(side, *layer) for side in (smallest - 1, smallest, largest, largest + 1)]
        assert sizes == [n["output"] - 1, n["output"], n["output"], n["output"] + 1]

        n = numbers("network", name)
        width, side = n["width"], n["side"]
        module = nn.Sequential(nn.Conv2d(3, width, 5), nn.Conv2d(width, 2 * width, 3),
                               nn.Linear(2 * width * ((side - 2) // 4) ** 2, n["classes"]))  # fmt: skip
        assert answers.network_parameters(name) == learned(module)
        assert answers.saved_weights(name) > 0
        assert answers.depth(name) > 1


RIGHT = {
    "my_smallest_side": lambda name: answers.input_sides(name)[0],
    "my_largest_side": lambda name: answers.input_sides(name)[1],
    "my_saved_weights": answers.saved_weights,
    "my_depth": answers.depth,
    "my_parameters": answers.network_parameters,
    "my_macs": answers.network_macs,
}
DRAWN = [mistake for value in vars(mistakes).values()
         if (mistake := getattr(value, "__mistake__", None)) and mistake.of in RIGHT]  # fmt: skip


@pytest.mark.parametrize("known", DRAWN, ids=lambda known: known.name)
def test_a_mistake_is_wrong_for_every_student_and_no_other_mistake(known):
    others = [other for other in DRAWN if other.of == known.of and other is not known]
    for name in NAMES:
        wrong = known.function(name)
        assert wrong not in {RIGHT[known.of](name), *(other.function(name) for other in others)}, name
