"""Mistakes that students make in `convolution`, each with the hint that answers it."""

import numpy as np

from autograder.checks import mistake

from . import reference


@mistake(
    of="correlate1d",
    hint="Your kernel runs backwards: y[i] pairs w[0] with x[i], w[1] with x[i + 1], and so on.",
)
def backwards(x, w):
    return reference.correlate1d(x, w[::-1])


@mistake(
    of="correlate1d",
    hint="The last window is missing: the kernel fits at n - k + 1 places, the last of which starts at n - k.",
)
def last_window_missing(x, w):
    return reference.correlate1d(x, w)[:-1]


@mistake(
    of="correlate2d",
    hint="Your kernel is flipped: that is convolution. Correlation pairs w[0, 0] with the window's top left.",
)
def flipped(x, w, border="valid", stride=1):
    return reference.correlate2d(x, w[::-1, ::-1], border, stride)


@mistake(
    of="correlate2d",
    hint='Your "same" is larger than the image: count its zeros. A kernel of 3 needs 1 on each side.',
)
def frame_too_wide(x, w, border="valid", stride=1):
    if border == "same":
        x = np.pad(x, [(k // 2 + 1, k // 2 + 1) for k in w.shape])
    return reference.correlate2d(x, w, stride=stride)


@mistake(
    of="correlate2d",
    hint="Your padding has the axes swapped: the kernel's rows (k1) decide about rows above and below, its "
    "columns (k2) about those on the left and right.",
)
def frame_turned(x, w, border="valid", stride=1):
    if border == "same":
        x = np.pad(x, [((k - 1) // 2, k // 2) for k in w.shape[::-1]])
    return reference.correlate2d(x, w, stride=stride)


@mistake(
    of="correlate2d",
    hint="With an even kernel the larger half of the zeros belongs below and on the right.",
)
def larger_half_first(x, w, border="valid", stride=1):
    if border == "same":
        x = np.pad(x, [(k // 2, (k - 1) // 2) for k in w.shape])
    return reference.correlate2d(x, w, stride=stride)


@mistake(of="correlate2d", hint='For "same" you repeat the pixels of the border; the frame is made of zeros.')
def frame_of_repeated_pixels(x, w, border="valid", stride=1):
    if border == "same":
        x = np.pad(x, [((k - 1) // 2, k // 2) for k in w.shape], mode="edge")
    return reference.correlate2d(x, w, stride=stride)


@mistake(
    of="correlate2d",
    hint="Your stride moves the window down, but not to the right: it holds for both axes.",
)
def stride_down_only(x, w, border="valid", stride=1):
    return reference.correlate2d(x, w, border)[::stride]


@mistake(
    of="correlate2d",
    hint="Your result has the image's dtype, so fractions are cut off: make the output float64.",
)
def whole_pixels(x, w, border="valid", stride=1):
    return reference.correlate2d(x, w, border, stride).astype(x.dtype)


@mistake(
    of="correlate3d",
    hint="Your box moves in two directions only. It slides in depth too, where there is room.",
)
def never_deeper(x, w):
    return reference.correlate3d(x[: len(w)], w)


@mistake(
    of="convolve2d",
    hint="That is correlation: convolution turns the kernel by 180 degrees before it slides.",
)
def not_flipped(x, w, border="valid"):
    return reference.correlate2d(x, w, border)


@mistake(
    of="convolve2d",
    hint="You flip the kernel up-down only. Turning it by 180 degrees flips it left-right as well.",
)
def flipped_up_down_only(x, w, border="valid"):
    return reference.correlate2d(x, w[::-1], border)


@mistake(
    of="box_kernel",
    hint="Right but for a factor: the weights must sum to 1, and a square of side k has k * k of them.",
)
def box_not_normalised(k):
    return np.ones((k, k))


@mistake(
    of="gaussian_kernel",
    hint="Your weights do not sum to 1: divide by their own sum. (The factor 1 / (2 pi sigma^2) of the "
    "density is right only for a kernel without end.)",
)
def density(k, sigma):
    distance = np.arange(k) - (k - 1) / 2
    return np.exp(-np.add.outer(distance**2, distance**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


@mistake(
    of="gaussian_kernel",
    hint="Your Gaussian is too narrow: the exponent is divided by 2 sigma^2. Where is the 2?",
)
def two_forgotten(k, sigma):
    return reference.gaussian_kernel(k, sigma / np.sqrt(2))


@mistake(
    of="gaussian_kernel",
    hint="Your Gaussian is not in the middle: with indices from 0 to k - 1 the centre is (k - 1) / 2.",
)
def off_centre(k, sigma):
    profile = np.exp(-((np.arange(k) - k / 2) ** 2) / (2 * sigma**2))
    return np.outer(profile, profile) / profile.sum() ** 2


@mistake(
    of="gaussian_kernel",
    hint="Your weights grow away from the centre: there is a minus sign missing in the exponent.",
)
def grows_outwards(k, sigma):
    profile = np.exp((np.arange(k) - (k - 1) / 2) ** 2 / (2 * sigma**2))
    return np.outer(profile, profile) / profile.sum() ** 2


@mistake(
    of="sobel",
    hint="Your results are in the wrong order: S_v, whose columns differ, finds vertical edges: second.",
)
def edges_swapped(x):
    return reference.sobel(x)[::-1]


@mistake(
    of="sobel",
    hint="Your signs are reversed: edges are positive where it gets brighter downwards and to the right. "
    "Is a kernel flipped on its way?",
)
def edges_negative(x):
    horizontal, vertical = reference.sobel(x)
    return -horizontal, -vertical


@mistake(
    of="sobel",
    hint="You weigh all three rows alike (that is Prewitt's kernel): Sobel's counts the middle one twice.",
)
def prewitt(x):
    vertical = np.array([[-1.0, 0.0, 1.0]] * 3)
    return reference.correlate2d(x, vertical.T, "same"), reference.correlate2d(x, vertical, "same")


@mistake(
    of="match_pattern",
    hint="A bright place wins: subtract the mean of the pattern first. (Subtracting the image's mean "
    "changes all scores by the same number.)",
)
def mean_left_in(image, pattern):
    score = reference.correlate2d(image, pattern)
    row, col = np.unravel_index(np.argmax(score), score.shape)
    return int(row), int(col)


@mistake(
    of="match_pattern",
    hint="Row and column come from the wrong shape: argmax counts in the score, not in the image.",
)
def unravelled_in_the_image(image, pattern):
    score = reference.correlate2d(image, pattern - pattern.mean())
    row, col = np.unravel_index(np.argmax(score), image.shape)
    return int(row), int(col)


@mistake(
    of="match_pattern",
    hint="You take the window whose pixels differ least from the pattern: fog or a shadow misleads that. "
    "Correlate with the zero-mean pattern.",
)
def smallest_difference(image, pattern):
    windows = np.lib.stride_tricks.sliding_window_view(image, pattern.shape)
    difference = ((windows - pattern) ** 2).sum(axis=(2, 3))
    row, col = np.unravel_index(np.argmin(difference), difference.shape)
    return int(row), int(col)


@mistake(
    of="convolution_matrix",
    hint="Your matrix is transposed: a row belongs to an output pixel and holds the weights of its inputs.",
)
def columns_for_rows(w, shape):
    return reference.convolution_matrix(w, shape).T


@mistake(
    of="convolution_matrix",
    hint="Your rows run over the edge: right of a row's last pixel is nothing, not the next row's first.",
)
def runs_over_the_edge(w, shape):
    pixels, (above, left) = shape[0] * shape[1], [(k - 1) // 2 for k in w.shape]
    offsets = {(u, v): (u - above) * shape[1] + v - left for u, v in np.ndindex(w.shape)}
    return sum(w[place] * np.eye(pixels, k=offset) for place, offset in offsets.items())


@mistake(
    of="convolution_matrix",
    hint="You number the pixels column by column; `ravel` goes row by row: pixel (i, j) has the number i * W + j.",
)
def column_by_column(w, shape):
    order = np.arange(shape[0] * shape[1]).reshape(shape).ravel(order="F")
    return reference.convolution_matrix(w, shape)[order][:, order]


@mistake(
    of="conv2d",
    hint="Your kernel is flipped: that is convolution; the layer of a CNN computes cross-correlation.",
)
def flipped_filters(x, w, b=None, **options):
    return reference.conv2d(x, w[..., ::-1, ::-1], b, **options)


@mistake(
    of="conv2d",
    hint="You average over the input channels: their products are summed, however many there are.",
)
def mean_over_channels(x, w, b=None, **options):
    return reference.conv2d(x, w / w.shape[1], b, **options)


@mistake(
    of="conv2d",
    hint="Only the last channel counts in your result: each overwrites the one before. Add them up, from 0.",
)
def last_channel_only(x, w, b=None, **options):
    last = w.copy()
    last[:, :-1] = 0
    return reference.conv2d(x, last, b, **options)


@mistake(
    of="conv2d",
    hint="You add the bias once for each input channel: it belongs to the filter and is added once, after the sum.",
)
def bias_for_each_channel(x, w, b=None, **options):
    return reference.conv2d(x, w, b if b is None else b * w.shape[1], **options)


@mistake(
    of="conv2d",
    hint="Your stride moves the window down, but not to the right: it holds for rows and columns.",
)
def stride_for_rows_only(x, w, b=None, stride=1, **options):
    return reference.conv2d(x, w, b, **options)[:, :, ::stride]


@mistake(
    of="conv2d",
    hint="Your last window hangs over the edge: a window that does not fit is left out (floor, not ceil).",
)
def rounded_up(x, w, b=None, stride=1, padding=0, **options):
    sides = (padding, padding + stride - 1)
    return reference.conv2d(np.pad(x, ((0, 0), (0, 0), sides, sides)), w, b, stride=stride, **options)


@mistake(
    of="conv2d",
    hint="You pad above and on the left only: `padding` rows and columns of zeros go on all four sides.",
)
def padded_on_two_sides(x, w, b=None, padding=0, **options):
    return reference.conv2d(np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0))), w, b, **options)


@mistake(
    of="conv2d",
    hint="Your dilated kernel is too large: k weights, d apart, cover d (k - 1) + 1 pixels, not d k.",
)
def dilated_kernel_too_large(x, w, b=None, padding=0, dilation=1, **options):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = (side + 1 - dilation for side in x.shape[2:])
    return reference.conv2d(x[:, :, :rows, :columns], w, b, dilation=dilation, **options)


@mistake(
    of="conv2d",
    hint="You thin out the image: dilation spreads the weights, but the window still moves pixel by pixel.",
)
def dilation_thins_the_image(x, w, b=None, padding=0, dilation=1, **options):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return reference.conv2d(x[:, :, ::dilation, ::dilation], w, b, **options)


@mistake(
    of="conv2d",
    hint="All your filters look at the first group: filters of group q see the channels of group q.",
)
def first_group_for_all(x, w, b=None, groups=1, **options):
    return reference.conv2d(x[:, : x.shape[1] // groups], w, b, **options)


@mistake(
    of="conv2d",
    hint="You deal the channels out to the groups in turn: a group is a block of neighbouring channels.",
)
def groups_in_turn(x, w, b=None, groups=1, **options):
    order = np.arange(x.shape[1]).reshape(-1, groups).T.ravel()
    return reference.conv2d(x[:, order], w, b, groups=groups, **options)


@mistake(
    of="pointwise_conv2d",
    hint="Your reshape mixes the images of the batch with the channels: bring the channel axis to the "
    "front first, or let einsum name the axes.",
)
def batch_scrambled(x, w):
    n, c, height, width = x.shape
    return (w @ x.reshape(c, -1)).reshape(n, len(w), height, width)


@mistake(
    of="depthwise_conv2d",
    hint="You sum over the channels, as an ordinary layer does: depthwise keeps a map for each channel.",
)
def depthwise_summed(x, w):
    return reference.depthwise_conv2d(x, w).sum(axis=1, keepdims=True)


@mistake(
    of="skyline_score",
    hint="You take absolute values too early: edges of either sign must meet in the mean of 15, so that "
    "those of grass cancel.",
)
def absolute_too_early(image):
    edges = np.abs(reference.sobel(image)[1][1:-1, 1:-1])
    return float(reference.correlate2d(edges, np.full((15, 1), 1 / 15)).mean())


@mistake(
    of="skyline_score",
    hint="You measure horizontal edges: towers stand upright, so use S_v, whose columns differ.",
)
def horizontal_edges(image):
    lines = reference.correlate2d(reference.sobel(image)[0][1:-1, 1:-1], np.full((15, 1), 1 / 15))
    return float(np.abs(lines).mean())


@mistake(
    of="skyline_score",
    hint="You leave out the absolute value: edges from dark to bright and from bright to dark cancel in the mean.",
)
def signs_left_in(image):
    edges = reference.sobel(image)[1][1:-1, 1:-1]
    return float(reference.correlate2d(edges, np.full((15, 1), 1 / 15)).mean())


@mistake(
    of="skyline_score",
    hint='A frame of zeros counts as an edge in your score: take the Sobel edges with border "valid".',
)
def frame_left_in(image):
    lines = reference.correlate2d(reference.sobel(image)[1], np.full((15, 1), 1 / 15))
    return float(np.abs(lines).mean())
