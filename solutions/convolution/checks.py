"""Checks of `convolution`: values on hidden inputs, and the properties that make convolution what it is."""

import numpy as np

from autograder.checks import Case, check, close, equal, expect, numerical_gradient
from course.data import cityscape, landscape

from . import reference
from .cases import (
    EVEN_KERNELS,
    ODD_KERNELS,
    channels_and_kernels,
    full,
    glare,
    image,
    images_and_kernels,
    layer,
    scene,
    signal,
    volume,
)
from .comparisons import agree, is_map, scores


@check(cell="correlate1d", points=4)
def sliding_dot_product(student, draw):
    """Random signals and kernels, the shortest and the longest kernel among them."""
    ends = [Case(draw.normal(7), draw.normal(k)) for k in (1, 7)]
    agree(student, "correlate1d", draw.cases([*ends, *(signal(draw) for _ in range(4))]))


@check(cell="correlate1d", points=1)
def whole_signal_fractional_weights(student, draw):
    """A signal of whole numbers with fractional weights gives fractions."""
    agree(student, "correlate1d", draw.cases([Case(draw.rng.integers(-9, 9, 11), draw.normal(3))]))


@check(cell="correlate2d", points=3)
def valid_border(student, draw):
    """Border "valid": images that are not square, kernels that are not symmetric."""
    agree(student, "correlate2d", draw.cases(images_and_kernels(draw, ODD_KERNELS + EVEN_KERNELS)))


@check(cell="correlate2d", points=3)
def same_border(student, draw):
    """Border "same": kernels with odd sides."""
    agree(student, "correlate2d", draw.cases(images_and_kernels(draw, ODD_KERNELS, border="same")))


@check(cell="correlate2d", points=2)
def same_border_even_kernels(student, draw):
    """Border "same": kernels with even sides get the extra row below, the extra column on the right."""
    agree(student, "correlate2d", draw.cases(images_and_kernels(draw, EVEN_KERNELS, border="same")))


@check(cell="correlate2d", points=3)
def strides(student, draw):
    """Strides 2 and 3, both borders."""
    options = [{"border": border, "stride": stride} for border in ("valid", "same") for stride in (2, 3)]
    cases = [Case(draw.normal(8, 11), draw.normal(3, 4), **one) for one in options]
    agree(student, "correlate2d", draw.cases(cases))


@check(cell="correlate2d", points=1)
def whole_image_fractional_weights(student, draw):
    """An image of whole numbers with fractional weights gives fractions."""
    agree(student, "correlate2d", draw.cases([Case(draw.rng.integers(0, 256, (6, 8)), draw.normal(3, 2))]))


@check(cell="correlate2d", points=1, is_property=True)
def bilinear(student, draw):
    """Bilinear: a weighted sum of images, or of kernels, gives the weighted sum of the results."""
    x, w, x2, w2 = draw.normal(6, 8), draw.normal(3, 2), draw.normal(6, 8), draw.normal(3, 2)
    y, other_image = student.correlate2d(x, w), student.correlate2d(x2, w)
    other_kernel = student.correlate2d(x, w2)
    if is_map(y, (4, 7)) and is_map(other_image, (4, 7)) and is_map(other_kernel, (4, 7)):
        close(student.correlate2d(2 * x - 3 * x2, w), 2 * y - 3 * other_image)
        close(student.correlate2d(x, 2 * w - 3 * w2), 2 * y - 3 * other_kernel)


@check(cell="correlate2d", points=1, is_property=True)
def shift_equivariant(student, draw):
    """Shift the image by the stride: inside, the map moves by one."""
    for stride in (1, 2):
        x, w = draw.normal(9, 11), draw.normal(3, 2)
        y = student.correlate2d(x, w, stride=stride)
        if is_map(y, (6 // stride + 1, 9 // stride + 1)):
            close(student.correlate2d(x[stride:, stride:], w, stride=stride), y[1:, 1:])


@check(cell="correlate3d", points=3)
def volumes(student, draw):
    """Random volumes and boxes."""
    agree(student, "correlate3d", draw.cases(volume, 4))


@check(cell="correlate3d", points=2)
def colour_image(student, draw):
    """A kernel as deep as the image gives one map: the sum over the channels."""
    agree(student, "correlate3d", draw.cases([Case(draw.normal(3, 6, 8), draw.normal(3, 3, 2))]))


@check(cell="convolve2d", points=3)
def convolve_valid(student, draw):
    """Border "valid"."""
    agree(student, "convolve2d", draw.cases(images_and_kernels(draw, ODD_KERNELS + EVEN_KERNELS)))


@check(cell="convolve2d", points=2)
def convolve_same(student, draw):
    """Border "same"."""
    agree(student, "convolve2d", draw.cases(images_and_kernels(draw, ODD_KERNELS, border="same")))


@check(cell="convolve2d", points=2, is_property=True)
def impulse(student, draw):
    """An impulse is answered with the kernel."""
    x, w = np.zeros((9, 11)), draw.normal(3, 5)
    x[4, 5] = 1.0
    y = student.convolve2d(x, w)
    if is_map(y, (7, 7)):
        close(y[2:5, 1:6], w, what="the answer to an impulse")


@check(cell="convolve2d", points=2, is_property=True)
def commutative_and_associative(student, draw):
    """Full convolution: x * a = a * x, and two filters in a row are one, (x * a) * b = x * (a * b)."""
    x, a, b = draw.normal(4, 6), draw.normal(3, 2), draw.normal(2, 3)
    first, both = full(student.convolve2d, x, a), full(student.convolve2d, a, b)
    if is_map(first, (6, 7)) and is_map(both, (4, 4)):
        close(full(student.convolve2d, a, x), first, what="a * x")
        whole = full(student.convolve2d, x, both)
        if is_map(whole, (7, 9)):
            close(full(student.convolve2d, first, b), whole, what="(x * a) * b")


@check(cell="box_kernel", points=2)
def box_weights(student, draw):
    """Equal weights that sum to 1."""
    agree(student, "box_kernel", draw.cases([Case(k) for k in draw.shuffled([1, 2, 3, 5, 8])]))


@check(cell="gaussian_kernel", points=3)
def gaussian_weights(student, draw):
    """Odd sizes, several widths."""
    ranges = {3: (0.5, 1.0), 5: (1.2, 1.7), 7: (2.0, 2.5)}
    cases = [Case(k, float(draw.uniform(low=low, high=high))) for k, (low, high) in ranges.items()]
    agree(student, "gaussian_kernel", draw.cases(cases))


@check(cell="gaussian_kernel", points=1)
def gaussian_even(student, draw):
    """Even sizes: the centre lies between pixels."""
    cases = [Case(k, float(draw.uniform(low=0.6, high=1.6))) for k in (2, 4, 6)]
    agree(student, "gaussian_kernel", draw.cases(cases))


@check(cell="gaussian_kernel", points=1, is_property=True)
def gaussian_keeps_a_plain_wall(student, draw):
    """A plain image keeps its brightness."""
    w = student.gaussian_kernel(5, float(draw.uniform(low=1.5, high=3.0)))
    if is_map(w, (5, 5)):
        wall = reference.correlate2d(np.full((7, 8), 0.6), w)
        close(wall, np.full((3, 4), 0.6), what="the blurred plain image")


@check(cell="gaussian_kernel", points=1, is_property=True)
def gaussian_centred(student, draw):
    """The same in all directions, and greatest in the middle."""
    w = student.gaussian_kernel(5, float(draw.uniform(low=0.7, high=1.5)))
    if is_map(w, (5, 5)):
        for turned in (w[::-1], w[:, ::-1], w.T):
            close(turned, w, what="the kernel turned over")
        expect(np.argmax(w) == 12, "the greatest weight is the middle one")


@check(cell="sobel", points=3)
def sobel_values(student, draw):
    """Random images: horizontal edges first, border "same"."""
    agree(student, "sobel", draw.cases(lambda d: Case(image(d)), 3))


@check(cell="sobel", points=3, is_property=True)
def sobel_of_a_ramp(student, draw):
    """An image that gets evenly brighter: inside, both edges are 8 times the slope."""
    down, right = draw.uniform(2, low=0.5, high=2.0)
    rows, columns = np.indices((6, 8))
    found = student.sobel(down * rows + right * columns)
    pair = isinstance(found, list | tuple) and len(found) == 2
    if expect(pair, "a tuple of two arrays is expected", actual=found):
        for name, edges, slope in zip(("horizontal", "vertical"), found, (down, right), strict=True):
            if is_map(edges, (6, 8)):
                close(edges[1:-1, 1:-1], np.full((4, 6), 8 * slope), what=f"the inside of the {name} edges")


@check(cell="match_pattern", points=2)
def pattern_in_noise(student, draw):
    """A pattern somewhere in a faint image: at its first place, its last, between them."""
    for row, col in ((0, 0), (19, 30), (draw.integer(1, 7), draw.integer(12, 24))):
        picture, pattern = scene(draw, row, col)
        equal(student.match_pattern(picture, pattern), (row, col), what="the place")


@check(cell="match_pattern", points=2)
def pattern_beside_a_light(student, draw):
    """A bright light does not win."""
    for _ in range(3):
        row, col = draw.integer(1, 7), draw.integer(18, 28)
        picture, pattern = scene(draw, row, col)
        equal(student.match_pattern(picture + glare(picture.shape), pattern), (row, col), what="the place")


@check(cell="match_pattern", points=2)
def pattern_in_fog(student, draw):
    """A brighter image with less contrast changes nothing."""
    for _ in range(3):
        row, col = draw.integer(1, 7), draw.integer(12, 24)
        picture, pattern = scene(draw, row, col)
        equal(student.match_pattern(1.5 + 0.4 * picture, pattern), (row, col), what="the place")


@check(cell="convolution_matrix", points=3)
def matrix_times_image(student, draw):
    """The matrix times an image is the correlation: odd kernels."""
    for kernel in ((3, 3), (3, 5), (5, 1)):
        x, w = draw.normal(4, 6), draw.normal(*kernel)
        a = student.convolution_matrix(w, x.shape)
        if is_map(a, (24, 24)):
            close(a @ x.ravel(), reference.correlate2d(x, w, "same").ravel(), what="A times the image")


@check(cell="convolution_matrix", points=3)
def matrix_rows(student, draw):
    """Every row of the matrix, those of pixels at the border too, even kernels too."""
    shapes = [((3, 3), (3, 4)), ((3, 1), (4, 2)), ((2, 3), (3, 5)), ((2, 2), (4, 3))]
    cases = [Case(draw.normal(*kernel), shape) for kernel, shape in shapes]
    agree(student, "convolution_matrix", draw.cases(cases))


@check(cell="convolution_matrix", points=2)
def adjoint_is_the_gradient(student, draw):
    """The transposed matrix times dy is the gradient with respect to the image."""
    x, w, dy = draw.normal(4, 5), draw.normal(3, 3), draw.normal(4, 5)
    a = student.convolution_matrix(w, x.shape)
    if is_map(a, (20, 20)):
        gradient = numerical_gradient(lambda x: float((dy * reference.correlate2d(x, w, "same")).sum()), x)
        close(a.T @ dy.ravel(), gradient.ravel(), atol=1e-6, what="A^T dy")


@check(cell="conv2d", points=2)
def one_channel(student, draw):
    """One image, one channel, one filter."""
    agree(student, "conv2d", draw.cases(lambda d: Case(d.normal(1, 1, 6, 8), d.normal(1, 1, 3, 2)), 3))


@check(cell="conv2d", points=4)
def channels(student, draw):
    """A batch of images with several channels, several filters."""
    agree(student, "conv2d", draw.cases(layer, 4))


@check(cell="conv2d", points=2)
def bias(student, draw):
    """A bias for each filter."""
    agree(student, "conv2d", draw.cases(lambda d: layer(d, bias=True), 3))


@check(cell="conv2d", points=4)
def layer_strides(student, draw):
    """Strides 2 and 3; a window that does not fit is left out."""
    agree(student, "conv2d", draw.cases([layer(draw, stride=s) for s in (2, 3, 2, 3)]))


@check(cell="conv2d", points=3)
def layer_padding(student, draw):
    """Paddings 1, 2 and 3."""
    agree(student, "conv2d", draw.cases([layer(draw, padding=p) for p in (1, 2, 3)]))


@check(cell="conv2d", points=3)
def layer_dilation(student, draw):
    """Dilations 2 and 3."""
    agree(student, "conv2d", draw.cases([layer(draw, dilation=d) for d in (2, 3, 2)]))


@check(cell="conv2d", points=4)
def layer_groups(student, draw):
    """Two and three groups."""
    agree(student, "conv2d", draw.cases([layer(draw, groups=g) for g in (2, 3, 2)]))


@check(cell="conv2d", points=2)
def everything_at_once(student, draw):
    """Stride, padding, dilation, groups and bias together."""
    options = [(2, 1, 2, 2), (3, 2, 2, 3), (2, 3, 3, 2)]
    cases = [layer(draw, bias=True, stride=s, padding=p, dilation=d, groups=g) for s, p, d, g in options]
    agree(student, "conv2d", draw.cases(cases))


@check(cell="pointwise_conv2d", points=3)
def mixed_channels(student, draw):
    """Each pixel's channels are mixed, and no pixel sees its neighbours."""
    x = draw.normal(2, 3, 4, 5)
    cases = [Case(x, draw.normal(filters, 3)) for filters in draw.shuffled([1, 2, 3, 4])]
    agree(student, "pointwise_conv2d", draw.cases(cases))


@check(cell="depthwise_conv2d", points=3)
def kernel_for_each_channel(student, draw):
    """Random images and kernels."""
    agree(student, "depthwise_conv2d", draw.cases(channels_and_kernels, 4))


@check(cell="depthwise_conv2d", points=2)
def separable(student, draw):
    """Depthwise, then pointwise, is an ordinary layer whose weights are products."""
    x, space, mix = draw.normal(2, 3, 5, 7), draw.normal(3, 3, 2), draw.normal(4, 3)
    between = student.depthwise_conv2d(x, space)
    if is_map(between, (2, 3, 3, 6)):
        close(student.pointwise_conv2d(between, mix), reference.conv2d(x, mix[:, :, None, None] * space))


@check(cell="skyline_score", points=3, is_property=True)
def cities_win(student, draw):
    """Cities score higher than landscapes, which have more edges."""
    for _ in range(4):
        seeds = draw.integer(0, 10**9), draw.integer(0, 10**9)
        if found := scores(student, cityscape(seeds[0]), landscape(seeds[1])):
            city, country = found
            expect(city > country, f"a city scores {city:.4g}, a landscape {country:.4g}", actual=found)


@check(cell="skyline_score", points=2)
def score_values(student, draw):
    """Steps 1 to 3, exactly."""
    cases = [Case(draw.uniform(draw.integer(18, 22), draw.integer(8, 12))) for _ in range(3)]
    agree(student, "skyline_score", draw.cases(cases))


@check(cell="skyline_score", points=2, is_property=True)
def city_turned_and_widened(student, draw):
    """A city on its side has few vertical lines; one twice as wide has as many, in the mean."""
    city = cityscape(draw.integer(0, 10**9))
    if found := scores(student, city, city.T, np.concatenate([city, city[:, ::-1]], axis=1)):
        upright, lying, wide = found
        expect(upright > 2 * lying, f"upright {upright:.4g}, on its side {lying:.4g}", actual=found)
        expect(abs(wide - upright) < 0.2 * upright, f"{upright:.4g}, twice as wide {wide:.4g}", actual=found)
