"""How the checks of `convolution` draw inputs: no image is square, no kernel symmetric."""

import numpy as np

from autograder.checks import Case

ODD_KERNELS = [(3, 5), (5, 3), (1, 3), (5, 1), (3, 3)]
EVEN_KERNELS = [(2, 3), (4, 2), (2, 2), (3, 4)]


def signal(draw):
    """Draw a signal and a shorter kernel."""
    return Case(draw.normal(draw.integer(8, 14)), draw.normal(draw.integer(2, 5)))


def image(draw):
    """Draw an image `(H, W)`, H < W."""
    rows = draw.integer(6, 9)
    return draw.normal(rows, rows + draw.integer(1, 4))


def images_and_kernels(draw, kernels, **options):
    """Draw, for each of these shapes, an image and a kernel."""
    return [Case(image(draw), draw.normal(*kernel), **options) for kernel in kernels]


def volume(draw):
    """Draw a volume and a box; all their sides differ."""
    return Case(draw.normal(draw.integer(4, 5), draw.integer(6, 7), draw.integer(8, 9)), draw.normal(2, 3, 4))


def layer(draw, *, groups=1, bias=False, **options):
    """Draw two images of a batch, the weights `(F, C / groups, 3, 2)` of a layer and its bias or None.

    8 rows: with a kernel of 3 rows a stride of 2 or 3 leaves some over, so that rounding up shows.
    """
    depth, block = draw.integer(2, 3), draw.integer(2, 3)
    x = draw.normal(2, depth * groups, 8, draw.integer(10, 12))
    w = draw.normal(block * groups, depth, 3, 2)
    if groups > 1:
        options["groups"] = groups
    return Case(x, w, draw.normal(len(w)) if bias else None, **options)


def channels_and_kernels(draw):
    """Draw a batch with three channels and a kernel for each of them."""
    return Case(draw.normal(2, 3, draw.integer(5, 6), draw.integer(7, 8)), draw.normal(3, 3, 2))


def scene(draw, row, col):
    """Draw a pattern of ten black and ten white pixels, and hide it in a faint image at this place."""
    pattern = np.array(draw.shuffled([0.0, 1.0] * 10)).reshape(5, 4)
    picture = 0.05 * draw.uniform(24, 34)
    picture[row : row + 5, col : col + 4] += pattern
    return picture, pattern


def glare(shape):
    """Return a soft light, twice as bright as white, in the lower left of an image of this shape."""
    rows, columns = np.indices(shape)
    return 2.0 * np.exp(-((rows - 17) ** 2 + (columns - 8) ** 2) / (2 * 5.0**2))


def full(convolve, x, w):
    """Return the full convolution of x and w, by a valid one on the image in a wide frame of zeros."""
    return convolve(np.pad(x, [(k - 1, k - 1) for k in w.shape]), w)
