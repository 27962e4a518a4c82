"""The checks of `architectures`: right networks in any style pass, mistakes get their hints, odd answers cost."""

from pathlib import Path
from types import SimpleNamespace

import jupytext
import pytest
import torch
from torch import nn

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import Suite
from solutions.architectures import mistakes, reference, second
from solutions.models.googlenet import TABLE

FOLDER = Path(reference.__file__).parent
ADA = Attempt("ada", "any")
CLASSES = ("LeNet5", "AlexNet", "VGG", "Inception", "GoogLeNet", "conv_bn", "BasicBlock", "Bottleneck", "ResNet")
MISTAKES = [value for value in vars(mistakes).values() if hasattr(value, "__mistake__")]


@pytest.fixture(scope="module")
def suite():
    return Suite.load("architectures")


@pytest.fixture(scope="module")
def notebook():
    """What is defined once the model answer has run."""
    namespace = {"__name__": "__main__"}
    for cell in jupytext.read(FOLDER / "notebook.py").cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.metadata["nbgrader"]["grade_id"], "exec"), namespace)
    return namespace


def graded(suite, namespace, only=None):
    transport = LocalTransport(namespace)
    chosen = [item for item in suite.checks if only is None or item.cell == only]
    outcomes = {item: suite.run(item, transport, ADA) for item in chosen}
    failed = {item: outcome for item, outcome in outcomes.items() if outcome.failed}
    explained = suite.diagnose(failed, ADA)
    return {item.name: suite.result(item, failed[item], explained.get(item.name)) for item in failed}


# ---- one right answer in three styles: `chain` says how layers are put one behind the other


class Then(nn.Module):
    """A layer and all that follows it, nested as deep as the network has layers; what follows is defined first."""

    def __init__(self, first, *rest):
        super().__init__()
        self.rest = Then(*rest) if rest else None
        self.first = first

    def forward(self, x):
        x = self.first(x)
        return x if self.rest is None else self.rest(x)


def one_sequential(*layers):
    """One flat nn.Sequential: every chain among the layers is dissolved."""
    flat = []
    for layer in layers:
        flat += list(layer) if type(layer) is nn.Sequential else [layer]
    return nn.Sequential(*flat)


class Listed(nn.Module):
    """A list of layers under other names, in the opposite order of definition, run by a loop; ReLU by hand."""

    def __init__(self, *layers):
        super().__init__()
        self.count = len(layers)
        for number in reversed(range(self.count)):
            setattr(self, f"schicht_{number}", layers[number])

    def forward(self, x):
        for number in range(self.count):
            layer = getattr(self, f"schicht_{number}")
            x = torch.where(x > 0, x, torch.zeros_like(x)) if isinstance(layer, nn.ReLU) else layer(x)
        return x


class Fork(nn.Module):
    """Branches that run last to first, and what is made of their outputs (first to last)."""

    def __init__(self, combine, *branches):
        super().__init__()
        self.combine = combine
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        outputs = [branch(x) for branch in reversed(self.branches)]
        return self.combine(outputs[::-1])


class Tap(nn.Module):
    """Passes its input on, and notes what a side branch says of it, in training."""

    def __init__(self, side, notes):
        super().__init__()
        self.side, self.notes = side, notes

    def forward(self, x):
        if self.training:
            self.notes.append(self.side(x))
        return x


class Gather(nn.Module):
    """Adds what was noted on the way."""

    def __init__(self, notes):
        super().__init__()
        self.notes = notes

    def forward(self, x):
        noted = (*self.notes,)
        self.notes.clear()
        return (x, *noted) if noted else x


def answers(chain):  # noqa: C901, PLR0915 - nine networks
    """The nine names of the assignment, every network made by functions from chains of layers."""

    def hidden_layers(inputs, width, classes):
        hidden = round(4096 * width)
        first = [nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout()]
        return [nn.Flatten(), *first, nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes)]

    def lenet(classes=10):
        features = [nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
        dense = [nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, classes)]
        return chain(*features, nn.Flatten(), *dense)

    def alexnet(classes=1000, width=1.0, groups=1):
        a, b, c, d, e = (round(size * width) for size in (96, 256, 384, 384, 256))
        return chain(
            chain(nn.Conv2d(3, a, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2)),
            chain(nn.Conv2d(a, b, 5, 1, 2, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2)),
            chain(nn.Conv2d(b, c, 3, 1, 1), nn.ReLU(), nn.Conv2d(c, d, 3, 1, 1, groups=groups), nn.ReLU()),
            chain(nn.Conv2d(d, e, 3, 1, 1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2)),
            chain(*hidden_layers(36 * e, width, classes)),
        )

    def vgg(config, classes=1000, width=1.0, size=224):
        layers, channels = [], 3
        for item in config:
            if item == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers.append(chain(nn.Conv2d(channels, round(item * width), 3, 1, 1), nn.ReLU()))
                channels = round(item * width)
        side = size // 2 ** list(config).count("M")
        return chain(*layers, *hidden_layers(channels * side * side, width, classes))

    def conv_relu(before, after, kernel):
        return chain(nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU())

    def inception(channels, out1, reduce3, out3, reduce5, out5, pool):
        return Fork(
            lambda outputs: torch.cat(outputs, dim=1),
            conv_relu(channels, out1, 1),
            chain(conv_relu(channels, reduce3, 1), conv_relu(reduce3, out3, 3)),
            chain(conv_relu(channels, reduce5, 1), conv_relu(reduce5, out5, 5)),
            chain(nn.MaxPool2d(3, 1, 1), conv_relu(channels, pool, 1)),
        )

    def side(channels, classes, width):
        reduced, hidden = round(128 * width), round(1024 * width)
        start = [nn.AvgPool2d(5, 3), conv_relu(channels, reduced, 1), nn.Flatten()]
        return chain(*start, nn.Linear(16 * reduced, hidden), nn.ReLU(), nn.Dropout(0.7), nn.Linear(hidden, classes))

    def halving():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    def googlenet(classes=1000, width=1.0, auxiliary=True):
        first, channels, notes = round(64 * width), round(192 * width), []
        layers = [nn.Conv2d(3, first, 7, 2, 3), nn.ReLU(), halving(), conv_relu(first, first, 1)]
        layers += [conv_relu(first, channels, 3), halving()]
        for name, row in TABLE.items():
            sizes = [round(size * width) for size in row]
            layers.append(inception(channels, *sizes))
            channels = sizes[0] + sizes[2] + sizes[4] + sizes[5]
            if auxiliary and name in {"4a", "4d"}:
                layers.append(Tap(side(channels, classes, width), notes))
            if name in {"3b", "4e"}:
                layers.append(halving())
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels, classes)]
        return chain(*layers, *head, Gather(notes))

    def conv_bn(before, after, kernel, stride=1):
        return chain(nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after))

    def block(before, after, stride, *layers):
        same = stride == 1 and before == after
        around = nn.Identity() if same else conv_bn(before, after, 1, stride)
        return chain(Fork(sum, chain(*layers), around), nn.ReLU())  # Fork runs what goes around first

    def basic(before, channels, stride=1):
        layers = conv_bn(before, channels, 3, stride), nn.ReLU(), conv_bn(channels, channels, 3)
        return block(before, channels, stride, *layers)

    def bottleneck(before, channels, stride=1):
        inner = conv_bn(before, channels, 1), nn.ReLU(), conv_bn(channels, channels, 3, stride), nn.ReLU()
        return block(before, 4 * channels, stride, *inner, conv_bn(channels, 4 * channels, 1))

    def resnet(layers, classes=1000, width=1.0):
        counts = {18: "2222", 34: "3463", 50: "3463", 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}[layers]
        make, factor = (basic, 1) if layers < 50 else (bottleneck, 4)
        channels = round(64 * width)
        parts = [conv_bn(3, channels, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        for stage, count in enumerate(map(int, counts)):
            inner = round(64 * width) * 2**stage
            for number in range(count):
                parts.append(make(channels, inner, 2 if stage and not number else 1))
                channels = factor * inner
        return chain(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))

    functions = (lenet, alexnet, vgg, inception, googlenet, conv_bn, basic, bottleneck, resnet)
    return dict(zip(CLASSES, functions, strict=True))


@pytest.mark.parametrize("chain", [one_sequential, Then, Listed])
def test_right_networks_in_any_style_get_full_marks(suite, chain):
    assert graded(suite, answers(chain)) == {}


def test_the_second_answer_gets_full_marks(suite):
    assert graded(suite, vars(second)) == {}


def test_the_reference_gets_full_marks(suite):
    assert graded(suite, vars(reference)) == {}


def test_the_checks_sum_to_the_points_of_the_cells(suite):
    flags = [cell.metadata["nbgrader"] for cell in jupytext.read(FOLDER / "notebook.py").cells]
    points = {flag["grade_id"]: flag["points"] for flag in flags if flag["grade"] and not flag["solution"]}
    assert suite.cells() == points
    assert sum(points.values()) == 100


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LeNet5", (7,)),
        ("AlexNet", (7, 1 / 16, 2)),
        ("VGG", ([64, "M", 128], 7, 1 / 16, 8)),
        ("Inception", (5, 2, 3, 4, 3, 6, 1)),
        ("GoogLeNet", (7, 1 / 8)),
        ("BasicBlock", (4, 6, 2)),
        ("Bottleneck", (4, 6, 2)),
        ("ResNet", (18, 7, 1 / 16)),
        ("ResNet", (50, 7, 1 / 16)),
    ],
)
def test_the_notebook_has_the_references_attributes(notebook, name, arguments):
    """Mistakes that derive from the one work on the other."""
    theirs, ours = (
        [(path, type(module).__name__) for path, module in family(*arguments).named_modules()]
        for family in (notebook[name], getattr(reference, name))
    )
    assert theirs == ours


@pytest.mark.parametrize("wrong", MISTAKES, ids=lambda wrong: wrong.__name__)
def test_a_mistake_fails_in_a_notebook_and_gets_its_own_hint(suite, notebook, wrong):
    known = wrong.__mistake__
    namespace = {**notebook, "reference": SimpleNamespace(**notebook)}
    exec(compile(known.source(), known.name, "exec"), namespace)
    namespace[known.of] = namespace[known.name]
    failed = graded(suite, namespace, only=known.of)
    assert failed
    assert {result.hint for result in failed.values()} - {""} == {known.hint}


@pytest.mark.parametrize("odd", [None, 3, "network", [nn.Linear(2, 2)], lambda x: x, nn.Linear, nn.Module()])
def test_odd_answers_cost_points_and_break_no_check(suite, odd):
    transport = LocalTransport({name: (lambda *_args, **_kwargs: odd) for name in CLASSES})
    for item in suite.checks:
        outcome = suite.run(item, transport, ADA)
        assert outcome.failed
        assert suite.result(item, outcome).message
