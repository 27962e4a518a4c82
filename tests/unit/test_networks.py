"""Networks are compared by what they compute: layers are paired in any style, differences told where they arise."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from autograder.checks.networks import (
    agree,
    is_identity_with_zero_weights,
    same_dropout,
    same_gradients,
    same_parameters,
    same_shapes,
    same_statistics,
)
from autograder.checks.record import Record, recording
from autograder.inside.networks import OPERATIONS

X = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8).sin()


class Reference(nn.Module):
    """Three convolutions, two of the same shape side by side, normalised; two linear layers of the same shape."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.left, self.right = nn.Conv2d(4, 5, 3), nn.Conv2d(4, 5, 3)
        self.first, self.second = nn.Linear(10, 10), nn.Linear(10, 10)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([self.left(x).amax(dim=(2, 3)), functional.relu(self.right(x)).mean(dim=(2, 3))], dim=1)
        return self.second(self.drop(torch.tanh(self.first(x))))


class Other(nn.Module):
    """The same function: other names, defined and executed in another order, ReLU and dropout as functions."""

    def __init__(self):
        super().__init__()
        self.output, self.hidden = nn.Linear(10, 10), nn.Linear(10, 10)
        self.b, self.a = nn.Conv2d(4, 5, 3), nn.Conv2d(4, 5, 3)
        self.norm = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(3, 4, (3, 3), padding="same", bias=False)

    def forward(self, images):
        maps = self.norm(self.conv(images)).clamp(min=0)
        averaged = functional.relu(self.b(maps), inplace=True).mean((-1, -2))
        greatest = self.a(maps).flatten(2).max(dim=2).values
        hidden = torch.tanh(self.hidden(torch.cat([greatest, averaged], 1)))
        return self.output(functional.dropout(hidden, 0.3, training=self.training))


class ByHand(nn.Module):
    """A convolution with its own parameters, the vector first."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(4))
        self.kernel = nn.Parameter(torch.zeros(4, 3, 3, 3))

    def forward(self, *, image):
        return functional.conv2d(image, self.kernel, self.offset)


@pytest.fixture
def there(student_with):
    """Build a network in the student's process."""

    def build(family, *args):
        return student_with(build=lambda: family(*args)).build()

    return build


def message(record):
    return record.comparisons[-1].message


def changed(**parts):
    """A reference network with other parts."""
    network = Reference()
    for name, part in parts.items():
        setattr(network, name, part)
    return network


def squared(out):
    return (out**2).sum()


# ---- right networks


@pytest.mark.parametrize("training", [False, True])
def test_another_style_agrees_in_outputs_and_gradients(record, there, training):
    assert agree(there(Other), Reference(), X, training=training)
    assert same_gradients(there(Other), Reference(), X, squared, training=training)
    assert not record.failures


def test_another_style_has_the_same_sizes_dropout_and_statistics(record, there):
    assert same_parameters(there(Other), Reference())
    assert same_shapes(there(Other), Reference(), X, training=True)
    assert same_dropout(there(Other), Reference(), X)
    assert same_statistics(there(Other), Reference(), X)
    assert not record.failures


def test_numpy_images_will_do(record, there):
    assert agree(there(Other), Reference(), X.double().numpy())


def test_layers_with_parameters_of_their_own_are_paired_by_shape(record, there):
    class Wrapper(ByHand):
        def forward(self, x):
            return super().forward(image=x)

    assert agree(there(Wrapper), nn.Conv2d(3, 4, 3), X)
    assert same_gradients(there(Wrapper), nn.Conv2d(3, 4, 3), X, squared)


def test_an_input_given_by_name_is_seen(record, there):
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = ByHand()

        def forward(self, x):
            return self.inner(image=x)

    assert agree(there(Outer), nn.Conv2d(3, 4, 3), X)


def test_a_linear_layer_may_be_a_convolution_as_large_as_the_map(record, there):
    def dense():
        return nn.Sequential(nn.Flatten(), nn.Linear(192, 5))

    def convolution():
        return nn.Sequential(nn.Conv2d(3, 5, 8), nn.Flatten())

    assert agree(there(convolution), dense(), X)
    assert same_gradients(there(convolution), dense(), X, squared)
    assert same_parameters(there(convolution), dense())


def test_several_outputs_are_compared_one_by_one(record, there):
    class Two(nn.Module):
        def __init__(self, as_dict):
            super().__init__()
            self.a, self.b, self.as_dict = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3), as_dict

        def forward(self, x):
            return {"a": self.a(x), "b": self.b(x)} if self.as_dict else (self.a(x), self.b(x))

    assert agree(there(Two, True), Two(False), X)
    assert same_gradients(there(Two, True), Two(False), X, lambda a, b: squared(a) - 2 * squared(b))
    assert not agree(there(nn.Conv2d, 3, 2, 3), nn.Sequential(Two(False)), X)


def test_a_shared_layer_counts_once(record, there):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = self.same = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.same(self.one(x))

    assert same_parameters(there(Twice), Twice())
    assert agree(there(Twice), Twice(), X)


def test_the_networks_own_weights_are_left_alone_by_what_only_looks(record):
    network = Reference()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.left.eval()
    OPERATIONS["forward"](network, X, training=True, patterned=True)
    after = network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert (network.training, network.left.training) == (True, False)


def test_frozen_layers_are_paired_too(record, there):
    def frozen():
        return Other().requires_grad_(requires_grad=False)

    assert agree(there(frozen), Reference(), X)


# ---- wrong ones, and what is said of them


def test_the_first_difference_is_told_by_the_layer_before_which_it_arises(record, there):
    linear = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3))
    right = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))
    assert not agree(there(lambda: linear), right, X)
    assert "first difference before the 2nd convolution: its input has the right shape (2, 4, 6, 6)" in message(record)


def test_the_first_difference_is_told_by_the_layer_at_which_it_arises(record, there):
    wrong = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1))
    right = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3))
    assert not agree(there(lambda: wrong), right, X)
    expected = "at the 2nd convolution: from the right input, its output has shape (2, 5, 8, 8), expected (2, 5, 6, 6)"
    assert expected in message(record)


def test_a_difference_behind_the_last_layer_is_told(record, there):
    assert not agree(
        there(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())), nn.Conv2d(3, 4, 3), X, what="the maps"
    )
    assert message(record).startswith("the maps: ")
    assert "every layer does what is expected" in message(record)


def test_equal_layers_whose_places_are_exchanged_are_no_mistake_but_exchanged_outputs_are(record, there):
    class Swapped(Reference):
        def forward(self, x):
            x = self.stem(x)
            x = torch.cat([functional.relu(self.right(x)).mean(dim=(2, 3)), self.left(x).amax(dim=(2, 3))], dim=1)
            return self.second(self.drop(torch.tanh(self.first(x))))

    assert agree(there(lambda: changed(left=nn.Conv2d(4, 5, 3))), Reference(), X)
    assert not agree(there(Swapped), Reference(), X)


def test_a_layer_too_many_or_too_few_is_named(record, there):
    assert not agree(there(lambda: changed(drop=nn.BatchNorm1d(10))), Reference(), X)
    assert "BatchNorm1d (weight (10,), bias (10,)) is not expected" in message(record)
    assert not agree(there(lambda: changed(first=nn.Identity())), Reference(), X)
    assert "Linear (weight (10, 10), bias (10,)) is missing" in message(record)


def test_the_number_of_parameters_and_the_layer_that_differs_are_told(record, there):
    biased = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    assert not same_parameters(there(lambda: changed(stem=biased)), Reference())
    assert message(record).startswith("710 parameters, expected 706; Conv2d (weight (4, 3, 3, 3)) is missing and")
    assert "Conv2d (weight (4, 3, 3, 3), bias (4,)) is not expected" in message(record)


def test_two_classes_are_built_without_memory(record, student_with):
    def biased(*sizes, bias):
        return nn.Linear(*sizes, bias=not bias)

    student = student_with(Dense=nn.Linear, Biased=biased)
    assert same_parameters(student.value("Dense"), nn.Linear, 10**6, 10**6, bias=False)
    assert not same_parameters(student.value("Biased"), nn.Linear, 10**6, 10**6, bias=False)
    assert message(record).startswith("1,000,001,000,000 parameters, expected 1,000,000,000,000")


def test_wrong_shapes_and_numbers_of_outputs_are_told(record, there):
    assert not same_shapes(there(nn.Conv2d, 3, 4, 5), nn.Conv2d(3, 4, 3), X)
    assert message(record) == "the output has shape (2, 4, 4, 4), expected (2, 4, 6, 6)"

    class Two(nn.Conv2d):
        def forward(self, x):
            return super().forward(x), x

    assert not same_shapes(there(Two, 3, 4, 3), nn.Conv2d(3, 4, 3), X)
    assert message(record) == "the network returns 2 outputs, expected one output"


@pytest.mark.parametrize(
    ("drop", "told"),
    [
        (nn.Identity(), "found no dropout"),
        (nn.Dropout(0.5), "found dropout of 0.5 on 10 values"),
        (nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.3)), "dropout of 0.3 on 10 values, dropout of 0.3 on 10 values"),
    ],
)
def test_wrong_dropout_is_told(record, there, drop, told):
    assert not same_dropout(there(lambda: changed(drop=drop)), Reference(), X)
    assert "in training mode expected dropout of 0.3 on 10 values" in message(record)
    assert told in message(record)


def test_dropout_in_evaluation_is_told(record, there):
    class Always(nn.Module):
        def forward(self, x):
            return functional.dropout(x, 0.3)  # whose default is training=True

    assert not same_dropout(there(lambda: changed(drop=Always())), Reference(), X)
    assert message(record).startswith("in evaluation mode nothing may be dropped")


def test_another_momentum_or_the_wrong_mode_shows_in_the_statistics(record, there):
    def stem(norm):
        return changed(stem=nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), norm, nn.ReLU()))

    assert not same_statistics(there(lambda: stem(nn.BatchNorm2d(4, momentum=0.9))), Reference(), X)
    assert message(record).startswith("after one pass in training, the running_mean of the 1st batch normalisation")

    class Fixed(nn.BatchNorm2d):
        def forward(self, x):
            return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)

    assert agree(there(lambda: stem(Fixed(4))), Reference(), X)
    assert not agree(there(lambda: stem(Fixed(4))), Reference(), X, training=True)
    assert "first difference at the 1st batch normalisation" in message(record)


def test_a_gradient_that_does_not_arrive_is_told(record, there):
    class Detached(Reference):
        def forward(self, x):
            x = self.stem(x).detach()
            x = torch.cat([self.left(x).amax(dim=(2, 3)), functional.relu(self.right(x)).mean(dim=(2, 3))], dim=1)
            return self.second(self.drop(torch.tanh(self.first(x))))

    assert agree(there(Detached), Reference(), X)
    assert not same_gradients(there(Detached), Reference(), X, squared)
    assert message(record) == "the gradient with respect to the input is missing: nothing of the loss reaches it"


class Block(nn.Module):
    def __init__(self, shortcut):
        super().__init__()
        self.conv, self.norm, self.shortcut = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), shortcut

    def forward(self, x):
        return functional.relu(self.norm(self.conv(x)) + (x if self.shortcut else 0))


@pytest.mark.parametrize("training", [False, True])
def test_a_residual_block_with_zero_weights_is_the_identity(record, there, training):
    assert is_identity_with_zero_weights(there(Block, True), X.abs(), training=training)
    assert not is_identity_with_zero_weights(there(Block, False), X.abs(), training=training)
    assert message(record).startswith("with all its weights zero, the block's output: 384 of 384 elements differ")


def test_what_is_recorded_tells_wrong_networks_apart(there):
    def found(network):
        with recording(Record()) as record:
            same_parameters(there(lambda: network), Reference())
        return record.comparisons[0].actual

    wide, norm = changed(first=nn.Linear(10, 11)), changed(drop=nn.BatchNorm1d(10))
    assert found(Reference()) == found(Other()) != found(wide) != found(norm)
