"""A second right answer to `output_sizes`: it counts and searches where the first one calculates."""

from math import prod

from course import numbers


def output_size(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    reach, end = dilation * (k - 1), i + padding
    places, start = 0, -padding
    while start + reach < end or (ceil_mode and start < i and start - stride + reach < end - 1):
        places += 1
        start += stride
    return places


def same_padding(k, dilation=1):
    return next(
        (p, q)
        for p in range(dilation * k + 1)
        for q in (p, p + 1)
        if output_size(100 * dilation * k + p + q, k, dilation=dilation) == 100 * dilation * k
    )


def conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kernels = [(in_channels // groups, kernel_size, kernel_size)] * out_channels
    return sum(prod(kernel) + int(bias) for kernel in kernels)


def separable_parameters(in_channels, out_channels, kernel_size, bias=False):
    return in_channels * (kernel_size * kernel_size + out_channels) + bias * (in_channels + out_channels)


def linear_parameters(n, m, bias=True):
    return conv_parameters(n, m, 1, bias=bias)


def conv_macs(in_channels, out_channels, kernel_size, output_shape, groups=1):
    numbers_out = out_channels * prod(output_shape)
    return numbers_out * in_channels * kernel_size**2 // groups


def receptive_field(layers):
    """Walk from the output down to the image: `size` pixels of a layer's output need so many of its input."""
    size = 1
    for kernel_size, stride, dilation in reversed(layers):
        size = (size - 1) * stride + dilation * (kernel_size - 1) + 1
    return size, prod(stride for _, stride, _ in layers)


def convolution(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
    sides = [output_size(side, kernel_size, padding, stride, dilation) for side in shape[1:]]
    return (out_channels, *sides), conv_parameters(shape[0], out_channels, kernel_size, groups, bias)


def pooling(shape, kernel_size, stride=None, padding=0, ceil_mode=False):
    sides = [output_size(n, kernel_size, padding, stride or kernel_size, ceil_mode=ceil_mode) for n in shape[1:]]
    return (shape[0], *sides), 0


def stack(shape, branches):
    summaries = [summarise(branch, shape) for branch in branches]
    channels = sum(rows[-1][0][0] for rows in summaries)
    return (channels, *summaries[0][-1][0][1:]), sum(count for rows in summaries for _, count in rows)


def add(shape, body, shortcut):
    rows = summarise(body, shape)
    return rows[-1][0], sum(count for _, count in rows + summarise(shortcut, shape))


LAYERS = {
    "conv": convolution,
    "pool": pooling,
    "concat": stack,
    "residual": add,
    "global_pool": lambda shape: ((shape[0], 1, 1), 0),
    "flatten": lambda shape: ((prod(shape),), 0),
    "linear": lambda shape, out_features, bias=True: (
        (out_features,),
        linear_parameters(shape[0], out_features, bias),
    ),
    "batchnorm": lambda shape: (shape, 2 * shape[0]),
}


def summarise(spec, input_shape):
    if not spec:
        return []
    (kind, options), *rest = spec
    row = LAYERS.get(kind, lambda shape: (shape, 0))(tuple(input_shape), **options)
    return [row, *summarise(rest, row[0])]


def convolve(out_channels, kernel_size, **options):
    return ("conv", {"out_channels": out_channels, "kernel_size": kernel_size, **options})


def inception(ones, reduce3, threes, reduce5, fives, projection):
    pooled = ("pool", {"kernel_size": 3, "stride": 1, "padding": 1})
    return (
        "concat",
        {
            "branches": [
                [convolve(ones, 1)],
                [convolve(reduce3, 1), convolve(threes, 3, padding=1)],
                [convolve(reduce5, 1), convolve(fives, 5, padding=2)],
                [pooled, convolve(projection, 1)],
            ]
        },
    )


def basic_block(in_channels, out_channels, stride=1):
    first = convolve(out_channels, 3, stride=stride, padding=1, bias=False)
    second = convolve(out_channels, 3, padding=1, bias=False)
    project = [convolve(out_channels, 1, stride=stride, bias=False), ("batchnorm", {})]
    same = (in_channels, 1) == (out_channels, stride)
    body = [first, ("batchnorm", {}), ("relu", {}), second, ("batchnorm", {})]
    return ("residual", {"body": body, "shortcut": [] if same else project})


sides = numbers("input_sides")
wanted = sides.pop("output")
fitting = [
    side
    for side in range(1, 300)
    if output_size(side, sides["kernel_size"], sides["padding"], sides["stride"], sides["dilation"]) == wanted
]
my_smallest_side, my_largest_side = min(fitting), max(fitting)

n = numbers("bottleneck")
wide = conv_parameters(n["in_channels"], n["out_channels"], n["kernel_size"], bias=False)
reducing = linear_parameters(n["in_channels"], n["reduced"], bias=False)
my_saved_weights = wide - reducing - conv_parameters(n["reduced"], n["out_channels"], n["kernel_size"], bias=False)

n = numbers("depth")
start = [(n["stem_kernel"], n["stem_stride"], 1), (3, 2, 1)]
my_depth = next(
    count for count in range(500) if receptive_field(start + count * [(n["kernel_size"], 1, 1)])[0] >= n["field"]
)

n = numbers("network")
once = n["side"] - 2
twice, thrice = once // 2, once // 4
features = 2 * n["width"] * thrice**2
my_parameters = 76 * n["width"] + (9 * n["width"] + 1) * 2 * n["width"] + (features + 1) * n["classes"]
my_macs = 75 * n["width"] * once**2 + 18 * n["width"] ** 2 * twice**2 + features * n["classes"]

alexnet_conv1_side = output_size(224, 11, stride=4)
alexnet_padding = next(
    (before, before + odd) for before in range(9) for odd in (0, 1) if 2 * before + odd + 224 - 11 == 4 * 54
)
vgg16_wrong_row, vgg16_total = "pool4", 138_423_208 - 65_664
googlenet_wrong_row, googlenet_right_parameters = "pool projection", 128 * 833
resnet18_projections = 2 * (128 + 256 + 512) + 64 * 128 * (1 + 4 + 16)
resnet18_total = 11_511_784 + resnet18_projections + 64 + 4 * (64 + 128 + 256 + 512)
