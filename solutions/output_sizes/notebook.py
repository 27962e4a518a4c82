# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] nbgrader={"grade": false, "grade_id": "introduction", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Sizes, parameters, receptive fields
#
# A network that is wrong by one pixel does not train: it stops with *mat1 and mat2 shapes cannot be multiplied*. A
# network that is right in every shape may still not fit in memory, take all night, or be blind to anything larger than
# a fingernail. All of that can be known **before** the first image is loaded, with a pencil:
#
# 1. **Sizes**: how large is the output of a layer?
# 2. **Parameters**: how many numbers does it learn?
# 3. **Multiplications**: how long will it take?
# 4. **Receptive field**: how much of the image does one output see?
# 5. **Whole networks**: AlexNet, VGG16, GoogLeNet and ResNet-18, layer by layer, and four printed tables of them with
#    an error to find in each.
#
# Everything here is plain Python: integers, tuples and lists. The functions `show_...` only draw the pictures.
#
# **How it is graded.** Replace each `raise NotImplementedError()` by your code. The cell below it holds examples to try
# your function on. The grader calls your functions with other inputs, so keep their names and arguments. Every
# exercise has several checks, so a function that is right for stride 1 alone still earns points. The checks sum to
# 100; the written question at the end is worth 5 more. Some questions use **your own numbers**, drawn from the name
# under which you hand in: your neighbour's answer is not yours. The next cell prints the name that is used here. If you
# hand in under another name, add a cell above it with `import os; os.environ["JUPYTERHUB_USER"] = "that name"`.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course import numbers, own_name, show_cones, show_curves, show_shares, show_windows

print("Your own numbers are those of", own_name())

# %% [markdown] nbgrader={"grade": false, "grade_id": "sizes-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 1 · The size of an output
#
# Lay a window of $k$ taps on a line of $i$ pixels. Move it by the **stride** $s$. Each place where it fits gives one
# output, so *the size of the output is the number of places*. Height and width never mix in this: a 2-D convolution
# asks the same question twice.
#
# **Padding** puts $p$ more pixels at **each** end. **Dilation** spreads the taps $d$ pixels apart, so that the window
# spans $d(k-1)+1$ pixels, though it still has only $k$ taps.
#
# In the pictures below the blue line is the input, dotted squares are padding, and each orange row is one place of
# the window. A hatched pixel is read by no window. Count the rows before you read on.

# %% nbgrader={"grade": false, "grade_id": "sizes-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
show_windows(
    {
        "i=7, k=3": {"i": 7, "k": 3},
        "i=7, k=3, p=1": {"i": 7, "k": 3, "before": 1, "after": 1},
        "i=8, k=3, s=2": {"i": 8, "k": 3, "stride": 2},
        "i=7, k=3, d=2": {"i": 7, "k": 3, "dilation": 2},
    },
    text="A window of 3 taps on a line: 5 places on 7 pixels, 7 with padding 1, 3 on 8 pixels with stride 2 "
    "(the last pixel is not read), 3 on 7 pixels with dilation 2.",
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "output_size-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The padded line has $i + 2p$ pixels. The first window uses $d(k-1)+1$ of them. What is left is room to move in, and
# each step takes $s$ of it; the first window, which took no step, is the $+1$:
#
# $$o = \left\lfloor \frac{i + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# (V. Dumoulin and F. Visin, [*A guide to convolution arithmetic for deep learning*](https://arxiv.org/abs/1603.07285),
# 2016, relationships 6 and 15). In the third picture the division leaves a remainder: the last pixel is never read.
#
# Three remarks:
#
# - What the padding holds does not change the size, but it matters: a convolution's padding is 0, a maximum pooling's
#   is $-\infty$. With zeros, the maximum of negative numbers at the border would be wrong.
# - In this formula, as in torch, an ordinary convolution has dilation **1**. You may meet a lecture slide that says
#   "the dilation is almost always 0". Try 0 in the formula: a window of 3 on 5 pixels would have 5 places, as if all of
#   its taps lay on one pixel.
# - **`ceil_mode`** is for pooling. It rounds *up*: a last window may hang over the end, so that no pixel is dropped.
#   GoogLeNet's poolings do that (112 → 56 with $k=3$, $s=2$). torch adds
#   [one rule](https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html): a window that would *begin* in
#   the padding at the far end, at or after pixel $i$, does not count, since it would see no pixel at all.
#
# ### Exercise: `output_size`
# Return the size as an `int`, and 0 where the window does not fit even once.


# %% nbgrader={"grade": false, "grade_id": "output_size-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(i, k, padding=0, stride=1, dilation=1, ceil_mode=False):
    """How many places a window of `k` taps has on a line of `i` pixels.

    `padding` pixels are added at each end. With `ceil_mode` a last window may hang over the end,
    unless it would begin in the padding there. 0 where the window does not fit.
    """
    ### BEGIN SOLUTION
    room = i + 2 * padding - (dilation * (k - 1) + 1)
    if ceil_mode:
        places = (room + stride - 1) // stride + 1
        if (places - 1) * stride - padding >= i:  # where the last window begins
            places -= 1
    else:
        places = room // stride + 1
    return max(places, 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "output_size", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
assert output_size(7, 3) == 5, "the first picture has 5 rows"
assert output_size(7, 3, padding=1) == 7, "the second picture: one more pixel at each end"
assert output_size(5, 4, padding=2) == 6, "5 + 2 + 2 = 9 pixels, in which a window of 4 has 6 places"
assert output_size(5, 3, padding=1, stride=2) == 3, "the windows begin at pixels -1, 1 and 3"
assert output_size(8, 3, stride=2) == 3, "the third picture: the last pixel is left over"
assert output_size(7, 3, dilation=2) == 3, "the fourth picture: the window spans 5 pixels"
assert output_size(112, 3, stride=2, ceil_mode=True) == 56, "the last window hangs over the end"
assert output_size(5, 2, padding=1, stride=2, ceil_mode=True) == 3, "a fourth would begin at pixel 5"
assert output_size(3, 5) == 0, "there is no room for 5 taps on 3 pixels"

# %% [markdown] nbgrader={"grade": false, "grade_id": "same_padding-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Exercise: `same_padding`
# Deep networks would shrink to nothing if every layer took $d(k-1)$ pixels away. *SAME* padding gives them back: at
# stride 1 the output is as large as the input. Half of the missing pixels go before the line and half after it. Where
# their number is odd (an even kernel), the odd one goes **after**: TensorFlow and torch's `padding="same"` agree on
# that. It is one reason why kernels are nearly always odd: their padding is the same at both ends.
#
# A 2-D layer asks this for each axis by itself: $k_1$, the height of the kernel, pads top and bottom.

# %% nbgrader={"grade": false, "grade_id": "same_padding-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
show_windows(
    {
        "k=3: one on either side": {"i": 6, "k": 3, "before": 1, "after": 1},
        "k=4: one before, two after": {"i": 6, "k": 4, "before": 1, "after": 2},
        "k=3, d=2: two on either side": {"i": 6, "k": 3, "before": 2, "after": 2, "dilation": 2},
    },
    text="Six pixels, six windows: of 3 taps, of 4 (padded by one more after), and of 3 with dilation 2.",
)


# %% nbgrader={"grade": false, "grade_id": "same_padding-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def same_padding(k, dilation=1):
    """Padding `(before, after)` with which a window of `k` taps keeps the size at stride 1."""
    ### BEGIN SOLUTION
    missing = dilation * (k - 1)
    before = missing // 2
    return before, missing - before
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "same_padding", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
assert same_padding(3) == (1, 1)
assert same_padding(4) == (1, 2), "the odd pixel goes after the line"
assert same_padding(3, dilation=2) == (2, 2)
assert same_padding(1) == (0, 0), "a 1x1 convolution loses nothing"

# %% [markdown] nbgrader={"grade": false, "grade_id": "input_sides-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Your own numbers: which inputs give this output?
# The division rounds down, so several input sizes share an output size. That is why a *transposed* convolution, which
# runs the arrow backwards, has to be told which one is meant (torch calls it `output_padding`).
#
# Your layer has the numbers printed below. Which is the **smallest** and which the **largest** input side that it maps
# to your `output`? Solve the formula for $i$ or search with your `output_size`: both are fine.

# %% nbgrader={"grade": false, "grade_id": "input_sides-numbers", "locked": true, "schema_version": 3, "solution": false, "task": false}
layer = numbers("input_sides")
print(layer)

# %% nbgrader={"grade": false, "grade_id": "input_sides-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set my_smallest_side and my_largest_side.
### BEGIN SOLUTION
window = layer["dilation"] * (layer["kernel_size"] - 1) + 1
my_smallest_side = (layer["output"] - 1) * layer["stride"] + window - 2 * layer["padding"]
my_largest_side = my_smallest_side + layer["stride"] - 1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "input_sides", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
for side in (my_smallest_side, my_largest_side):
    assert type(side) is int, f"a side is a whole number, found {side!r}"
assert my_smallest_side < my_largest_side, "with a stride over 1 several inputs fit"

# %% [markdown] nbgrader={"grade": false, "grade_id": "parameters-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 2 · Parameters
#
# One kernel of a convolution covers **all** input channels, $k \times k$ pixels in each, and makes **one** output
# channel. It has one bias. So a layer from $n$ to $m$ channels learns
#
# $$\underbrace{m \cdot n \cdot k^2}_{\text{weights}} + \underbrace{m}_{\text{biases}}$$
#
# numbers. The size of the image is not in it: the kernel is *shared* by all places. That is the whole point. To map
# 28×28 pixels to 24×24 a linear layer needs 784 · 576 = 451,584 weights; a 5×5 convolution does it with 25, which is
# 18,063 times fewer. (A slide that says "over 200,000 times" has divided something else.)
#
# With **groups** the channels are split into $g$ parts that do not mix. Each kernel sees $n/g$ channels only, and the
# weights become $m \cdot \frac{n}{g} \cdot k^2$. AlexNet had $g = 2$ because it ran on two GPUs; $g = n$ is the
# *depthwise* convolution, one kernel for each channel.
#
# ### Exercise: `conv_parameters`


# %% nbgrader={"grade": false, "grade_id": "conv_parameters-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """How many numbers a convolution with square kernels of side `kernel_size` learns."""
    ### BEGIN SOLUTION
    one_kernel = (in_channels // groups) * kernel_size**2
    return out_channels * (one_kernel + 1 if bias else one_kernel)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "conv_parameters", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
assert conv_parameters(1, 1, 3) == 10, "9 weights and a bias"
assert conv_parameters(3, 4, 3) == 112, "each of the 4 kernels is 3x3x3, and has a bias"
assert conv_parameters(3, 64, 3) == 1_792, "VGG16's first layer"
assert conv_parameters(64, 64, 3) == 36_928, "VGG16's second layer"
assert conv_parameters(3, 4, 5, bias=False) == 300, "4 kernels of 5x5x3"
assert conv_parameters(96, 256, 5, groups=2) == 307_456, "AlexNet's second layer, on two GPUs"

# %% [markdown] nbgrader={"grade": false, "grade_id": "separable-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Exercise: `separable_parameters`
# Xception and MobileNet replace a convolution by two: a **depthwise** one, $k \times k$, that looks around in each
# channel by itself, then a **pointwise** one, 1×1, that mixes the channels. Each of the two has its own biases, where
# there are biases at all (by default there are none here, since batch normalisation follows).


# %% nbgrader={"grade": false, "grade_id": "separable_parameters-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def separable_parameters(in_channels, out_channels, kernel_size, bias=False):
    """How many numbers a depthwise convolution and the pointwise one after it learn together."""
    ### BEGIN SOLUTION
    depthwise = conv_parameters(in_channels, in_channels, kernel_size, groups=in_channels, bias=bias)
    pointwise = conv_parameters(in_channels, out_channels, 1, bias=bias)
    return depthwise + pointwise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "separable_parameters", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
assert separable_parameters(64, 128, 5) == 9_792, "64 kernels of 5x5, then 128 of 1x1x64"
assert conv_parameters(64, 128, 5, bias=False) == 204_800, "the ordinary one: 21 times as many"
assert separable_parameters(64, 128, 5, bias=True) == 9_792 + 64 + 128

# %% [markdown] nbgrader={"grade": false, "grade_id": "linear-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Exercise: `linear_parameters`
# Every output reads every input, and has a bias. That grows quickly: the last example below is a single layer of
# VGG16, and holds three quarters of the whole network.


# %% nbgrader={"grade": false, "grade_id": "linear_parameters-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear_parameters(n, m, bias=True):
    """How many numbers a linear layer from `n` to `m` features learns."""
    ### BEGIN SOLUTION
    return m * (n + 1) if bias else m * n
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "linear_parameters", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
assert linear_parameters(84, 10) == 850, "LeNet-5's last layer"
assert linear_parameters(28 * 28, 24 * 24, bias=False) == 451_584
assert linear_parameters(512 * 7 * 7, 4096) == 102_764_544, "VGG16's first linear layer"

# %% nbgrader={"grade": false, "grade_id": "parameters-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
kernels = range(1, 12)
curves = {
    "convolution": [conv_parameters(64, 128, k, bias=False) for k in kernels],
    "8 groups": [conv_parameters(64, 128, k, groups=8, bias=False) for k in kernels],
    "separable": [separable_parameters(64, 128, k) for k in kernels],
}
show_curves(
    curves,
    kernels,
    xlabel="side of the kernel",
    ylabel="weights, 64 to 128 channels",
    text="Weights against the kernel's side: the separable convolution hardly grows.",
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "saved_weights-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Your own numbers: a bottleneck
# GoogLeNet's module 4a needs 48 channels of 5×5 out of 480. Done at once that is 480 · 48 · 25 = 576,000 weights. It
# first *reduces* the 480 channels to 16 with a 1×1 convolution, and takes the 5×5 of those: 480 · 16 + 16 · 48 · 25 =
# 26,880 weights.
#
# How many weights (**without biases**) does your bottleneck save? It goes from `in_channels` through `reduced` to
# `out_channels`.

# %% nbgrader={"grade": false, "grade_id": "saved_weights-numbers", "locked": true, "schema_version": 3, "solution": false, "task": false}
bottleneck = numbers("bottleneck")
print(bottleneck)

# %% nbgrader={"grade": false, "grade_id": "saved_weights-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set my_saved_weights.
### BEGIN SOLUTION
plain = bottleneck["in_channels"] * bottleneck["out_channels"] * bottleneck["kernel_size"] ** 2
reduce = bottleneck["in_channels"] * bottleneck["reduced"]
expand = bottleneck["reduced"] * bottleneck["out_channels"] * bottleneck["kernel_size"] ** 2
my_saved_weights = plain - (reduce + expand)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "saved_weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert type(my_saved_weights) is int and my_saved_weights > 0, "the bottleneck is the smaller one"

# %% [markdown] nbgrader={"grade": false, "grade_id": "macs-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 3 · Multiplications
#
# Parameters fill the memory; *multiply-accumulates* (MACs: one multiplication and one addition) take the time. Each
# output number costs one MAC for each weight of its kernel. So the size of the image, which was absent from the
# parameters, comes back:
#
# $$\text{MACs} = \underbrace{h \cdot w}_{\text{places}} \cdot \; m \cdot \frac{n}{g} \cdot k^2$$
#
# Here $h$ and $w$ are those of the **output**. Adding the bias is not counted. Papers that print "FLOPs" sometimes mean
# MACs and sometimes twice that; we count MACs.
#
# ### Exercise: `conv_macs`


# %% nbgrader={"grade": false, "grade_id": "conv_macs-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_macs(in_channels, out_channels, kernel_size, output_shape, groups=1):
    """Multiply-accumulates of a convolution for one image.

    `output_shape` is `(height, width)` of the output.
    """
    ### BEGIN SOLUTION
    height, width = output_shape
    weights = conv_parameters(in_channels, out_channels, kernel_size, groups, bias=False)
    return height * width * weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "conv_macs", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
assert conv_macs(1, 1, 3, (1, 1)) == 9, "one place, nine taps"
assert conv_macs(3, 64, 3, (224, 224)) == 86_704_128, "VGG16's first layer: 1,728 weights"
assert conv_macs(64, 64, 3, (224, 224)) == 1_849_688_064, "its second layer: 21 times as much work"

# %% [markdown] nbgrader={"grade": false, "grade_id": "field-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 4 · The receptive field
#
# No network can name a thing that it sees only a corner of. The **receptive field** of an output is the stretch of the
# input that can change it. Follow the lines downwards from the orange output:

# %% nbgrader={"grade": false, "grade_id": "field-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
show_cones(
    {
        "three layers, k=3": [(3, 1, 1)] * 3,
        "k=3, strides 2, 2, 1": [(3, 2, 1), (3, 2, 1), (3, 1, 1)],
        "k=3, dilations 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    },
    text="One output sees 7 pixels; with strides 2, 2, 1 it sees 15; with dilations 1, 2, 4 as well.",
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "receptive_field-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Two numbers walk through the layers, from the image upwards. The **size** $r$ begins at 1: a pixel sees itself. The
# **jump** $j$ is the distance, in pixels *of the image*, between two neighbours of the present layer; it begins at 1
# too. A layer $(k, s, d)$ reaches over $d(k-1)$ more neighbours, each $j$ pixels apart, and then its stride spreads the
# neighbours of the next layer:
#
# $$r \leftarrow r + d(k-1) \cdot j \qquad\text{then}\qquad j \leftarrow j \cdot s$$
#
# (A. Araujo, W. Norris and J. Sim, [*Computing receptive fields of convolutional neural
# networks*](https://distill.pub/2019/computing-receptive-fields/), Distill, 2019.) The order matters: a layer's own
# stride does not widen its own view, only that of the layers after it. Pooling layers count like convolutions.
# Padding changes where the field lies, not how large it is.
#
# ### Exercise: `receptive_field`


# %% nbgrader={"grade": false, "grade_id": "receptive_field-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(layers):
    """`(size, jump)` after a chain of layers `(kernel_size, stride, dilation)`, in pixels of the image.

    `(1, 1)` for an empty chain.
    """
    ### BEGIN SOLUTION
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size = size + dilation * (kernel_size - 1) * jump
        jump = jump * stride
    return size, jump
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "receptive_field", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
assert receptive_field([(3, 1, 1)] * 3) == (7, 1), "three 3x3 see what one 7x7 sees"
assert receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)]) == (15, 1), "the third picture"
assert receptive_field([(3, 2, 1), (3, 2, 1), (3, 1, 1)]) == (15, 4), "the second picture"
LENET5_TO_C5 = [(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1), (5, 1, 1)]
assert receptive_field(LENET5_TO_C5) == (32, 4), "LeNet-5's C5 sees the whole image of 32x32"

# %% nbgrader={"grade": false, "grade_id": "growth-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
depths = range(9)
chains = {
    "k=3": [(3, 1, 1)] * 8,
    "k=5": [(5, 1, 1)] * 8,
    "k=3, every second one with stride 2": [(3, 1, 1), (3, 2, 1)] * 4,
    "k=3, dilation doubled each time": [(3, 1, 2**layer) for layer in range(8)],
}
sizes = {name: [receptive_field(chain[:depth])[0] for depth in depths] for name, chain in chains.items()}
show_curves(
    sizes,
    depths,
    base=2,
    xlabel="layers",
    ylabel="receptive field (pixels)",
    text="Receptive field against depth: plain layers add, strides and dilations multiply.",
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "depth-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Plain layers add; strides and dilations multiply. That is why every classifier has poolings, and why networks that
# must keep the resolution use dilation.
#
# ### Your own numbers: how deep?
# Your network begins with a *stem*: a convolution with `stem_kernel` and `stem_stride`, then a pooling of 3×3 with
# stride 2. After it come convolutions with `kernel_size`, stride 1 and dilation 1. What is the **smallest number of these
# convolutions** (do not count the stem) with which one output sees **at least** `field` pixels?

# %% nbgrader={"grade": false, "grade_id": "depth-numbers", "locked": true, "schema_version": 3, "solution": false, "task": false}
stem = numbers("depth")
print(stem)

# %% nbgrader={"grade": false, "grade_id": "depth-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set my_depth.
### BEGIN SOLUTION
seen = stem["stem_kernel"] + 2 * stem["stem_stride"]
each = 2 * stem["stem_stride"] * (stem["kernel_size"] - 1)
my_depth = (stem["field"] - seen + each - 1) // each
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "depth", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
assert type(my_depth) is int and my_depth > 0, "a number of layers"

# %% [markdown] nbgrader={"grade": false, "grade_id": "networks-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 5 · Whole networks
#
# Now let the computer hold the pencil. We write a network as a **spec**: a list of layers, each a pair
# `(kind, options)` with `options` a dictionary. An option that is not there has its default value:
#
# | kind | options (default) | output for an input `(C, H, W)` | parameters |
# |---|---|---|---|
# | `"conv"` | `out_channels`, `kernel_size`, `stride` (1), `padding` (0), `dilation` (1), `groups` (1), `bias` (True) | `(out_channels, H', W')` | as above |
# | `"pool"` | `kernel_size`, `stride` (**`kernel_size`**), `padding` (0), `ceil_mode` (False) | `(C, H', W')` | 0 |
# | `"global_pool"` | | `(C, 1, 1)` | 0 |
# | `"flatten"` | | `(C*H*W,)` | 0 |
# | `"linear"` | `out_features`, `bias` (True) | `(out_features,)`, from an input `(features,)` | as above |
# | `"batchnorm"` | | unchanged | a scale and a shift for each channel |
# | `"relu"`, `"dropout"`, `"lrn"` | | unchanged | 0 |
# | `"concat"` | `branches`: a list of specs | the branches all read the same input; their channels are **stacked** | the sum of theirs |
# | `"residual"` | `body`: a spec, `shortcut`: a spec, empty for the identity | body and shortcut read the same input and are **added**: the shape of the body's end | the sum of both |
#
# (A batch normalisation also keeps a running mean and variance, but it does not *learn* them: they are not parameters.
# `lrn` is AlexNet's local response normalisation, which learns nothing.)
#
# The branches of a `concat`, the body and the shortcut are specs themselves, and may hold anything, even another
# `concat`. A `concat` or a `residual` is still **one** layer, with one row in the result.
#
# These helpers save typing:


# %% nbgrader={"grade": false, "grade_id": "spec", "locked": true, "schema_version": 3, "solution": false, "task": false}
def conv(out_channels, kernel_size, **options):
    return ("conv", {"out_channels": out_channels, "kernel_size": kernel_size, **options})


def pool(kernel_size, **options):
    return ("pool", {"kernel_size": kernel_size, **options})


def linear(out_features, **options):
    return ("linear", {"out_features": out_features, **options})


def concat(*branches):
    return ("concat", {"branches": [list(branch) for branch in branches]})


def residual(body, shortcut=()):
    return ("residual", {"body": list(body), "shortcut": list(shortcut)})


RELU, DROPOUT, LRN, BATCHNORM = ("relu", {}), ("dropout", {}), ("lrn", {}), ("batchnorm", {})
FLATTEN, GLOBAL_POOL = ("flatten", {}), ("global_pool", {})

LENET5 = [
    conv(6, 5),
    RELU,
    pool(2),
    conv(16, 5),
    RELU,
    pool(2),
    conv(120, 5),
    RELU,
    FLATTEN,
    linear(84),
    RELU,
    linear(10),
]
LENET5[:3]

# %% [markdown] nbgrader={"grade": false, "grade_id": "summarise-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Exercise: `summarise`
# Walk through the spec with the shape of the data in your hand. For each layer add a row `(output_shape, parameters)`
# to the result: the shape **after** the layer, a tuple, and the parameters of **this layer** alone. Images need not be
# square. Use the functions you have written, and let `summarise` call itself for branches. `options.get("stride", 1)`
# reads an option that may not be there. Begin with convolutions and poolings: each kind of layer earns its own points.


# %% nbgrader={"grade": false, "grade_id": "summarise-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def summarise(spec, input_shape):
    """`[(output_shape, parameters), ...]`: a row for each layer of `spec`."""

    ### BEGIN SOLUTION
    def end_of(branch, shape):
        """Where a branch ends, and all its parameters."""
        rows = summarise(branch, shape)
        return (rows[-1][0] if rows else shape), sum(parameters for _, parameters in rows)

    rows = []
    shape = tuple(input_shape)
    for kind, options in spec:
        parameters = 0
        if kind in ("conv", "pool"):
            k = options["kernel_size"]
            stride = options.get("stride", 1 if kind == "conv" else k)
            padding, dilation = options.get("padding", 0), options.get("dilation", 1)
            ceil_mode = options.get("ceil_mode", False)
            channels, *sides = shape
            sides = [output_size(side, k, padding, stride, dilation, ceil_mode) for side in sides]
            if kind == "conv":
                groups, bias = options.get("groups", 1), options.get("bias", True)
                parameters = conv_parameters(channels, options["out_channels"], k, groups, bias)
                channels = options["out_channels"]
            shape = (channels, *sides)
        elif kind == "global_pool":
            shape = (shape[0], 1, 1)
        elif kind == "flatten":
            features = 1
            for size in shape:
                features *= size
            shape = (features,)
        elif kind == "linear":
            features = options["out_features"]
            parameters = linear_parameters(shape[0], features, options.get("bias", True))
            shape = (features,)
        elif kind == "batchnorm":
            parameters = 2 * shape[0]
        elif kind == "concat":
            ends = [end_of(branch, shape) for branch in options["branches"]]
            shape = (sum(end[0] for end, _ in ends), *ends[0][0][1:])
            parameters = sum(count for _, count in ends)
        elif kind == "residual":
            end, parameters = end_of(options["body"], shape)
            parameters += end_of(options["shortcut"], shape)[1]
            shape = end
        rows.append((shape, parameters))
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "summarise", "locked": true, "points": 18, "schema_version": 3, "solution": false, "task": false}
rows = summarise(LENET5, (1, 32, 32))
assert rows[0] == ((6, 28, 28), 156), "6 kernels of 5x5 and their biases"
assert rows[2] == ((6, 14, 14), 0), "a pooling's stride is its kernel's size, where none is given"
assert rows[3] == ((16, 10, 10), 2_416), "each of the 16 kernels sees 6 channels"
assert rows[-1] == ((10,), 850)
total = sum(parameters for _, parameters in rows)
assert total == 61_706, "slides say 60K: the original C3 left some channels out"

two = concat([conv(4, 1)], [conv(8, 3, padding=1), RELU, conv(5, 3, padding=1)])
found = summarise([two], (3, 10, 12))
assert found == [((9, 10, 12), 605)], f"4 + 5 channels; 16 + 224 + 365 parameters; found {found}"
block = residual([conv(8, 3, padding=1, bias=False), BATCHNORM], [conv(8, 1, bias=False)])
found = summarise([block], (3, 10, 12))
assert found == [((8, 10, 12), 256)], f"216 + 16 in the body, 24 in the shortcut; found {found}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "alexnet-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### AlexNet (2012)
# The `table` below leaves out layers that change nothing. Where are the parameters, and where is the work?

# %% nbgrader={"grade": false, "grade_id": "alexnet", "locked": true, "schema_version": 3, "solution": false, "task": false}
ALEXNET = [
    conv(96, 11, stride=4),
    RELU,
    LRN,
    pool(3, stride=2),
    conv(256, 5, padding=2),
    RELU,
    LRN,
    pool(3, stride=2),
    conv(384, 3, padding=1),
    RELU,
    conv(384, 3, padding=1),
    RELU,
    conv(256, 3, padding=1),
    RELU,
    pool(3, stride=2),
    FLATTEN,
    linear(4096),
    RELU,
    DROPOUT,
    linear(4096),
    RELU,
    DROPOUT,
    linear(1000),
]


def table(spec, input_shape):
    """Print the rows of `summarise`, and their total."""
    rows = summarise(spec, input_shape)
    print(f"{'input':<12} {str(tuple(input_shape)):>16}")
    for (kind, _), (shape, parameters) in zip(spec, rows):
        if kind not in ("relu", "lrn", "dropout"):
            print(f"{kind:<12} {str(shape):>16} {parameters:>13,}")
    print(f"{'total':<12} {'':>16} {sum(parameters for _, parameters in rows):>13,}")


table(ALEXNET, (3, 227, 227))

# %% nbgrader={"grade": false, "grade_id": "alexnet-figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
names, parameters, macs = [], [], []
shape = (3, 227, 227)
for (kind, options), (after, learned) in zip(ALEXNET, summarise(ALEXNET, shape)):
    if kind in ("conv", "linear"):
        names.append(f"{kind}{len(names) + 1}")
        parameters.append(learned)
        if kind == "conv":
            macs.append(conv_macs(shape[0], after[0], options["kernel_size"], after[1:]))
        else:
            macs.append(shape[0] * after[0])
    shape = after
show_shares(
    {"parameters": parameters, "MACs": macs},
    names,
    ylabel="% of the network",
    text="AlexNet: linear layers hold 94% of the parameters, convolutions do 95% of the work.",
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "alexnet_table-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The parameters are on the right, the work is on the left. Keep that in mind for the last question.
#
# #### Find the error
# A slide prints this first row of the table, with the input size that the paper itself gives:
#
# | layer | input | kernel | stride | padding | output |
# |---|---|---|---|---|---|
# | conv1 | 3 × **224** × 224 | 11 × 11 | 4 | 0 | 96 × 55 × 55 |
#
# and another explains it with "a padding of 0.5". Set `alexnet_conv1_side` to the side of the output that this layer
# really has for 224 pixels and padding 0. Then mend it: set `alexnet_padding` to the padding `(before, after)`, the odd
# pixel after, with which 224 pixels give 55 **and no pixel is left over**.

# %% nbgrader={"grade": false, "grade_id": "alexnet_table-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set alexnet_conv1_side and alexnet_padding.
### BEGIN SOLUTION
alexnet_conv1_side = (224 - 11) // 4 + 1
alexnet_padding = (1, 2)  # 54 steps of 4 and a kernel of 11 are 227 pixels: 3 more than 224
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "alexnet_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert type(alexnet_conv1_side) is int, f"a side is a whole number, found {alexnet_conv1_side!r}"
assert len(alexnet_padding) == 2, "two numbers: (before, after)"

# %% [markdown] nbgrader={"grade": false, "grade_id": "vgg16_table-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### VGG16 (2014)
# Nothing but 3×3 convolutions with padding 1, and 2×2 poolings.
#
# #### Find the error
# Compare this printed table with yours. One row is wrong, and so is the total. Set `vgg16_wrong_row` to the name of the
# row, as it is printed (`"conv1_1"`, ..., `"fc8"`), and `vgg16_total` to the right total.
#
# | layer | output | parameters | | layer | output | parameters |
# |---|---|---:|---|---|---|---:|
# | conv1_1 | 64 × 224 × 224 | 1,792 | | conv4_1 | 512 × 28 × 28 | 1,180,160 |
# | conv1_2 | 64 × 224 × 224 | 36,928 | | conv4_2 | 512 × 28 × 28 | 2,359,808 |
# | pool1 | 64 × 112 × 112 | 0 | | conv4_3 | 512 × 28 × 28 | 2,359,808 |
# | conv2_1 | 128 × 112 × 112 | 73,856 | | pool4 | 512 × 14 × 14 | 65,664 |
# | conv2_2 | 128 × 112 × 112 | 147,584 | | conv5_1 | 512 × 14 × 14 | 2,359,808 |
# | pool2 | 128 × 56 × 56 | 0 | | conv5_2 | 512 × 14 × 14 | 2,359,808 |
# | conv3_1 | 256 × 56 × 56 | 295,168 | | conv5_3 | 512 × 14 × 14 | 2,359,808 |
# | conv3_2 | 256 × 56 × 56 | 590,080 | | pool5 | 512 × 7 × 7 | 0 |
# | conv3_3 | 256 × 56 × 56 | 590,080 | | fc6 | 4096 | 102,764,544 |
# | pool3 | 256 × 28 × 28 | 0 | | fc7 | 4096 | 16,781,312 |
# | | | | | fc8 | 1000 | 4,097,000 |
# | | | | | **total** | | **138,423,208** |

# %% nbgrader={"grade": false, "grade_id": "vgg16", "locked": true, "schema_version": 3, "solution": false, "task": false}
VGG16 = []
for channels, convolutions in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
    VGG16 += [conv(channels, 3, padding=1), RELU] * convolutions + [pool(2, stride=2)]
VGG16 += [FLATTEN, linear(4096), RELU, linear(4096), RELU, linear(1000)]
table(VGG16, (3, 224, 224))

# %% nbgrader={"grade": false, "grade_id": "vgg16_table-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set vgg16_wrong_row and vgg16_total.
### BEGIN SOLUTION
vgg16_wrong_row = "pool4"
vgg16_total = 138_357_544
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "vgg16_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert type(vgg16_wrong_row) is str, "the name of a row, in quotes"
assert type(vgg16_total) is int and vgg16_total != 138_423_208, "that is the printed total"

# %% [markdown] nbgrader={"grade": false, "grade_id": "inception-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### GoogLeNet (2014)
# Its module asks four questions of the same input at once and stacks the answers:
#
# - a 1×1 convolution (`ones` channels);
# - a 1×1 to `reduce3` channels, then a 3×3 to `threes`;
# - a 1×1 to `reduce5` channels, then a 5×5 to `fives`;
# - a 3×3 max-pool with stride 1, then a 1×1 to `projection` channels.
#
# Everything keeps height and width, and every convolution has biases and is followed by a ReLU.
#
# ### Exercise: `inception`
# Return the module: one `concat` layer. The arguments are the columns of the paper's table, in order.


# %% nbgrader={"grade": false, "grade_id": "inception-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def inception(ones, reduce3, threes, reduce5, fives, projection):
    """GoogLeNet's module as a layer of a spec; the arguments are channels."""
    ### BEGIN SOLUTION
    return concat(
        [conv(ones, 1), RELU],
        [conv(reduce3, 1), RELU, conv(threes, 3, padding=1), RELU],
        [conv(reduce5, 1), RELU, conv(fives, 5, padding=2), RELU],
        [pool(3, stride=1, padding=1), conv(projection, 1), RELU],
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "inception", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
kind, options = inception(64, 96, 128, 16, 32, 32)
assert kind == "concat" and len(options["branches"]) == 4, "four branches, stacked"
found = summarise([(kind, options)], (192, 28, 28))
assert found == [((256, 28, 28), 163_696)], f"module 3a; found {found}"

# %% nbgrader={"grade": false, "grade_id": "googlenet", "locked": true, "schema_version": 3, "solution": false, "task": false}
half = pool(3, stride=2, ceil_mode=True)
GOOGLENET = [
    conv(64, 7, stride=2, padding=3),
    RELU,
    half,
    LRN,
    conv(64, 1),
    RELU,
    conv(192, 3, padding=1),
    RELU,
    LRN,
    half,
    inception(64, 96, 128, 16, 32, 32),
    inception(128, 128, 192, 32, 96, 64),
    half,
    inception(192, 96, 208, 16, 48, 64),
    inception(160, 112, 224, 24, 64, 64),
    inception(128, 128, 256, 24, 64, 64),
    inception(112, 144, 288, 32, 64, 64),
    inception(256, 160, 320, 32, 128, 128),
    half,
    inception(256, 160, 320, 32, 128, 128),
    inception(384, 192, 384, 48, 128, 128),
    GLOBAL_POOL,
    FLATTEN,
    DROPOUT,
    linear(1000),
]
table(GOOGLENET, (3, 224, 224))

# %% [markdown] nbgrader={"grade": false, "grade_id": "googlenet_table-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The total should be 6,998,552 (without the two auxiliary heads that only training needs): a twentieth of VGG16's, and
# more accurate.
#
# #### Find the error
# A slide takes module **5b** apart. Its input has 832 channels. One row is wrong. Set `googlenet_wrong_row` to its name
# as printed, and `googlenet_right_parameters` to what it should say.
#
# | row | kernel | channels out | parameters |
# |---|---|---|---:|
# | 1x1 | 1 × 1 | 384 | 319,872 |
# | 3x3 reduce | 1 × 1 | 192 | 159,936 |
# | 3x3 | 3 × 3 | 384 | 663,936 |
# | 5x5 reduce | 1 × 1 | 48 | 39,984 |
# | 5x5 | 5 × 5 | 128 | 153,728 |
# | pool projection | 1 × 1 | 128 | 16,512 |

# %% nbgrader={"grade": false, "grade_id": "googlenet_table-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set googlenet_wrong_row and googlenet_right_parameters.
### BEGIN SOLUTION
googlenet_wrong_row = "pool projection"
googlenet_right_parameters = conv_parameters(832, 128, 1)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "googlenet_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert type(googlenet_wrong_row) is str, "the name of a row, in quotes"
assert type(googlenet_right_parameters) is int, "a number of parameters"

# %% [markdown] nbgrader={"grade": false, "grade_id": "basic_block-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### ResNet-18 (2015)
# Its *basic block* is a 3×3 convolution (with the block's stride), batch normalisation, ReLU, a second 3×3 convolution
# and batch normalisation; the input is added to that, and a ReLU follows the sum. Convolutions have **no bias**, since
# the batch normalisation's shift does the same work.
#
# Two things of different shape cannot be added. Where the block changes the number of channels or has a stride over 1,
# the shortcut is a **projection**: a 1×1 convolution without bias, with the block's stride, and batch normalisation.
# Elsewhere it is the identity, which costs nothing.
#
# ### Exercise: `basic_block`
# Return the block as one `residual` layer (without the ReLU after the sum).


# %% nbgrader={"grade": false, "grade_id": "basic_block-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def basic_block(in_channels, out_channels, stride=1):
    """ResNet-18's block as a layer of a spec."""
    ### BEGIN SOLUTION
    body = [
        conv(out_channels, 3, stride=stride, padding=1, bias=False),
        BATCHNORM,
        RELU,
        conv(out_channels, 3, padding=1, bias=False),
        BATCHNORM,
    ]
    shortcut = []
    if stride != 1 or in_channels != out_channels:
        shortcut = [conv(out_channels, 1, stride=stride, bias=False), BATCHNORM]
    return residual(body, shortcut)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "basic_block", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
found = summarise([basic_block(64, 64)], (64, 56, 56))
assert found == [((64, 56, 56), 73_984)], f"two convolutions, two batch normalisations; found {found}"
found = summarise([basic_block(64, 128, stride=2)], (64, 56, 56))
assert found == [((128, 28, 28), 230_144)], f"the same and a projection; found {found}"

# %% nbgrader={"grade": false, "grade_id": "resnet18", "locked": true, "schema_version": 3, "solution": false, "task": false}
RESNET18 = [conv(64, 7, stride=2, padding=3, bias=False), BATCHNORM, RELU]
RESNET18 += [pool(3, stride=2, padding=1)]
for before, after, stride in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]:
    RESNET18 += [basic_block(before, after, stride), RELU, basic_block(after, after), RELU]
RESNET18 += [GLOBAL_POOL, FLATTEN, linear(1000)]
table(RESNET18, (3, 224, 224))

# %% [markdown] nbgrader={"grade": false, "grade_id": "resnet18_table-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# #### Find the error
# This printed table adds up, but it is not ResNet-18:
#
# | rows | convolutions | parameters |
# |---|---|---:|
# | conv1 | 7 × 7, 3 → 64 | 9,472 |
# | stage 1 | 4 of 3 × 3, 64 channels | 147,712 |
# | stage 2 | 4 of 3 × 3, 128 channels | 516,608 |
# | stage 3 | 4 of 3 × 3, 256 channels | 2,065,408 |
# | stage 4 | 4 of 3 × 3, 512 channels | 8,259,584 |
# | fc | 512 → 1000 | 513,000 |
# | **total** | | **11,511,784** |
#
# It gives each convolution a bias in place of its batch normalisation, and it forgets something else altogether: the
# projections. Set `resnet18_projections` to the parameters of **all** projection shortcuts of ResNet-18 together (their
# batch normalisations included), and `resnet18_total` to the network's right total.

# %% nbgrader={"grade": false, "grade_id": "resnet18_table-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set resnet18_projections and resnet18_total.
### BEGIN SOLUTION
resnet18_projections = sum(n * m + 2 * m for n, m in [(64, 128), (128, 256), (256, 512)])
resnet18_total = 11_689_512
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "resnet18_table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert type(resnet18_projections) is int, "a number of parameters"
assert type(resnet18_total) is int and resnet18_total != 11_511_784, "that is the printed total"

# %% [markdown] nbgrader={"grade": false, "grade_id": "network-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Your own numbers: a small network
# Your images are RGB, `side` by `side`. Your network is
#
# | layer | |
# |---|---|
# | conv, ReLU | 5×5, padding 1, `width` channels |
# | max-pool | 2×2, stride 2 |
# | conv, ReLU | 3×3, padding 1, twice `width` channels |
# | max-pool | 2×2, stride 2 |
# | flatten, linear | `classes` outputs |
#
# with biases throughout. Set `my_parameters` to all its parameters, and `my_macs` to the multiply-accumulates of its
# two convolutions **and** its linear layer for one image (a linear layer has one MAC for each weight).

# %% nbgrader={"grade": false, "grade_id": "network-numbers", "locked": true, "schema_version": 3, "solution": false, "task": false}
mine = numbers("network")
print(mine)

# %% nbgrader={"grade": false, "grade_id": "network-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Set my_parameters and my_macs.
### BEGIN SOLUTION
width = mine["width"]
my_spec = [
    conv(width, 5, padding=1),
    RELU,
    pool(2),
    conv(2 * width, 3, padding=1),
    RELU,
    pool(2),
    FLATTEN,
    linear(mine["classes"]),
]
my_rows = summarise(my_spec, (3, mine["side"], mine["side"]))
my_parameters = sum(parameters for _, parameters in my_rows)
my_macs = (
    conv_macs(3, width, 5, my_rows[0][0][1:])
    + conv_macs(width, 2 * width, 3, my_rows[3][0][1:])
    + my_rows[6][0][0] * mine["classes"]
)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "network", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
assert type(my_parameters) is int and type(my_macs) is int, "both are whole numbers"
assert my_macs > my_parameters, "a kernel is used at every place of the image, but stored once"

# %% [markdown] nbgrader={"grade": false, "grade_id": "written-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### In your own words (5 points, read by a person)
# Three clients come with VGG16. One must send it to phones and wants the **file** small. One must answer in 5 ms and
# wants it **fast**. One runs out of **memory while training**, where every layer's output is kept for the backward
# pass. What would you change first for each of them, and why is it not the same change? Use numbers from your tables:
# parameters, MACs, and the sizes of the outputs. Six to ten sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# *A good answer says:* the file is the parameters, and 123.6 of VGG16's 138.4 million lie in its three linear layers,
# 102.8 million in fc6 alone: a global pooling before the classifier removes nearly all (GoogLeNet and ResNet do so).
# Time is the MACs, and of its 15.5 billion the linear layers do only 0.12 billion: there the convolutions must become
# cheaper, by bottlenecks, separable convolutions, or an earlier stride. Training memory is the outputs: conv1_1 and
# conv1_2 alone keep 2 · 64 · 224 · 224 = 6.4 million numbers for each image, nearly half of all convolutions'
# outputs, though they have 38,720 parameters: a smaller image, a stride in the first layer (as ResNet's stem), or a
# smaller batch. One quantity hardly says anything about the others.
