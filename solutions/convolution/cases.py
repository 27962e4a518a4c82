"""How the checks of `convolution` draw their inputs: images are not square, kernels neither square nor symmetric."""

import numpy as np

from autograder.checks import Case


def signal(draw):
    """Draw a signal and a kernel that is shorter."""
    return Case(draw.normal(draw.integer(8, 14)), draw.normal(draw.integer(2, 5)))


def image_and_kernel(draw, *, even=False, **options):
    """Draw an image with more columns than rows and a kernel with odd sides, or with at least one even side."""
    kernel = draw.choice(
        [(2, 3), (4, 2), (2, 2), (3, 4)] if even else [(3, 5), (5, 3), (1, 3), (5, 1), (3, 3)]
    )
    rows = draw.integer(6, 9)
    return Case(draw.normal(rows, rows + draw.integer(1, 4)), draw.normal(*kernel), **options)


def volume(draw):
    """Draw a volume and a box, all of whose sides differ."""
    return Case(draw.normal(draw.integer(4, 5), draw.integer(6, 7), draw.integer(8, 9)), draw.normal(2, 3, 4))


def layer(draw, *, groups=1, bias=False, **options):
    """Draw a batch of two images, the weights of a layer, and its bias.

    The kernel is 3 by 2, a block has as many filters as channels (so that swapped axes do not raise), images have room
    for dilation 3.
    """
    depth, block = draw.integer(2, 3), draw.integer(2, 3)
    if groups > 1:
        block = depth
        options["groups"] = groups
    x = draw.normal(2, depth * groups, draw.integer(8, 9), draw.integer(10, 12))
    w = draw.normal(block * groups, depth, 3, 2)
    return Case(x, w, draw.normal(len(w)) if bias else None, **options)


def scene(draw, *, row=None, col=None):
    """Draw a pattern of black and white pixels and a faint background that holds it: `(image, pattern, place)`."""
    pattern = draw.rng.integers(0, 2, (5, 4)).astype(float)
    pattern[[0, 1], [0, 1]] = 1.0, 0.0  # never plain
    image = 0.05 * draw.uniform(24, 34)
    row = draw.integer(2, 8) if row is None else row
    col = draw.integer(14, 24) if col is None else col
    image[row : row + 5, col : col + 4] += pattern
    return image, pattern, (row, col)


def glare(shape, brightness):
    """Return a soft bright light in the lower left of an image of this shape."""
    rows, columns = np.indices(shape)
    return brightness * np.exp(-((rows - 17) ** 2 + (columns - 8) ** 2) / (2 * 5.0**2))
