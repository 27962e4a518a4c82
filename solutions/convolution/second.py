"""A second right answer to `convolution`: windows one by one, slices, one large kernel for all options."""

import numpy as np


def correlate1d(x, w):
    y = np.zeros(len(x) - len(w) + 1)
    for u, weight in enumerate(w):
        y += weight * x[u : u + len(y)]
    return y


def correlate2d(x, w, border="valid", stride=1):
    if border == "same":
        above, left = (w.shape[0] - 1) // 2, (w.shape[1] - 1) // 2
        framed = np.zeros((x.shape[0] + w.shape[0] - 1, x.shape[1] + w.shape[1] - 1))
        framed[above : above + x.shape[0], left : left + x.shape[1]] = x
        x = framed
    rows = range(0, x.shape[0] - w.shape[0] + 1, stride)
    columns = range(0, x.shape[1] - w.shape[1] + 1, stride)
    y = np.zeros((len(rows), len(columns)))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            y[i, j] = np.vdot(w, x[top : top + w.shape[0], left : left + w.shape[1]])
    return y


def correlate3d(x, w):
    depth = x.shape[0] - w.shape[0] + 1
    return np.array([sum(correlate2d(x[d + t], w[t]) for t in range(len(w))) for d in range(depth)])


def convolve2d(x, w, border="valid"):
    return correlate2d(x, np.rot90(w, 2), border)


def box_kernel(k):
    w = np.ones((k, k))
    return w / w.sum()


def gaussian_kernel(k, sigma):
    i, j = np.meshgrid(np.linspace(-(k - 1) / 2, (k - 1) / 2, k), np.linspace(-(k - 1) / 2, (k - 1) / 2, k))
    w = np.exp(-0.5 * (i * i + j * j) / sigma**2)
    return w / w.sum()


def sobel(x):
    p = np.pad(x, 1)
    down, right = p[2:] - p[:-2], p[:, 2:] - p[:, :-2]
    return down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:], right[:-2] + 2 * right[1:-1] + right[2:]


def match_pattern(image, pattern):
    windows = np.lib.stride_tricks.sliding_window_view(image, pattern.shape)
    windows = windows - windows.mean(axis=(2, 3), keepdims=True)
    contrast = np.sqrt((windows**2).sum(axis=(2, 3)))
    likeness = np.tensordot(windows, pattern, axes=2) / contrast  # normalised: finds it too
    return tuple(int(i[0]) for i in np.where(likeness == likeness.max()))


def convolution_matrix(w, shape):
    impulses = np.eye(shape[0] * shape[1])
    return np.array([correlate2d(impulse.reshape(shape), w, "same").ravel() for impulse in impulses]).T


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    # dilation: a larger kernel with zeros between its weights; groups: a deeper one with blocks of zeros
    filters, depth, k1, k2 = w.shape
    spread = np.zeros((filters, x.shape[1], dilation * (k1 - 1) + 1, dilation * (k2 - 1) + 1))
    for f in range(filters):
        first = f * groups // filters * depth
        spread[f, first : first + depth, ::dilation, ::dilation] = w[f]
    framed = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    rows = range(0, framed.shape[2] - spread.shape[2] + 1, stride)
    columns = range(0, framed.shape[3] - spread.shape[3] + 1, stride)
    y = np.empty((len(x), filters, len(rows), len(columns)))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            window = framed[:, :, top : top + spread.shape[2], left : left + spread.shape[3]]
            y[:, :, i, j] = window.reshape(len(x), -1) @ spread.reshape(filters, -1).T
    return y if b is None else y + b.reshape(1, -1, 1, 1)


def pointwise_conv2d(x, w):
    return np.moveaxis(np.moveaxis(x, 1, -1) @ w.T, -1, 1)


def depthwise_conv2d(x, w):
    return conv2d(x, w[:, None], groups=len(w))


def skyline_score(image):
    across = image[:, 2:] - image[:, :-2]
    edges = across[:-2] + 2 * across[1:-1] + across[2:]
    sums = np.vstack([np.zeros(edges.shape[1]), np.cumsum(edges, axis=0)])
    return np.abs(sums[15:] - sums[:-15]).mean() / 15
