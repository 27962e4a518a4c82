"""Mistakes that students make in `output_sizes`, each with the hint that answers it."""

from autograder.checks import mistake

from . import reference


@mistake(
    of="output_size",
    hint="You round up, but a window that hangs over the end has no place: without ceil_mode round down.",
)
def ceil_for_floor(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    room = i + 2 * padding - dilation * (k - 1) - 1
    right = reference.output_size(i, k, padding, stride, dilation, ceil_mode)
    return right if ceil_mode else max(-(-room // stride) + 1, 0)


@mistake(of="output_size", hint="Padding is added at both ends of the line: it counts twice.")
def padding_once(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    return reference.output_size(i - padding, k, padding, stride, dilation, ceil_mode)


@mistake(
    of="output_size",
    hint="A dilated window does not span d times k pixels: k taps have k - 1 gaps, and only gaps stretch.",
)
def dilation_times_kernel(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    return reference.output_size(i, dilation * k, padding, stride, 1, ceil_mode)


@mistake(
    of="output_size",
    hint="One too few: the window's first place needs no step, so it is one more than the steps.",
)
def first_place_forgotten(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    return max(reference.output_size(i, k, padding, stride, dilation, ceil_mode) - 1, 0)


@mistake(
    of="output_size",
    hint="With ceil_mode your size is still rounded down: a last window may hang over the end.",
)
def ceil_mode_unused(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    return reference.output_size(i, k, padding, stride, dilation)


@mistake(
    of="output_size",
    hint="With ceil_mode one window too many: one that would begin in the padding at the end sees no pixel. "
    "Where does your last window begin?",
)
def window_in_the_padding(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    room = i + 2 * padding - dilation * (k - 1) - 1
    return max((-(-room // stride) if ceil_mode else room // stride) + 1, 0)


@mistake(
    of="output_size",
    hint="Where the window does not fit there are 0 places; the formula alone goes below zero.",
)
def negative_size(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    room = i + 2 * padding - dilation * (k - 1) - 1
    return reference.output_size(i, k, padding, stride, dilation, ceil_mode) if room >= 0 else room // stride + 1


@mistake(
    of="same_padding",
    hint="k // 2 on both sides is one pixel too many for even kernels: the sum must be d(k - 1).",
)
def half_a_kernel(k, dilation=1):
    return dilation * (k - 1) // 2 + (k % 2 == 0), dilation * (k - 1) // 2 + (k % 2 == 0)


@mistake(
    of="same_padding",
    hint="Where the missing pixels are odd in number, the odd one goes after the line, not before.",
)
def odd_pixel_before(k, dilation=1):
    before, after = reference.same_padding(k, dilation)
    return after, before


@mistake(of="my_smallest_side", hint="You seem to have taken the padding once: it is added at both ends.")
def smallest_padded_once(name):
    from course import numbers

    n = numbers("input_sides", name)
    return (n["output"] - 1) * n["stride"] + n["dilation"] * (n["kernel_size"] - 1) + 1 - n["padding"]


@mistake(
    of="my_largest_side",
    hint="That is the smallest side: up to s - 1 more pixels can be left over before one more place fits.",
)
def largest_is_smallest(name):
    from course import numbers

    n = numbers("input_sides", name)
    return (n["output"] - 1) * n["stride"] + n["dilation"] * (n["kernel_size"] - 1) + 1 - 2 * n["padding"]


@mistake(of="conv_parameters", hint="The biases are missing: each output channel has one.")
def bias_forgotten(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return reference.conv_parameters(in_channels, out_channels, kernel_size, groups, bias=False)


@mistake(of="conv_parameters", hint="A kernel is as deep as its input: multiply by the input channels too.")
def depth_not_multiplied(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return reference.conv_parameters(groups, out_channels, kernel_size, groups, bias)


@mistake(of="conv_parameters", hint="A kernel is a square of kernel_size by kernel_size taps: square the side.")
def kernel_not_squared(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return reference.conv_parameters(in_channels * kernel_size, out_channels, 1, groups, bias)


@mistake(of="conv_parameters", hint="Groups are not used: each kernel sees in_channels / groups channels only.")
def groups_unused(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return reference.conv_parameters(in_channels, out_channels, kernel_size, 1, bias)


@mistake(
    of="conv_parameters",
    hint="You have counted one group alone: there are `groups` of them, m kernels in all.",
)
def one_group_counted(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return (in_channels // groups) * (out_channels // groups) * kernel_size**2 + (out_channels if bias else 0)


@mistake(
    of="separable_parameters",
    hint="This is the ordinary convolution: a depthwise kernel sees one channel only.",
)
def counted_as_standard(in_channels, out_channels, kernel_size, bias=False):
    return reference.conv_parameters(in_channels, out_channels, kernel_size, bias=bias)


@mistake(of="separable_parameters", hint="The pointwise convolution is missing: without it the channels never mix.")
def pointwise_forgotten(in_channels, out_channels, kernel_size, bias=False):
    return reference.conv_parameters(in_channels, in_channels, kernel_size, in_channels, bias)


@mistake(of="linear_parameters", hint="The biases belong to the outputs: there are m of them.")
def bias_per_input(n, m, bias=True):
    return n * m + (n if bias else 0)


@mistake(of="my_saved_weights", hint="The 1x1 convolution that reduces the channels has weights too.")
def reduction_for_free(name):
    from course import numbers

    n = numbers("bottleneck", name)
    return (n["in_channels"] - n["reduced"]) * n["out_channels"] * n["kernel_size"] ** 2


@mistake(of="conv_macs", hint="A MAC is a multiplication and its addition together: count them once, not as two.")
def flops(in_channels, out_channels, kernel_size, output_shape, groups=1):
    return 2 * reference.conv_macs(in_channels, out_channels, kernel_size, output_shape, groups)


@mistake(of="conv_macs", hint="An output need not be square: multiply its height by its width.")
def square_output(in_channels, out_channels, kernel_size, output_shape, groups=1):
    side = output_shape[0]
    return reference.conv_macs(in_channels, out_channels, kernel_size, (side, side), groups)


@mistake(
    of="receptive_field",
    hint="A layer's own stride does not widen its own view: update the size before the jump.",
)
def own_stride_first(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        jump *= stride
        size += dilation * (kernel_size - 1) * jump
    return size, jump


@mistake(of="receptive_field", hint="A kernel adds k - 1 neighbours, not k: one of its taps was seen already.")
def whole_kernel_added(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * kernel_size * jump
        jump *= stride
    return size, jump


@mistake(of="receptive_field", hint="Strides multiply: two of stride 2 set neighbours 4 pixels apart, not 3 or 2.")
def only_the_last_stride(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump = stride
    return size, jump


@mistake(
    of="receptive_field",
    hint="Later layers step over several pixels at once: multiply what a layer adds by the jump.",
)
def jump_not_used(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1)
        jump *= stride
    return size, jump


@mistake(of="my_depth", hint="One layer too few: with that depth the field is still too small. Round up.")
def depth_rounded_down(name):
    from course import numbers

    n = numbers("depth", name)
    size, jump = reference.receptive_field([(n["stem_kernel"], n["stem_stride"], 1), (3, 2, 1)])
    return (n["field"] - size) // (jump * (n["kernel_size"] - 1))


@mistake(
    of="my_depth",
    hint="After the stem neighbours lie a jump apart: each layer adds far more than k - 1 pixels.",
)
def stem_stride_unused(name):
    from course import numbers

    n = numbers("depth", name)
    size, _ = reference.receptive_field([(n["stem_kernel"], n["stem_stride"], 1), (3, 2, 1)])
    return -((size - n["field"]) // (n["kernel_size"] - 1))


@mistake(of="summarise", hint="A pooling without a stride of its own moves by its kernel's size, not by 1.")
def pooling_by_one(spec, input_shape):
    spec = [(kind, {"stride": 1, **options}) if kind == "pool" else (kind, options) for kind, options in spec]
    return reference.summarise(spec, input_shape)


@mistake(of="summarise", hint="Height and width are two sizes: you have used one of them for both.")
def square_images(spec, input_shape):
    return reference.summarise(spec, (*input_shape[:2], *input_shape[1:2]))


@mistake(
    of="summarise",
    hint="A batch normalisation's running mean and variance are kept, not learned: do not count them.",
)
def running_statistics_counted(spec, input_shape):
    rows = reference.summarise(spec, input_shape)
    return [(shape, 2 * n if kind == "batchnorm" else n) for (kind, _), (shape, n) in zip(spec, rows, strict=True)]


@mistake(
    of="summarise",
    hint="Branches are stacked: the channels of a concat are the sum of its branches', not the last one's.",
)
def last_branch_only(spec, input_shape):
    shape, rows = tuple(input_shape), []
    for kind, options in spec:
        ((after, parameters),) = reference.summarise([(kind, options)], shape)
        if kind == "concat":
            after = reference.summarise(options["branches"][-1], shape)[-1][0]
        rows.append((after, parameters))
        shape = after
    return rows


@mistake(of="summarise", hint="A residual's shortcut may have parameters too: those of its projection are missing.")
def shortcut_for_free(spec, input_shape):
    spec = [(kind, {**options, "shortcut": []}) if kind == "residual" else (kind, options) for kind, options in spec]
    return reference.summarise(spec, input_shape)


@mistake(
    of="summarise",
    hint="Body and shortcut of a residual are added, not stacked: the channels stay the body's.",
)
def shortcut_stacked(spec, input_shape):
    shape, rows = tuple(input_shape), []
    for kind, options in spec:
        ((after, parameters),) = reference.summarise([(kind, options)], shape)
        if kind == "residual":
            ends = reference.summarise(options["shortcut"], shape)
            after = (after[0] + (ends[-1][0][0] if ends else shape[0]), *after[1:])
        rows.append((after, parameters))
        shape = after
    return rows


@mistake(of="inception", hint="The 3x3 and 5x5 branches first reduce the channels with a 1x1 convolution.")
def no_reduction(ones, reduce3, threes, reduce5, fives, projection):
    kind, options = reference.inception(ones, reduce3, threes, reduce5, fives, projection)
    first, second, third, last = options["branches"]
    return (kind, {"branches": [first, second[2:], third[2:], last]})


@mistake(of="inception", hint="The pooling branch ends in a 1x1 convolution; without it the channels pile up.")
def no_projection(ones, reduce3, threes, reduce5, fives, projection):
    kind, options = reference.inception(ones, reduce3, threes, reduce5, fives, projection)
    return (kind, {"branches": [*options["branches"][:3], options["branches"][3][:1]]})


@mistake(of="basic_block", hint="The projection has a batch normalisation as well.")
def projection_not_normalised(in_channels, out_channels, stride=1):
    kind, options = reference.basic_block(in_channels, out_channels, stride)
    return (kind, {**options, "shortcut": options["shortcut"][:1]})


@mistake(of="basic_block", hint="No biases beside a batch normalisation: its shift does their work.")
def biases_kept(in_channels, out_channels, stride=1):
    def biased(spec):
        return [(kind, {**options, "bias": True}) if kind == "conv" else (kind, options) for kind, options in spec]

    kind, options = reference.basic_block(in_channels, out_channels, stride)
    return (kind, {"body": biased(options["body"]), "shortcut": biased(options["shortcut"])})


@mistake(
    of="alexnet_conv1_side",
    hint="That is the printed value: (224 - 11) / 4 leaves a remainder. What is dropped?",
)
def printed_side(_name):
    return 55


@mistake(
    of="alexnet_padding",
    hint="This gives 55, but a pixel is left over: for which i is (i - 11) / 4 + 1 exactly 55?",
)
def padding_with_remainder(_name):
    return (2, 2)


@mistake(
    of="resnet18_projections",
    hint="Their batch normalisations are missing: a scale and a shift for each channel.",
)
def projections_without_batchnorm(_name):
    return 64 * 128 + 128 * 256 + 256 * 512


@mistake(of="my_macs", hint="The multiplications of a convolution are those of its output before the pooling.")
def multiplied_after_pooling(name):
    from course import numbers

    n = numbers("network", name)
    half, quarter = (n["side"] - 2) // 2, (n["side"] - 2) // 4
    first = reference.conv_macs(3, n["width"], 5, (half, half))
    second = reference.conv_macs(n["width"], 2 * n["width"], 3, (quarter, quarter))
    return first + second + 2 * n["width"] * quarter**2 * n["classes"]
