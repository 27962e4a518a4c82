# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] nbgrader={"grade": false, "grade_id": "intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Convolution by hand
#
# A convolutional network is made of one operation, repeated: slide a small pattern of weights over an image, and at each
# place write down how much the image looks like it. In this notebook you write that operation yourself, from a dot product
# that slides along a signal to the full layer of a CNN with stride, padding, dilation and groups. On the way you blur, sharpen,
# find edges, find coins, and tell a city from a meadow, without training anything.
#
# **How it is graded.** Each exercise has a cell for your code and, below it, a locked cell with examples: run it as often as you
# like. Your points come from further checks on other inputs, drawn for you, several for each exercise, so that half a solution
# earns part of the points. 100 points, and 5 more for the written question at the end. Later functions may call earlier ones:
# get `correlate2d` right before you go on.
#
# **What you may use.** numpy. Not `np.convolve`, `np.correlate`, `np.fft`, `as_strided`, scipy or torch: they are what you
# are writing. Loops are fine: all inputs are small.
#
# **Two words.** *Cross-correlation* slides the kernel as it is; *convolution* turns it by 180 degrees first. What a CNN layer
# calls convolution is cross-correlation. This notebook says which one it means, always.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course import cityscape, landscape, photo, show_row

# %% [markdown] nbgrader={"grade": false, "grade_id": "correlate1d-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 1. A dot product that slides
#
# A fully connected layer from a 28x28 image to a 24x24 map has 784 x 576 = 451,584 weights. But an edge in the top left corner
# is the same thing as an edge in the middle: if we look for it everywhere with the *same* 5x5 weights, 25 are enough, 18,063 times
# fewer. That is the whole idea. First along a line: a signal $x$ of length $n$, a kernel $w$ of length $k$,
#
# $$y[i] = \sum_{u=0}^{k-1} w[u]\; x[i + u], \qquad i = 0, \dots, n - k.$$
#
# Each $y[i]$ is the dot product of the kernel with the window that starts at $i$. The kernel must lie wholly inside the signal
# (this is called *valid*), so there are $n - k + 1$ outputs. The kernel $[-1, 1]$ answers 1 where the signal steps up, -1 where it
# steps down, and 0 where nothing happens.

# %% nbgrader={"grade": false, "grade_id": "correlate1d-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
step = np.array([0, 0, 1, 1, 1, 0])
difference = np.array([-1, 1])
show_row([step, difference, [0, 1, 0, 0, -1]], ["signal x", "kernel w", "result y"], numbers=True)


# %% nbgrader={"grade": false, "grade_id": "correlate1d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def correlate1d(x, w):
    """Slide `w` along `x` and take the dot product at each place (cross-correlation, valid).

    x: array of shape (n,); w: array of shape (k,), k <= n. Returns an array of shape (n - k + 1,).
    """
    ### BEGIN SOLUTION
    k = len(w)
    return np.array([np.dot(w, x[i : i + k]) for i in range(len(x) - k + 1)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "correlate1d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
y = correlate1d(np.array([0, 0, 1, 1, 1, 0]), np.array([-1, 1]))
assert np.shape(y) == (5,), f"6 - 2 + 1 = 5 outputs expected, found shape {np.shape(y)}"
assert np.allclose(y, [0, 1, 0, 0, -1]), f"expected [0, 1, 0, 0, -1], found {y}"

y = correlate1d(np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, 10.0, 100.0]))
assert np.allclose(y, [421, 842]), f"the first output is 1*1 + 10*2 + 100*4 = 421; found {y}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "correlate2d-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 2. Over an image
#
# In two dimensions the window is a rectangle ([Dumoulin and Visin 2016](https://arxiv.org/abs/1603.07285), chapter 2; this
# is their example):
#
# $$y[i, j] = \sum_{u=0}^{k_1 - 1} \sum_{v=0}^{k_2 - 1} w[u, v]\; x[i\,s + u,\; j\,s + v].$$
#
# *Border.* With `"valid"` the kernel stays inside, and the result is smaller than the image. With `"same"` the image first gets
# a frame of zeros, just wide enough that (at stride 1) the result is as large as the image: $k_1 - 1$ rows, $\lfloor (k_1 - 1)/2
# \rfloor$ of them above and the rest below; $k_2 - 1$ columns, $\lfloor (k_2 - 1)/2 \rfloor$ of them on the left and the rest on the
# right. (Rows belong to $k_1$: a slide of ours had it the other way round.)
#
# *Stride.* With stride $s$ the window moves $s$ pixels at a time, down and to the right: the result is every $s$-th row
# and column of the result at stride 1, beginning with the first.
#
# Two loops over the places of the window will do. (Faster: a loop over the kernel's few weights, each of which sees the whole image,
# shifted.)

# %% nbgrader={"grade": false, "grade_id": "correlate2d-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
image = np.array([[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]])
kernel = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
result = np.array([[12, 12, 17], [10, 17, 19], [9, 6, 14]])
show_row(
    [image, kernel, result],
    ["image, one window", "kernel", "result: the window gives 19"],
    numbers=True,
    windows=[(1, 2, 3, 3), None, (1, 2, 1, 1)],
)
print("1*0 + 3*1 + 1*2   +   2*2 + 2*2 + 3*0   +   0*0 + 2*1 + 2*2   =", 5 + 8 + 6)


# %% nbgrader={"grade": false, "grade_id": "correlate2d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def correlate2d(x, w, border="valid", stride=1):
    """Slide `w` over the image `x` (cross-correlation).

    x: array of shape (H, W); w: array of shape (k1, k2); border: "valid" or "same";
    stride: an int, 1 or more. Returns an array; at stride 1 its shape is
    (H - k1 + 1, W - k2 + 1) for "valid" and (H, W) for "same".
    """
    ### BEGIN SOLUTION
    k1, k2 = w.shape
    if border == "same":
        x = np.pad(x, (((k1 - 1) // 2, k1 // 2), ((k2 - 1) // 2, k2 // 2)))
    rows, columns = x.shape[0] - k1 + 1, x.shape[1] - k2 + 1
    # a loop over the few weights: each sees the whole image, shifted by (u, v)
    y = 0
    for u, v in np.ndindex(k1, k2):
        y = y + w[u, v] * x[u : u + rows : stride, v : v + columns : stride]
    return y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "correlate2d", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
y = correlate2d(image, kernel)
assert np.array_equal(y, result), f"expected\n{result}\nfound\n{y}"

y = correlate2d(image, kernel, border="same")
assert np.shape(y) == (5, 5), f"'same' keeps the shape (5, 5), found {np.shape(y)}"
assert np.array_equal(y[1:-1, 1:-1], result), "far from the frame, 'same' is 'valid'"
assert y[0, 0] == 6, f"in the corner 2*3 + 0*3 + 1*0 + 2*0 = 6, found {y[0, 0]}"

y = correlate2d(image, kernel, stride=2)
assert np.array_equal(y, [[12, 17], [9, 14]]), f"stride 2 takes every second row and column, found\n{y}"

y = correlate2d(np.ones((4, 6)), np.ones((3, 1)), border="same")
assert np.allclose(y[:, 0], [2, 3, 3, 2]), "3 rows, 1 column: zeros above and below only"

# %% nbgrader={"grade": false, "grade_id": "correlate2d-photo", "locked": true, "schema_version": 3, "solution": false, "task": false}
cameraman = photo("cameraman")
sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
show_row(
    [
        cameraman,
        correlate2d(cameraman, np.ones((7, 7)) / 49, "same"),
        correlate2d(cameraman, sharpen, "same").clip(0, 1),
    ],
    ["a photo", "mean of 7x7 pixels: blurred", "5 x itself - 4 neighbours: sharp"],
)
print("stride 4, valid:", correlate2d(cameraman, np.ones((7, 7)), stride=4).shape)

# %% [markdown] nbgrader={"grade": false, "grade_id": "correlate3d-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 3. Through a volume
#
# A film, a brain scan, a stack of video frames: with a third axis the window is a box, and it slides along all three axes,
#
# $$y[d, i, j] = \sum_{t} \sum_{u} \sum_{v} w[t, u, v]\; x[d + t,\; i + u,\; j + v].$$
#
# A colour image is a volume of depth 3 (red, green, blue). When the kernel is as deep as the image there is one place
# for it in depth, and **one** map comes out, whatever the number of colours: the products are summed over the channels too. Hold
# on to that: it is what every CNN layer does. Below, the window of each colour gives 308, -498 and 164; the result is their sum, -26.

# %% nbgrader={"grade": false, "grade_id": "correlate3d-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
colours = np.array(
    [
        [[0, 0, 0], [0, 156, 155], [0, 153, 154]],
        [[0, 0, 0], [0, 167, 166], [0, 164, 165]],
        [[0, 0, 0], [0, 163, 162], [0, 160, 161]],
    ]
)
weights = np.array(
    [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ]
)
show_row(colours, ["red", "green", "blue"], numbers=True)
show_row(weights, ["kernel on red: 308", "kernel on green: -498", "kernel on blue: 164"], numbers=True)


# %% nbgrader={"grade": false, "grade_id": "correlate3d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def correlate3d(x, w):
    """Slide the box `w` through the volume `x` along all three axes (cross-correlation, valid).

    x: array of shape (D, H, W); w: array of shape (k1, k2, k3).
    Returns an array of shape (D - k1 + 1, H - k2 + 1, W - k3 + 1).
    """
    ### BEGIN SOLUTION
    k1, k2, k3 = w.shape
    depth, rows, columns = (n - k + 1 for n, k in zip(x.shape, w.shape))
    y = 0
    for t, u, v in np.ndindex(k1, k2, k3):
        y = y + w[t, u, v] * x[t : t + depth, u : u + rows, v : v + columns]
    return y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "correlate3d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
y = correlate3d(colours, weights)
assert np.shape(y) == (1, 1, 1), f"the box fits in one place; found shape {np.shape(y)}"
assert y.item() == -26, f"308 - 498 + 164 = -26, found {y.item()}"

frames = np.arange(4)[:, None, None] * np.ones((4, 5, 6))  # each frame one brighter than the last
y = correlate3d(frames, np.array([-1.0, 1.0]).reshape(2, 1, 1))
assert np.shape(y) == (3, 5, 6), f"3 pairs of frames expected, found shape {np.shape(y)}"
assert np.allclose(y, 1), "each frame differs from the next by 1"

# %% [markdown] nbgrader={"grade": false, "grade_id": "convolve2d-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 4. Convolution proper: flip the kernel
#
# Mathematicians turn the kernel by 180 degrees, so that the indices run against each other:
#
# $$(x * w)[i, j] = \sum_{u} \sum_{v} w[u, v]\; x[i - u,\; j - v].$$
#
# In practice: flip the kernel up-down *and* left-right, then correlate. What is it good for?
#
# * An image that is black but for one white pixel (an *impulse*) is answered with the kernel itself, not with its
#   mirror image.
# * It is commutative, $x * w = w * x$, and associative, $(x * a) * b = x * (a * b)$: two filters in a row are one filter. (Both hold
#   for *full* convolution, where the image gets a frame of $k - 1$ zeros on every side first, so that nothing is cut off.)
#
# A network learns its weights, so it does not care whether they are flipped, and libraries save the flip. Careful when you
# try it out: with a symmetric kernel both are the same, and a wrong program looks right.


# %% nbgrader={"grade": false, "grade_id": "convolve2d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def convolve2d(x, w, border="valid"):
    """Convolve the image `x` with the kernel `w`: like correlate2d, with `w` flipped along both axes.

    x: array of shape (H, W); w: array of shape (k1, k2); border: "valid" or "same", as for correlate2d.
    """
    ### BEGIN SOLUTION
    # every pixel stamps the kernel on the result (not by correlate2d: a mistake there stays there)
    (height, width), (k1, k2) = x.shape, w.shape
    stamped = np.zeros((height + k1 - 1, width + k2 - 1))
    for u, v in np.ndindex(k1, k2):
        stamped[u : u + height, v : v + width] += w[u, v] * x
    if border == "valid":
        return stamped[k1 - 1 : height, k2 - 1 : width]
    return stamped[k1 // 2 : k1 // 2 + height, k2 // 2 : k2 // 2 + width]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "convolve2d", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
y = convolve2d(image, kernel)
assert np.array_equal(y, [[18, 20, 19], [10, 9, 17], [11, 8, 14]]), f"found\n{y}"

impulse = np.zeros((5, 5))
impulse[2, 2] = 1
y = convolve2d(impulse, kernel, border="same")
assert np.array_equal(y[1:4, 1:4], kernel), f"the answer is the kernel, found\n{y[1:4, 1:4]}"

# %% nbgrader={"grade": false, "grade_id": "convolve2d-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
letter = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]])
dots = np.zeros((17, 25))
dots[[4, 4, 12], [5, 18, 12]] = 1
show_row(
    [dots, letter, convolve2d(dots, letter, "same"), correlate2d(dots, letter, "same")],
    ["impulses", "kernel", "convolution: the kernel", "correlation: upside down"],
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "kernels-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 5. Kernels that blur
#
# A blur replaces each pixel by a weighted mean of its neighbours. The weights of a mean **sum to 1**: then a plain wall keeps its
# brightness. A *box* has equal weights. A *Gaussian* trusts near neighbours more
# (Gonzalez and Woods, *Digital Image Processing*):
#
# $$w[i, j] \propto \exp\left(-\frac{(i - c)^2 + (j - c)^2}{2 \sigma^2}\right), \qquad c = \frac{k - 1}{2}, \qquad
# i, j = 0, \dots, k - 1,$$
#
# divided by the sum of all weights. The centre $c$ is the middle of the kernel; where $k$ is even, it lies between two pixels. (One of
# our slides prints $\exp\left((i - k/2)^2 / \sigma^2\right)$. Can you see three errors?)


# %% nbgrader={"grade": false, "grade_id": "box_kernel-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def box_kernel(k):
    """Equal weights that sum to 1. Returns an array of shape (k, k)."""
    ### BEGIN SOLUTION
    return np.full((k, k), 1 / k**2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "box_kernel", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert np.allclose(box_kernel(2), [[0.25, 0.25], [0.25, 0.25]]), f"found\n{box_kernel(2)}"


# %% nbgrader={"grade": false, "grade_id": "gaussian_kernel-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_kernel(k, sigma):
    """Gaussian weights around the middle, which sum to 1. Returns an array of shape (k, k)."""
    ### BEGIN SOLUTION
    distance = np.arange(k) - (k - 1) / 2
    profile = np.exp(-(distance**2) / (2 * sigma**2))
    profile /= profile.sum()
    return np.outer(profile, profile)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "gaussian_kernel", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
w = gaussian_kernel(3, 1.0)
expected = [[0.0751, 0.1238, 0.0751], [0.1238, 0.2042, 0.1238], [0.0751, 0.1238, 0.0751]]
assert np.allclose(w, expected, atol=5e-5), f"expected about\n{np.array(expected)}\nfound\n{w}"
assert np.isclose(gaussian_kernel(9, 0.7).sum(), 1), "the weights sum to 1"
w = gaussian_kernel(4, 1.0)
assert np.allclose(w, w[::-1]), "an even kernel has its centre between pixels"

# %% nbgrader={"grade": false, "grade_id": "kernels-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
coins = photo("coins")
box, gaussian = box_kernel(13), gaussian_kernel(13, 3.0)
show_row(
    [np.pad(box, 3), np.pad(gaussian, 3), correlate2d(coins, box), correlate2d(coins, gaussian)],
    ["box of 13x13", "Gaussian, sigma 3", "coins, box", "coins, Gaussian: rounder"],
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "sobel-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 6. Edges
#
# An edge is where brightness changes quickly: the image's derivative. Sobel's kernel takes the difference of the neighbours
# on the left and right, and smooths a little along the edge, so that noise counts less:
#
# $$S_v = \begin{bmatrix} -1 & 0 & 1 \\ -2 & 0 & 2 \\ -1 & 0 & 1 \end{bmatrix} =
# \begin{bmatrix} 1 \\ 2 \\ 1 \end{bmatrix} \begin{bmatrix} -1 & 0 & 1 \end{bmatrix}, \qquad S_h = S_v^T.$$
#
# $S_v$, *correlated* with the image, finds **vertical** edges: it is positive where the image gets brighter to the right. $S_h$
# finds **horizontal** ones: positive where it gets brighter downwards. Both have border `"same"`.


# %% nbgrader={"grade": false, "grade_id": "sobel-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sobel(x):
    """Edges of the image `x` (H, W), by correlation with S_h and S_v, border "same".

    Returns a tuple `(horizontal, vertical)` of two arrays of shape (H, W).
    """
    ### BEGIN SOLUTION
    framed = np.pad(x, 1)
    smooth_down = framed[:-2] + 2 * framed[1:-1] + framed[2:]
    smooth_right = framed[:, :-2] + 2 * framed[:, 1:-1] + framed[:, 2:]
    return smooth_right[2:] - smooth_right[:-2], smooth_down[:, 2:] - smooth_down[:, :-2]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sobel", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
bright_right = np.zeros((5, 6))
bright_right[:, 3:] = 1  # a vertical edge between columns 2 and 3
horizontal, vertical = sobel(bright_right)
assert np.allclose(vertical[2], [0, 0, 4, 4, 0, -4]), f"row 2, found {vertical[2]}"
assert np.allclose(horizontal[2], 0), f"no horizontal edge in row 2, found {horizontal[2]}"

# %% nbgrader={"grade": false, "grade_id": "sobel-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
cat = photo("cat")
horizontal, vertical = sobel(cat)
show_row(
    [picture[1:-1, 1:-1] for picture in (cat, horizontal, vertical, np.hypot(horizontal, vertical))],
    ["the cat", "horizontal edges", "vertical edges", "strength of the edge"],
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "match_pattern-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 7. Find a pattern
#
# Correlation measures likeness, so it can search: slide the pattern over the image, and take the place with the greatest answer.
# But there is a trap. A bright patch gives a large answer to *any* pattern of positive weights. The way out: subtract the
# pattern's mean first,
#
# $$\text{score}[i, j] = \sum_{u, v} \left(p[u, v] - \bar p\right) x[i + u,\; j + v].$$
#
# Now the weights sum to 0, and a plain patch scores 0 however bright it is: only *changes* count. (The border of a very bright
# patch is a change too; programs in real use therefore also divide by the contrast of the window.) Report where the
# best window begins: its top left corner.


# %% nbgrader={"grade": false, "grade_id": "match_pattern-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def match_pattern(image, pattern):
    """Find `pattern` (k1, k2) in `image` (H, W), by correlation with the zero-mean pattern.

    Returns `(row, col)`, two ints: the top left corner of the window with the greatest score.
    """
    ### BEGIN SOLUTION
    score = correlate2d(image, pattern - pattern.mean())
    row, col = np.unravel_index(np.argmax(score), score.shape)
    return int(row), int(col)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "match_pattern", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
scene = np.zeros((8, 10))
scene[4:7, 5:8] = cross
scene[0:3, 1:4] = 1.5  # a plain patch, 1.5 times as bright
found = match_pattern(scene, cross)
assert tuple(found) == (4, 5), f"the cross begins in row 4, column 5; found {found}"
coin = coins[75:93, 57:77]
assert tuple(match_pattern(coins, coin)) == (75, 57), "the coin is found where it was cut out"

# %% nbgrader={"grade": false, "grade_id": "match_pattern-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
coin = coins[75:93, 57:77]
raw = correlate2d(coins, coin)
bright = np.unravel_index(np.argmax(raw), raw.shape)
found = match_pattern(coins, coin)
show_row(
    [coin, raw, correlate2d(coins, coin - coin.mean()), coins, coins],
    ["pattern", "score, raw", "score, zero mean", "raw: bright wins", "zero mean: found"],
    windows=[None, None, None, (*bright, *coin.shape), (*found, *coin.shape)],
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "convolution_matrix-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 8. A convolution is a matrix
#
# Each output is a weighted sum of the inputs: correlation is linear, so it *is* a matrix. Write the image as one long vector, row
# after row (`x.ravel()`); then there is a matrix $A_w$ with one row for each output pixel and one column for each input pixel,
#
# $$A_w\, x = y.$$
#
# It is mostly zeros, and the same few weights come again in every row: a layer with shared weights is a fully connected layer
# most of whose weights are tied or zero. For the Laplacian $\begin{bmatrix} 0 & -1 & 0 \\ -1 & 4 & -1 \\ 0 & -1 & 0 \end{bmatrix}$ on a
# 3x3 image the third row is $[0, -1, 4,\ 0, 0, -1,\ 0, 0, 0]$: pixel (0, 2) has a neighbour on its left and one below, and *none*
# on its right: pixel (1, 0) comes next in the vector, but not in the image.
#
# The matrix also gives the gradient for free. If the loss changes by $dy$ with the outputs, it changes by $A_w^T\, dy$ with the inputs:
# that is what backpropagation computes for such a layer.

# %% nbgrader={"grade": false, "grade_id": "convolution_matrix-example", "locked": true, "schema_version": 3, "solution": false, "task": false}
laplacian = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
show_row(
    [laplacian, np.arange(9).reshape(3, 3), [0, -1, 4, 0, 0, -1, 0, 0, 0]],
    ["Laplacian", "numbers of the pixels", "row 2 of its matrix: the weights of pixels 0 to 8"],
    numbers=True,
)


# %% nbgrader={"grade": false, "grade_id": "convolution_matrix-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def convolution_matrix(w, shape):
    """The matrix A of `correlate2d(., w, "same")` on images of `shape` (H, W).

    w: array of shape (k1, k2). Returns an array of shape (H * W, H * W) with
    A @ x.ravel() == correlate2d(x, w, "same").ravel() for every x.
    """
    ### BEGIN SOLUTION
    height, width = shape
    above, left = (w.shape[0] - 1) // 2, (w.shape[1] - 1) // 2
    matrix = np.zeros((height, width, height, width))
    for i, j, u, v in np.ndindex(height, width, *w.shape):
        row, column = i + u - above, j + v - left
        if 0 <= row < height and 0 <= column < width:
            matrix[i, j, row, column] = w[u, v]
    return matrix.reshape(height * width, height * width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "convolution_matrix", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
A = convolution_matrix(laplacian, (3, 3))
assert np.shape(A) == (9, 9), f"9 outputs by 9 inputs expected, found {np.shape(A)}"
assert np.allclose(A[2], [0, -1, 4, 0, 0, -1, 0, 0, 0]), f"the third row, found {A[2]}"

A = convolution_matrix(kernel, image.shape)
y = correlate2d(image, kernel, "same")
assert np.allclose(A @ image.ravel(), y.ravel()), "A x is the correlation"

# %% nbgrader={"grade": false, "grade_id": "convolution_matrix-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
right = np.array([[0, 0, 0], [0, -1, 1], [0, 0, 0]])  # the difference to the neighbour on the right
A = convolution_matrix(right, (5, 6))
show_row(
    [convolution_matrix(laplacian, (5, 6)), A, A.T],
    ["Laplacian on 5x6 pixels", "difference to the right", "transposed: for the gradient"],
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "conv2d-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 9. The layer of a CNN
#
# Now everything at once. A batch $x$ of $N$ images with $C$ channels, $F$ filters, each as deep as the image, and a bias for each
# filter ([Dumoulin and Visin 2016](https://arxiv.org/abs/1603.07285), chapters 2 and 5):
#
# $$y[n, f, i, j] = b[f] + \sum_{c} \sum_{u, v} w[f, c, u, v]\; \tilde x[n, c,\; i\,s + u\,d,\; j\,s + v\,d].$$
#
# | option | what it does |
# |---|---|
# | `padding` $p$ | $\tilde x$ is $x$ with $p$ rows and columns of zeros on **all four** sides |
# | `stride` $s$ | the window moves $s$ pixels at a time, along both axes |
# | `dilation` $d$ | the weights stand $d$ pixels apart: a kernel of $k$ covers $d (k - 1) + 1$ pixels; $d = 1$ is the plain kernel |
# | `groups` $g$ | channels and filters are cut into $g$ blocks, in order; a filter of block $q$ sees only the channels of block $q$, so $w$ has shape $(F, C/g, k_1, k_2)$ |
#
# Below: the pixels that a 3x3 kernel sees at dilations 1 and 3; then which of 6 channels (columns) each of 6 filters (rows) sees.
# A window that does not fit is left out, hence the floor in the size of the result:
#
# $$H' = \left\lfloor \frac{H + 2p - d (k_1 - 1) - 1}{s} \right\rfloor + 1.$$
#
# Write it step by step: there are points for one channel, for many, for the bias, and for each option by itself.

# %% nbgrader={"grade": false, "grade_id": "conv2d-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
seen = np.zeros((2, 7, 7))
for picture, dilation in zip(seen, [1, 3]):
    picture[: 3 * dilation : dilation, : 3 * dilation : dilation] = 1
connected = [np.kron(np.eye(groups), np.ones((6 // groups, 6 // groups))) for groups in (1, 2, 6)]
show_row(
    [*seen, *connected],
    ["dilation 1: 3 pixels", "dilation 3: 7 pixels", "groups 1", "groups 2", "groups 6: depthwise"],
    text="pixels that a 3x3 kernel sees; channels (columns) that each filter (row) sees",
)


# %% nbgrader={"grade": false, "grade_id": "conv2d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """The convolution layer of a network (cross-correlation).

    x: array of shape (N, C, H, W); w: array of shape (F, C / groups, k1, k2); b: array of
    shape (F,) or None; the options are ints. Returns an array of shape (N, F, H', W').
    """
    ### BEGIN SOLUTION
    filters, depth, k1, k2 = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows = (x.shape[2] - dilation * (k1 - 1) - 1) // stride + 1
    columns = (x.shape[3] - dilation * (k2 - 1) - 1) // stride + 1
    out = np.zeros((len(x), filters, rows, columns))
    block = filters // groups
    for g in range(groups):
        channels, mine = x[:, g * depth : (g + 1) * depth], slice(g * block, (g + 1) * block)
        for u, v in np.ndindex(k1, k2):
            top, left = u * dilation, v * dilation
            seen = channels[:, :, top::stride, left::stride][:, :, :rows, :columns]
            out[:, mine] += np.einsum("ncij,fc->nfij", seen, w[mine, :, u, v])
    return out if b is None else out + b[:, None, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "conv2d", "locked": true, "points": 24, "schema_version": 3, "solution": false, "task": false}
y = conv2d(colours[None], weights[None], np.array([1.0]))
assert np.shape(y) == (1, 1, 1, 1) and y.item() == -25, f"308 - 498 + 164 + 1 = -25, found {y}"

ones = np.ones((1, 1, 5, 5))
y = conv2d(ones, np.ones((1, 1, 3, 3)), stride=2, padding=1)
assert np.array_equal(y[0, 0], [[4, 6, 4], [6, 9, 6], [4, 6, 4]]), f"pixels in each window, found\n{y}"

y = conv2d(np.arange(49.0).reshape(1, 1, 7, 7), np.ones((1, 1, 2, 2)), dilation=4)
assert np.shape(y) == (1, 1, 3, 3), f"2 weights, 4 apart, cover 5 pixels; found {np.shape(y)}"
assert y[0, 0, 0, 0] == 0 + 4 + 28 + 32, f"the corners of a 5x5 square, found {y[0, 0, 0, 0]}"

pair = np.stack([np.full((3, 3), 1.0), np.full((3, 3), 10.0)])[None]
y = conv2d(pair, np.ones((2, 1, 1, 1)), groups=2)
assert np.array_equal(y[0, :, 0, 0], [1, 10]), f"one channel each, found {y[0, :, 0, 0]}"

# %% nbgrader={"grade": false, "grade_id": "conv2d-photo", "locked": true, "schema_version": 3, "solution": false, "task": false}
astronaut = photo("astronaut", colour=True)
edges = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
bank = np.stack(
    [
        np.multiply.outer([1 / 3, 1 / 3, 1 / 3], edges),  # vertical edges of the brightness
        np.multiply.outer([1.0, -0.5, -0.5], box_kernel(3)),  # how much redder than green and blue
    ]
)
maps = conv2d(astronaut[None], bank, padding=1)[0]
coarse = conv2d(astronaut[None], bank, stride=4, padding=1)[0]
titles = ["three channels in", "filter 1: edges", "filter 2: red", "filter 2, stride 4"]
show_row([astronaut, *maps, coarse[1]], titles)
print(f"{astronaut.shape} -> {maps.shape}, stride 4 {coarse.shape}; {bank.size} weights")

# %% [markdown] nbgrader={"grade": false, "grade_id": "separable-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 10. In two steps, and cheaper
#
# A layer looks in space *and* mixes channels. MobileNet ([Howard et al. 2017](https://arxiv.org/abs/1704.04861)) does
# one after the other: a **depthwise** layer gives each channel one kernel of its own and mixes nothing; a **pointwise** layer
# mixes the channels of each pixel with a 1x1 kernel and looks at no neighbour. From 64 to 128 channels with 5x5 kernels:
#
# | | weights |
# |---|---|
# | one ordinary layer | 5 x 5 x 64 x 128 = 204,800 |
# | depthwise, then pointwise | 5 x 5 x 64 + 64 x 128 = 9,792 |
#
# Both here have stride 1, no padding and no bias, and both are cross-correlations.


# %% nbgrader={"grade": false, "grade_id": "pointwise_conv2d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pointwise_conv2d(x, w):
    """Mix the channels of each pixel: y[n, f, i, j] = sum over c of w[f, c] x[n, c, i, j].

    x: array of shape (N, C, H, W); w: array of shape (F, C). Returns shape (N, F, H, W).
    """
    ### BEGIN SOLUTION
    return np.einsum("fc,ncij->nfij", w, x)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "pointwise_conv2d", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
pair = np.stack([np.full((3, 3), 1.0), np.full((3, 3), 10.0)])[None]
y = pointwise_conv2d(pair, np.array([[1.0, 1.0], [2.0, 0.0], [0.0, -1.0]]))
assert np.shape(y) == (1, 3, 3, 3), f"3 filters give 3 maps, found shape {np.shape(y)}"
assert np.array_equal(y[0, :, 0, 0], [11, 2, -10]), f"1 + 10, 2 * 1, -10; found {y[0, :, 0, 0]}"


# %% nbgrader={"grade": false, "grade_id": "depthwise_conv2d-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def depthwise_conv2d(x, w):
    """Slide over each channel c its own kernel w[c] (cross-correlation, valid).

    x: array of shape (N, C, H, W); w: array of shape (C, k1, k2).
    Returns an array of shape (N, C, H - k1 + 1, W - k2 + 1).
    """
    ### BEGIN SOLUTION
    return np.stack([[correlate2d(one, kernel) for one, kernel in zip(image, w)] for image in x])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "depthwise_conv2d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
y = depthwise_conv2d(colours[None], weights)
assert np.shape(y) == (1, 3, 1, 1), f"each channel keeps its own map; found shape {np.shape(y)}"
assert np.array_equal(y.ravel(), [308, -498, 164]), f"expected 308, -498 and 164, found {y.ravel()}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "skyline_score-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 11. City or country? A cascade
#
# Can filters alone tell a skyline from a landscape? Cities are full of edges: measure the mean edge? But so is a meadow, each
# blade of grass has some. What a city has is **long, straight, vertical** edges. So put filters one behind the other:
#
# 1. *vertical edges* with Sobel's $S_v$, border "valid" (with "same" the black frame would make edges that are not in the image);
# 2. *long lines*: the mean of 15 edge values one above the other (a kernel of 15 rows and 1 column, valid). Along the wall of a tower
#    they are alike and stay; in grass they have either sign and cancel;
# 3. the *absolute value* of each, and then the *mean* of all: the score.
#
# This is a network with two layers, a nonlinearity and global average pooling, and its weights were not learnt but thought up.


# %% nbgrader={"grade": false, "grade_id": "skyline_score-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def skyline_score(image):
    """How much of `image` (H, W), H >= 17, is long vertical lines: steps 1 to 3. Returns a float."""
    ### BEGIN SOLUTION
    edges = correlate2d(image, np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]))
    lines = correlate2d(edges, np.full((15, 1), 1 / 15))
    return float(np.abs(lines).mean())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "skyline_score", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
wall = np.zeros((17, 6))
wall[:, 3:] = 1  # one long vertical edge: in the four inner columns its lines are 0, 4, 4, 0
assert np.isclose(skyline_score(wall), 2), f"the mean of 0, 4, 4, 0 is 2, found {skyline_score(wall)}"
assert np.isclose(skyline_score(np.full((20, 20), 0.5)), 0), "a plain image has no line"
city, country = skyline_score(cityscape(1)), skyline_score(landscape(1))
assert city > country, f"a city has more long lines; found {city:.3f} and {country:.3f}"

# %% nbgrader={"grade": false, "grade_id": "skyline_score-look", "locked": true, "schema_version": 3, "solution": false, "task": false}
pictures = {"city": cityscape(1), "landscape": landscape(1)}
pictures |= {"bricks": photo("brick"), "grass": photo("grass")}
edges = {name: sobel(picture)[1][1:-1, 1:-1] for name, picture in pictures.items()}
lines = {name: np.abs(correlate2d(edge, np.full((15, 1), 1 / 15))) for name, edge in edges.items()}
show_row(list(pictures.values()), list(pictures))
show_row(list(lines.values()), [f"long lines: {name}" for name in lines])
for name, picture in pictures.items():
    print(f"{name:10} mean edge {np.abs(edges[name]).mean():.3f}   score {skyline_score(picture):.3f}")

# %% [markdown] nbgrader={"grade": false, "grade_id": "written-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 12. In your own words (5 points on top, read by a person)
#
# 1. Step 3 of the cascade takes absolute values. Suppose we leave them out and simply take the mean. Which property of convolution
#    says what the two filters then are together, how large is that one kernel, and what does the score measure now? What does this
#    tell you about a deep network without nonlinearities?
# 2. "A CNN is equivariant to translation: shift the image, and the map shifts with it." Name two things in `conv2d` that
#    break this, and say where or for which shifts it still holds exactly.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# 1. Correlations compose as convolutions do: by associativity the two kernels are one, of 17 x 3 (15 + 3 - 1 rows). Without the
#    absolute values the mean is linear: edges that go up and edges that go down cancel, and what is left is only the difference
#    between the brightness of the right and left border. A deep network without nonlinearities is one linear layer (one larger kernel).
# 2. Padding: near the border the zeros come into the window, so it holds only in the interior (or for images on a circle). Stride
#    s: it holds only for shifts by multiples of s, which move the map by shift / s.
# ### END SOLUTION
