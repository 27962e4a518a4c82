"""The right functions of `convolution`: correlation slides the kernel as it is, convolution flips it.

Sources: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016); Gonzalez and Woods,
"Digital Image Processing", for Gaussian and Sobel kernels; Howard et al., "MobileNets" (2017), for depthwise
and pointwise layers.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
"""Sobel's kernel for vertical edges."""

LINE = 15
"""Height in pixels of what `skyline_score` takes for a long vertical line."""


def correlate1d(x, w):
    """Return y[i] = sum_u w[u] x[i + u], VALID: `(n,)` and `(k,)` give `(n - k + 1,)`."""
    return sliding_window_view(x, len(w)) @ w


def correlate2d(x, w, border="valid", stride=1):
    """Return y[i, j] = sum_uv w[u, v] x[i s + u, j s + v] with stride s.

    "same" pads (k - 1) // 2 zeros before and k // 2 after. Shapes: `(H, W)` and `(k1, k2)` give
    `(H - k1) // s + 1` rows for "valid", `ceil(H / s)` for "same"; columns alike.

    Raises:
        ValueError: `border` is neither "valid" nor "same".
    """
    if border not in {"valid", "same"}:
        raise ValueError(f'border must be "valid" or "same", found {border!r}')
    if border == "same":
        x = np.pad(x, [((k - 1) // 2, k // 2) for k in w.shape])
    return np.einsum("ijuv,uv->ij", sliding_window_view(x, w.shape)[::stride, ::stride], w)


def correlate3d(x, w):
    """Slide along three axes, VALID: `(D, H, W)` and `(k1, k2, k3)` give `(D - k1 + 1, ...)`."""
    return np.einsum("dijtuv,tuv->dij", sliding_window_view(x, w.shape), w)


def convolve2d(x, w, border="valid"):
    """Correlate with the kernel flipped along both axes."""
    return correlate2d(x, w[::-1, ::-1], border)


def box_kernel(k):
    """Return `(k, k)` of equal weights that sum to 1."""
    return np.full((k, k), 1 / k**2)


def gaussian_kernel(k, sigma):
    """Return `(k, k)` weights of sum 1, proportional to exp(-distance from the centre^2 / (2 sigma^2))."""
    offsets = np.arange(k) - (k - 1) / 2
    profile = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.outer(profile, profile) / profile.sum() ** 2


def sobel(x):
    """Return `(horizontal, vertical)` edges, SAME: positive where x gets brighter downwards, rightwards."""
    return correlate2d(x, SOBEL.T, "same"), correlate2d(x, SOBEL, "same")


def match_pattern(image, pattern):
    """Return `(row, col)`, the top left corner of where the zero-mean pattern correlates most."""
    score = correlate2d(image, pattern - pattern.mean())
    row, col = np.unravel_index(np.argmax(score), score.shape)
    return int(row), int(col)


def convolution_matrix(w, shape):
    """Return A with `A @ x.ravel() == correlate2d(x, w, "same").ravel()`, for `shape` `(H, W)`."""
    height, width = shape
    impulses = np.eye(height * width).reshape(-1, height, width)
    return np.stack([correlate2d(impulse, w, "same").ravel() for impulse in impulses], axis=1)


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Compute the layer of a CNN, as torch.nn.functional.conv2d.

    Shapes: x `(N, C, H, W)`, w `(F, C / groups, k1, k2)`, b `(F,)`, result `(N, F, H', W')` with
    `H' = (H + 2 padding - dilation (k1 - 1) - 1) // stride + 1`, and W' alike.
    """
    n, c = x.shape[:2]
    f, depth, *kernel = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    extent = [dilation * (k - 1) + 1 for k in kernel]
    windows = sliding_window_view(x, extent, axis=(2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]
    windows = windows.reshape(n, groups, c // groups, *windows.shape[2:])
    filters = w.reshape(groups, f // groups, depth, *kernel)
    out = np.einsum("ngcijuv,gfcuv->ngfij", windows, filters, optimize=True)
    out = out.reshape(n, f, *out.shape[3:])
    return out if b is None else out + b[:, None, None]


def pointwise_conv2d(x, w):
    """Mix the channels of each pixel (1x1): x `(N, C, H, W)` and w `(F, C)` give `(N, F, H, W)`."""
    return np.einsum("ncij,fc->nfij", x, w)


def depthwise_conv2d(x, w):
    """Give each channel its own kernel, VALID: x `(N, C, H, W)`, w `(C, k1, k2)`, result `(N, C, H', W')`."""
    return np.einsum("ncijuv,cuv->ncij", sliding_window_view(x, w.shape[1:], axis=(2, 3)), w)


def skyline_score(image):
    """Measure how much of an image `(H, W)`, H > 16, is long vertical lines; a float.

    Vertical Sobel edges (VALID), their average down LINE pixels, the mean of the absolute values.
    """
    edges = correlate2d(image, SOBEL)
    lines = correlate2d(edges, np.full((LINE, 1), 1 / LINE))
    return float(np.abs(lines).mean())
