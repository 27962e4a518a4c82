"""Checks of `output_sizes`: formulas on random layers, random networks, and each student's own numbers."""

from autograder.checks import Case, check, equal, expect

from . import answers, cases, networks, reference
from .spec import is_layer


def _agree(student, name, drawn):
    """Compare the student's function with the reference in every case."""
    for case in drawn:
        found = getattr(student, name)(*case.args, **case.kwargs)
        equal(found, getattr(reference, name)(*case.args, **case.kwargs))


def _answer(student, name, expected):
    """Compare a variable with a number."""
    equal(student.value(name), expected, what=name)


def _own(student, name, expected):
    """Compare a variable with a number that comes from the student's own."""
    equal(student.value(name), expected, what=f"{name}, for the numbers of {student.name},")


def _row(student, name, expected):
    """Compare a variable with the name of a row; spaces and capitals do not matter."""
    value = student.value(name)
    named = " ".join(value.lower().split()) if isinstance(value, str) else None
    expect(named == expected, f"`{name}` should be the name of the wrong row", actual=named)


@check(cell="output_size", points=2, reveal="inputs")
def plain_windows(student, draw):
    """Windows without options have i - k + 1 places."""
    _agree(student, "output_size", draw.cases(lambda d: Case(d.integer(8, 40), d.integer(1, 7)), 6))


@check(cell="output_size", points=2, reveal="inputs")
def padding_at_both_ends(student, draw):
    """Padding is added at both ends."""
    drawn = draw.cases(lambda d: Case(d.integer(8, 40), d.integer(2, 7), padding=d.integer(1, 4)), 6)
    _agree(student, "output_size", drawn)


@check(cell="output_size", points=4, reveal="inputs")
def strides_round_down(student, draw):
    """With a stride, what is left over at the end is dropped."""
    _agree(student, "output_size", draw.cases(cases.strided(draw)))


@check(cell="output_size", points=3, reveal="inputs")
def dilated_windows(student, draw):
    """A dilated window spans d(k - 1) + 1 pixels, whatever the stride."""
    _agree(student, "output_size", draw.cases(cases.dilated(draw)))


@check(cell="output_size", points=2, reveal="inputs")
def ceil_mode_hangs_over(student, draw):
    """With ceil_mode the size is rounded up, but no window begins in the padding at the end."""
    _agree(student, "output_size", draw.cases(cases.poolings(draw)))


@check(cell="output_size", points=1, reveal="inputs", is_property=True)
def no_room(student, draw):
    """A window that does not fit has 0 places."""
    _agree(student, "output_size", draw.cases(cases.windows_too_large(draw)))


@check(cell="same_padding", points=2, reveal="inputs")
def odd_kernels(student, draw):
    """Odd kernels are padded alike at both ends."""
    _agree(student, "same_padding", draw.cases([Case(k) for k in draw.shuffled([1, 3, 5, 7, 9, 11])]))


@check(cell="same_padding", points=2, reveal="inputs")
def even_kernels(student, draw):
    """The odd pixel of an even kernel goes after."""
    _agree(student, "same_padding", draw.cases([Case(k) for k in draw.shuffled([2, 4, 6, 8])]))


@check(cell="same_padding", points=1, reveal="inputs")
def dilated_kernels(student, draw):
    """Dilated kernels, odd and even."""
    drawn = [Case(k, dilation=d) for k, d in [(3, 2), (4, 3), (5, draw.integer(2, 5)), (6, 2)]]
    _agree(student, "same_padding", draw.cases(drawn))


@check(cell="input_sides", points=2, reveal="nothing")
def smallest_side(student, _draw):
    """The smallest input side for your numbers."""
    _own(student, "my_smallest_side", answers.input_sides(student.name)[0])


@check(cell="input_sides", points=2, reveal="nothing")
def largest_side(student, _draw):
    """The largest input side for your numbers."""
    _own(student, "my_largest_side", answers.input_sides(student.name)[1])


@check(cell="conv_parameters", points=3, reveal="inputs")
def weights_and_biases(student, draw):
    """Each kernel goes through all input channels, each output channel has a bias."""
    _agree(student, "conv_parameters", draw.cases(lambda d: Case(*cases.channels(d)), 6))


@check(cell="conv_parameters", points=2, reveal="inputs")
def without_biases(student, draw):
    """Without biases the weights remain."""
    _agree(student, "conv_parameters", draw.cases(lambda d: Case(*cases.channels(d), bias=False), 5))


@check(cell="conv_parameters", points=4, reveal="inputs")
def grouped_convolutions(student, draw):
    """With groups each kernel sees its own group's channels only."""
    _agree(student, "conv_parameters", draw.cases(cases.grouped_layers(draw)))


@check(cell="separable_parameters", points=3, reveal="inputs")
def depthwise_then_pointwise(student, draw):
    """A depthwise and a pointwise convolution, by default without biases."""
    _agree(student, "separable_parameters", draw.cases(lambda d: Case(*cases.channels(d)), 6))


@check(cell="separable_parameters", points=2, reveal="inputs")
def separable_biases(student, draw):
    """Both convolutions have biases of their own."""
    _agree(student, "separable_parameters", draw.cases(lambda d: Case(*cases.channels(d), bias=True), 5))


@check(cell="linear_parameters", points=2, reveal="inputs")
def linear_layers(student, draw):
    """A weight for each pair and a bias for each output."""
    drawn = draw.cases(lambda d: Case(d.integer(10, 900), d.integer(1000, 4096)), 5)
    _agree(student, "linear_parameters", drawn)


@check(cell="linear_parameters", points=1, reveal="inputs")
def linear_layers_without_biases(student, draw):
    """Without biases the weights remain."""
    drawn = draw.cases(lambda d: Case(d.integer(10, 900), d.integer(1000, 4096), bias=False), 3)
    _agree(student, "linear_parameters", drawn)


@check(cell="saved_weights", points=2, reveal="nothing")
def saved_weights(student, _draw):
    """What your bottleneck saves."""
    _own(student, "my_saved_weights", answers.saved_weights(student.name))


@check(cell="conv_macs", points=4, reveal="inputs")
def multiplications(student, draw):
    """Every weight once for every place of an output that is not square."""
    _agree(student, "conv_macs", draw.cases(lambda d: Case(*cases.channels(d), cases.places(d)), 6))


@check(cell="conv_macs", points=2, reveal="inputs")
def grouped_multiplications(student, draw):
    """Groups save multiplications as they save weights."""
    _agree(student, "conv_macs", draw.cases(cases.grouped_places, 4))


@check(cell="receptive_field", points=2, reveal="inputs")
def plain_chains(student, draw):
    """Chains with stride 1, the empty chain among them."""
    _agree(student, "receptive_field", draw.cases([Case([]), *(cases.chain(draw) for _ in range(4))]))


@check(cell="receptive_field", points=3, reveal="inputs")
def strided_chains(student, draw):
    """Strides widen what the layers after them see."""
    _agree(student, "receptive_field", draw.cases(lambda d: cases.chain(d, strides=(1, 2, 3)), 5))


@check(cell="receptive_field", points=3, reveal="inputs")
def dilated_chains(student, draw):
    """Dilations spread the taps, among strides too."""
    drawn = [
        cases.chain(draw, (1,), (2, 3, 4)),
        cases.chain(draw, (1, 2), (2, 3)),
        cases.chain(draw, (1, 2), (1, 2, 4)),
    ]
    _agree(student, "receptive_field", draw.cases(drawn))


@check(cell="receptive_field", points=2, reveal="inputs")
def fields_of_networks(student, draw):
    """AlexNet, VGG16 and ResNet-18."""
    _agree(student, "receptive_field", draw.cases(cases.known_chains()))


@check(cell="depth", points=3, reveal="nothing")
def depth(student, _draw):
    """The depth that your field needs."""
    _own(student, "my_depth", answers.depth(student.name))


@check(cell="summarise", points=4)
def chains_of_convolutions(student, draw):
    """Convolutions and poolings with all their options, on images that are not square."""
    _agree(student, "summarise", draw.cases(cases.convolutions, 5))


@check(cell="summarise", points=3)
def classifiers(student, draw):
    """Flatten and linear layers after convolutions; a narrow VGG and AlexNet with groups."""
    _agree(student, "summarise", draw.cases(cases.classifiers(draw)))


@check(cell="summarise", points=2)
def layers_that_keep_the_shape(student, draw):
    """Batch normalisation, ReLU and dropout."""
    _agree(student, "summarise", draw.cases(cases.normalised, 3))


@check(cell="summarise", points=2)
def global_pooling(student, draw):
    """Global pooling leaves one number for each channel."""
    _agree(student, "summarise", draw.cases(cases.globally_pooled, 3))


@check(cell="summarise", points=3)
def branches(student, draw):
    """Branches add up their channels and parameters, and the next layer sees them all."""
    _agree(student, "summarise", draw.cases(cases.branched, 3))


@check(cell="summarise", points=2)
def shortcuts(student, draw):
    """Body and shortcut are added; the identity costs nothing."""
    _agree(student, "summarise", draw.cases(cases.shortcut, 3))


@check(cell="summarise", points=2)
def nested_networks(student, draw):
    """Branches within branches, the whole of GoogLeNet and of ResNet-34."""
    _agree(student, "summarise", draw.cases(cases.nested(draw)))


def _modules(student, name, drawn):
    """Compare modules by what `summarise` says of them: there are many right ways to write one."""
    for case in drawn:
        shape, arguments = case.args[0], case.args[1:]
        layer = getattr(student, name)(*arguments, **case.kwargs)
        if expect(is_layer(layer), f"`{name}` should return one layer: a pair (kind, options)"):
            expected = [getattr(reference, name)(*arguments, **case.kwargs)]
            equal(student.summarise([layer], shape), reference.summarise(expected, shape))


@check(cell="inception", points=2)
def modules_of_googlenet(student, draw):
    """Modules of GoogLeNet's table have its shapes and parameters."""
    drawn = [Case((depth, 14, 14), *networks.GOOGLENET_MODULES[name]) for depth, name in [(192, "3a"), (832, "5b")]]
    _modules(student, "inception", draw.cases(drawn))


@check(cell="inception", points=2)
def modules_of_any_width(student, draw):
    """A module with columns of any size keeps height and width."""
    drawn = draw.cases(lambda d: Case(cases.image(d), *(d.integer(3, 60) for _ in range(6))), 3)
    _modules(student, "inception", drawn)


@check(cell="basic_block", points=2)
def identity_blocks(student, draw):
    """A block that keeps its shape has nothing in its shortcut."""
    _modules(student, "basic_block", draw.cases([Case((n, 28, 20), n, n) for n in draw.shuffled([16, 24, 64])]))


@check(cell="basic_block", points=3)
def projection_blocks(student, draw):
    """A block that changes channels, size or both projects its input."""
    _modules(student, "basic_block", draw.cases(cases.projections(draw)))


@check(cell="alexnet_table", points=1, reveal="nothing")
def alexnet_output(student, _draw):
    """The output that 224 pixels really have."""
    _answer(student, "alexnet_conv1_side", answers.ALEXNET_CONV1_SIDE)


@check(cell="alexnet_table", points=1, reveal="nothing")
def alexnet_padding(student, _draw):
    """The padding that gives 55 with nothing left over."""
    _answer(student, "alexnet_padding", answers.ALEXNET_PADDING)


@check(cell="vgg16_table", points=1, reveal="nothing")
def vgg16_row(student, _draw):
    """The wrong row of VGG16's table."""
    _row(student, "vgg16_wrong_row", answers.VGG16_WRONG_ROW)


@check(cell="vgg16_table", points=1, reveal="nothing")
def vgg16_sum(student, _draw):
    """VGG16's right total."""
    _answer(student, "vgg16_total", answers.VGG16_TOTAL)


@check(cell="googlenet_table", points=1, reveal="nothing")
def googlenet_row(student, _draw):
    """The wrong row of module 5b's table."""
    _row(student, "googlenet_wrong_row", answers.GOOGLENET_WRONG_ROW)


@check(cell="googlenet_table", points=1, reveal="nothing")
def googlenet_parameters(student, _draw):
    """What that row should say."""
    _answer(student, "googlenet_right_parameters", answers.GOOGLENET_RIGHT_PARAMETERS)


@check(cell="resnet18_table", points=1, reveal="nothing")
def resnet18_shortcuts(student, _draw):
    """The parameters of ResNet-18's projections."""
    _answer(student, "resnet18_projections", answers.RESNET18_PROJECTIONS)


@check(cell="resnet18_table", points=1, reveal="nothing")
def resnet18_sum(student, _draw):
    """ResNet-18's right total."""
    _answer(student, "resnet18_total", answers.RESNET18_TOTAL)


@check(cell="network", points=2, reveal="nothing")
def own_parameters(student, _draw):
    """The parameters of your network."""
    _own(student, "my_parameters", answers.network_parameters(student.name))


@check(cell="network", points=2, reveal="nothing")
def own_multiplications(student, _draw):
    """The multiply-accumulates of your network."""
    _own(student, "my_macs", answers.network_macs(student.name))
