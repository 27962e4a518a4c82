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
# # Architectures, from LeNet-5 to ResNet-152
#
# Five networks tell most of the story of computer vision between 1998 and 2015. In this notebook you build all of them, layer
# by layer, from their papers: LeNet-5, AlexNet, VGG, GoogLeNet and ResNet. Each answers a question the one before it left open.
#
# | | question | answer |
# |---|---|---|
# | [LeNet-5](http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf), 1998 | can a network read digits from pixels? | convolutions, pooling, backpropagation |
# | [AlexNet](https://papers.nips.cc/paper/4824), 2012 | and photographs, a thousand classes? | ReLU, dropout, GPUs, a million images |
# | [VGG](https://arxiv.org/abs/1409.1556), 2014 | how should one choose kernels and sizes? | do not choose: 3x3 everywhere, only deeper |
# | [GoogLeNet](https://arxiv.org/abs/1409.4842), 2014 | must it be that large? | branches of several sizes, 1x1 reductions, no large linear layers |
# | [ResNet](https://arxiv.org/abs/1512.03385), 2015 | why do deeper networks get *worse*? | let each block learn only what to add |
#
# **What you write.** Plain `torch.nn.Module` classes. How you name things inside, whether you nest modules, use `nn.Sequential`
# or `F.relu`: all that is yours. Only the names and arguments of the classes are fixed, and layers with weights should be torch's
# (`nn.Conv2d`, `nn.Linear`, `nn.BatchNorm2d`). All networks return **logits**, without softmax: `F.cross_entropy` has its own.
#
# **How it is graded.** The grader builds your network and ours, finds out which of your layers plays the part of which of ours,
# puts the *same weights* into both and compares what comes out: logits, gradients, what changes in training mode. Where they
# differ it tells you at which layer. 100 points, in many small checks, and 5 for the written question at the end.
#
# **Small copies.** Most classes take `width`: it multiplies every number of channels and of hidden units (never the classes, never
# the three colours of the input). `width=1/16` has all the layers and runs in milliseconds. Numbers that are
# not whole are rounded: `round(96 * width)`; the checks use widths where they are whole.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from io import BytesIO

import torch
import torch.nn.functional as F
from IPython.display import Image, display
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import nn


# %% nbgrader={"grade": false, "grade_id": "helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
def parameters(build, *args, **options):
    """Number of parameters of `build(*args, **options)`, made on the "meta" device: no memory."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(*args, **options).parameters())


def summary(network, x):
    """Print each layer that `network` runs on `x`: its output's shape, its parameters."""

    def report(layer, inputs, output):
        count = sum(parameter.numel() for parameter in layer.parameters())
        print(f"{type(layer).__name__:18} {str(tuple(output.shape)):22} {f'{count:,}' if count else '':>12}")

    leaves = [layer for layer in network.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(report) for layer in leaves]
    network(x)
    for hook in hooks:
        hook.remove()


# %% nbgrader={"grade": false, "grade_id": "drawing", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
# How the pictures are drawn; nothing here needs reading.
BLUE, ORANGE, GREEN, GREY = "#bcd7ee", "#f7c58b", "#c5e0b4", "#e3e3e3"


def picture(figure, alt):
    """Show a figure; `alt` describes it to those who cannot see it."""
    png = BytesIO()
    figure.savefig(png, format="png", dpi=90, bbox_inches="tight")
    display(Image(data=png.getvalue(), format="png", alt=alt))


def diagram(axes, boxes, arrows, title=""):
    """Draw boxes `name: (x, y, text, colour)` and arrows `(from, to)`."""
    axes.set_title(title, fontsize=10)
    axes.axis("off")
    for x, y, text, colour in boxes.values():
        style = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "#555555"}
        axes.text(x, y, text, ha="center", va="center", fontsize=9, bbox=style, zorder=2)
    for start, end in arrows:
        way = {"arrowstyle": "->", "color": "#555555", "shrinkA": 11, "shrinkB": 11}
        axes.annotate("", boxes[end][:2], boxes[start][:2], arrowprops=way, zorder=1)
    axes.set_xlim(min(x for x, *_ in boxes.values()) - 1, max(x for x, *_ in boxes.values()) + 1)
    axes.set_ylim(min(y for _, y, *_ in boxes.values()) - 0.6, max(y for _, y, *_ in boxes.values()) + 0.6)


# %% nbgrader={"grade": false, "grade_id": "history", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
years = ["2010", "2011", "2012\nAlexNet", "2013", "2014\nVGG", "2014\nGoogLeNet", "2015\nResNet"]
errors = [28.2, 25.8, 16.4, 11.7, 7.3, 6.7, 3.57]
depths = ["no network", "no network", "8 layers", "8 layers", "19 layers", "22 layers", "152 layers"]
figure = Figure(figsize=(9, 2.6))
axes = figure.add_subplot()
bars = axes.bar(years, errors, color=[GREY, GREY] + [BLUE] * 5, edgecolor="#555555")
axes.bar_label(bars, [f"{error}%\n{depth}" for error, depth in zip(errors, depths)], fontsize=9, padding=2)
axes.set_ylim(0, 38)
axes.set_ylabel("top-5 error")
axes.set_title("ImageNet challenge, 1000 classes: the best entries", fontsize=10)
axes.spines[["top", "right"]].set_visible(False)
picture(figure, "Top-5 error by year: 28.2% in 2010, 16.4% with AlexNet, 3.57% with ResNet")

# %% [markdown] nbgrader={"grade": false, "grade_id": "LeNet5-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 1. LeNet-5 (1998)
#
# LeCun, Bottou, Bengio and Haffner built it to read the amounts on bank cheques; figure 2 of the paper is the picture of a CNN
# that everyone has drawn since. Convolutions find features anywhere, pooling makes the maps smaller and their exact place
# unimportant, and a few linear layers decide. We build it as it is taught today:
#
# | layer | what | output | parameters |
# |---|---|---|---|
# | C1 | 6 convolutions 5x5, **tanh** | 6 x 28 x 28 | 156 |
# | S2 | **average** pooling 2x2 | 6 x 14 x 14 | 0 |
# | C3 | 16 convolutions 5x5, tanh | 16 x 10 x 10 | 2,416 |
# | S4 | average pooling 2x2 | 16 x 5 x 5 | 0 |
# | C5 | linear to 120, tanh | 120 | 48,120 |
# | F6 | linear to 84, tanh | 84 | 10,164 |
# | | linear to `classes` | 10 | 850 |
#
# Together 61,706. (You may read "60K": the paper's C3 connects each map with only some of the six below, 60,000 in all. It
# also gives pooling weights of its own and ends in radial basis functions; nobody does so any more.) Input: grey images of
# 32x32, digits of 28x28 in a frame, so no convolution pads. C5 is called a convolution because its 5x5 kernel covers the whole
# 5x5 map: you may write it either way.

# %% nbgrader={"grade": false, "grade_id": "LeNet5-look", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
figure = Figure(figsize=(10, 2.2))
axes = figure.add_subplot()
edge = {"edgecolor": "#555555", "linewidth": 0.6}
left = 0
for name, maps, side in [("input", 1, 32), ("C1", 6, 28), ("S2", 6, 14), ("C3", 16, 10), ("S4", 16, 5)]:
    for index in range(maps):
        axes.add_patch(Rectangle((left + index * 1.6, index * 0.9), side, side, facecolor=BLUE, **edge))
    middle = left + (side + maps * 1.6) / 2
    axes.text(middle, -4, f"{name}\n{maps} x {side} x {side}", ha="center", va="top", fontsize=9)
    left += max(side + maps * 1.6, 26) + 10
for name, units in [("C5", 120), ("F6", 84), ("logits", 10)]:
    axes.add_patch(Rectangle((left, 0), 3, units / 3, facecolor=ORANGE, **edge))
    axes.text(left + 1.5, -4, f"{name}\n{units}", ha="center", va="top", fontsize=9)
    left += 20
axes.set_xlim(-5, left)
axes.set_ylim(-14, 42)
axes.set_aspect("equal")
axes.axis("off")
picture(figure, "The maps of LeNet-5 to scale, from the 32x32 image to 16 maps of 5x5 and 10 logits")


# %% nbgrader={"grade": false, "grade_id": "LeNet5-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LeNet5(nn.Module):
    """Grey images (N, 1, 32, 32) to logits (N, classes)."""

    def __init__(self, classes=10):
        super().__init__()
        ### BEGIN SOLUTION
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, classes),
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.classifier(self.features(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "LeNet5", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
found = parameters(LeNet5)
assert found == 61_706, f"156 + 2,416 + 48,120 + 10,164 + 850 = 61,706 parameters expected, found {found:,}"

logits = LeNet5(classes=7)(torch.zeros(2, 1, 32, 32))
assert logits.shape == (2, 7), f"two images, seven classes: found shape {tuple(logits.shape)}"
summary(LeNet5(), torch.zeros(1, 1, 32, 32))

# %% [markdown] nbgrader={"grade": false, "grade_id": "AlexNet-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 2. AlexNet (2012)
#
# Fourteen years later the same idea, a thousand times larger: 62 million parameters, 1.2 million photographs, two graphics
# cards for six days. Krizhevsky, Sutskever and Hinton cut the error of the year before by more than a third, and within
# two years everybody had changed to CNNs. What made it train:
#
# * **ReLU**, $\max(0, x)$: its slope is 1 wherever it is active; tanh saturates. It learned six times faster (figure 1 of the paper).
# * **Dropout** of one half on the outputs of the two hidden linear layers, where nearly all the weights are.
# * **Overlapping pooling**: the maximum over 3x3 windows with stride 2.
#
# | layer | output | parameters |
# |---|---|---|
# | conv 11x11, 96, stride 4 (no padding), ReLU | 96 x 55 x 55 | 34,944 |
# | max-pooling 3x3, stride 2 | 96 x 27 x 27 | |
# | conv 5x5, 256, padding 2, ReLU | 256 x 27 x 27 | 614,656 |
# | max-pooling 3x3, stride 2 | 256 x 13 x 13 | |
# | conv 3x3, 384, padding 1, ReLU | 384 x 13 x 13 | 885,120 |
# | conv 3x3, 384, padding 1, ReLU | 384 x 13 x 13 | 1,327,488 |
# | conv 3x3, 256, padding 1, ReLU | 256 x 13 x 13 | 884,992 |
# | max-pooling 3x3, stride 2 | 256 x 6 x 6 | |
# | linear 4096, ReLU, dropout 0.5 | 4096 | 37,752,832 |
# | linear 4096, ReLU, dropout 0.5 | 4096 | 16,781,312 |
# | linear to `classes` | 1000 | 4,097,000 |
#
# The input is **227** x 227: the paper prints 224, with which its own sizes do not work out. The network was cut in two halves, one on
# each card, which saw each other only in the third convolution and in the linear layers. With `groups=2` yours does the same: the
# second, fourth and fifth convolution then have two groups, and the network 60,965,224 parameters instead of 62,378,344. We leave
# out local response normalisation: the VGG paper (section 4.1) measured that it does not help.


# %% nbgrader={"grade": false, "grade_id": "AlexNet-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AlexNet(nn.Module):
    """Colour images (N, 3, 227, 227) to logits (N, classes).

    width multiplies the channels (96, 256, ...) and the hidden units (4096);
    groups are those of the second, fourth and fifth convolution.
    """

    def __init__(self, classes=1000, width=1.0, groups=1):
        super().__init__()
        ### BEGIN SOLUTION
        c1, c2, c3, c4, c5, hidden = (round(size * width) for size in (96, 256, 384, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(3, c1, 11, stride=4),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(c2, c3, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            nn.ReLU(),
            nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(c5 * 6 * 6, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, classes),
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.classifier(self.features(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "AlexNet", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
found = parameters(AlexNet)
assert found == 62_378_344, f"62,378,344 parameters expected (see the table), found {found:,}"
found = parameters(AlexNet, groups=2)
assert found == 60_965_224, f"60,965,224 parameters expected with groups=2, found {found:,}"

small = AlexNet(classes=5, width=1 / 16)
x = torch.rand(2, 3, 227, 227)
assert small(x).shape == (2, 5), f"expected logits of shape (2, 5), found {tuple(small(x).shape)}"
assert not torch.equal(small(x), small(x)), "in training mode dropout makes every run another one"
small.eval()
assert torch.equal(small(x), small(x)), "in evaluation mode nothing is random"

# %% [markdown] nbgrader={"grade": false, "grade_id": "VGG-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 3. VGG (2014)
#
# AlexNet has kernels of 11, 5 and 3, chosen by hand. Simonyan and Zisserman, of Oxford's Visual Geometry Group, asked what depth alone does,
# and fixed all the rest: **3x3 convolutions** with padding 1, a ReLU behind each, 2x2 max-pooling, and twice as many channels
# after each pooling (up to 512). Two 3x3 in a row see 5x5 pixels, three see 7x7, with fewer weights and with a ReLU between them:
#
# $$\underbrace{2 \cdot 3^2 C^2}_{18\,C^2} < \underbrace{5^2 C^2}_{25\,C^2}, \qquad
#   \underbrace{3 \cdot 3^2 C^2}_{27\,C^2} < \underbrace{7^2 C^2}_{49\,C^2}.$$
#
# So a VGG is a list: channels of each convolution, and `"M"` where the maps are halved. Behind it, as in AlexNet: linear 4096, ReLU,
# dropout 0.5; linear 4096, ReLU, dropout 0.5; linear to `classes`. The first linear layer takes what the poolings have left:
# at `size=224` five of them leave 7x7 (224, 112, 56, 28, 14, 7), and with 512 channels this layer alone has 102,764,544 parameters.

# %% nbgrader={"grade": false, "grade_id": "VGG-configs", "locked": true, "schema_version": 3, "solution": false, "task": false}
VGG16 = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
VGG19 = [64, 64, "M", 128, 128, "M"] + [256] * 4 + ["M"] + [512] * 4 + ["M"] + [512] * 4 + ["M"]


# %% nbgrader={"grade": false, "grade_id": "VGG-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class VGG(nn.Module):
    """Colour images (N, 3, size, size) to logits (N, classes).

    config: a list such as VGG16, with any number of "M"; each halves the size, rounded down.
    width multiplies the channels in config and the hidden units (4096).
    """

    def __init__(self, config, classes=1000, width=1.0, size=224):
        super().__init__()
        ### BEGIN SOLUTION
        layers, channels = [], 3
        for item in config:
            if item == "M":
                layers.append(nn.MaxPool2d(2))
                size //= 2
            else:
                layers += [nn.Conv2d(channels, round(item * width), 3, padding=1), nn.ReLU()]
                channels = round(item * width)
        hidden = round(4096 * width)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * size * size, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, classes),
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.classifier(self.features(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "VGG", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
found = parameters(VGG, VGG16)
assert found == 138_357_544, f"VGG16 has 138,357,544 parameters, found {found:,} (a pooling has none)"
found = parameters(VGG, VGG19)
assert found == 143_667_240, f"VGG19 has 143,667,240 parameters, found {found:,}"

small = VGG([64, "M", 128, 128, "M"], classes=5, width=1 / 16, size=20)
logits = small(torch.rand(2, 3, 20, 20))
assert logits.shape == (2, 5), f"expected logits of shape (2, 5), found {tuple(logits.shape)}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "Inception-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 4. Inception (2014)
#
# Where do all these parameters sit? Nearly all of them in the first linear layer, and nearly all the *work* in the convolutions.
# GoogLeNet, which won the 2014 challenge just ahead of VGG, saves on both.

# %% nbgrader={"grade": false, "grade_id": "where-look", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
names = ["LeNet-5 (x1000)", "AlexNet", "VGG16", "GoogLeNet", "ResNet-50"]
convolutions = [2.572, 3.747, 14.715, 5.974, 23.508]
linear = [59.134, 58.631, 123.643, 1.025, 2.049]
figure = Figure(figsize=(8, 2.2))
axes = figure.add_subplot()
axes.barh(names[::-1], convolutions[::-1], color=BLUE, edgecolor="#555555", label="convolutions")
axes.barh(
    names[::-1],
    linear[::-1],
    left=convolutions[::-1],
    color=ORANGE,
    edgecolor="#555555",
    label="linear layers",
)
axes.set_xlabel("million parameters")
axes.legend(fontsize=9)
axes.spines[["top", "right"]].set_visible(False)
picture(figure, "AlexNet and VGG16: most parameters are in linear layers; GoogLeNet, ResNet-50: in convolutions")

# %% [markdown] nbgrader={"grade": false, "grade_id": "Inception-module", "locked": true, "schema_version": 3, "solution": false, "task": false}
# How large should a kernel be? An **Inception** module does not choose: 1x1, 3x3, 5x5 and a max-pooling look at the same maps side by
# side, and their results are concatenated along the channels. That would be expensive, so a 1x1 convolution first *reduces* the
# channels. With 192 channels coming in, 32 kernels of 5x5 have 192·32·25 = 153,600 weights; reduced to 16 channels first,
# 192·16 + 16·32·25 = 15,872, a tenth.

# %% nbgrader={"grade": false, "grade_id": "Inception-look", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
figure = Figure(figsize=(10, 3.6))
boxes = {
    "in": (3, 0, "maps from below: in_channels", GREY),
    "1": (0, 1.5, "1x1, out1", BLUE),
    "r3": (2, 1, "1x1, reduce3", ORANGE),
    "3": (2, 2, "3x3, out3", BLUE),
    "r5": (4, 1, "1x1, reduce5", ORANGE),
    "5": (4, 2, "5x5, out5", BLUE),
    "m": (6, 1, "max-pooling 3x3, stride 1", GREEN),
    "p": (6, 2, "1x1, pool", BLUE),
    "out": (3, 3, "concatenate: out1 + out3 + out5 + pool channels, in this order", GREY),
}
arrows = [
    ("in", "1"),
    ("in", "r3"),
    ("r3", "3"),
    ("in", "r5"),
    ("r5", "5"),
    ("in", "m"),
    ("m", "p"),
    ("1", "out"),
    ("3", "out"),
    ("5", "out"),
    ("p", "out"),
]
diagram(figure.add_subplot(), boxes, arrows)
picture(figure, "The Inception module: four branches from the same maps, concatenated")

# %% [markdown] nbgrader={"grade": false, "grade_id": "Inception-rules", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Every convolution has a bias and is followed by a **ReLU**, the reductions too. All branches keep height and width: 3x3 with padding 1,
# 5x5 with padding 2, the pooling with stride 1 and padding 1. The order along the channels is 1x1, 3x3, 5x5, pooling.


# %% nbgrader={"grade": false, "grade_id": "Inception-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Inception(nn.Module):
    """Maps (N, in_channels, H, W) to (N, out1 + out3 + out5 + pool, H, W).

    out1, out3, out5: channels of the 1x1, 3x3 and 5x5; reduce3, reduce5: of the 1x1 before the 3x3 and the 5x5;
    pool: of the 1x1 behind the pooling.
    """

    def __init__(self, in_channels, out1, reduce3, out3, reduce5, out5, pool):
        super().__init__()

        ### BEGIN SOLUTION
        def conv_relu(before, after, kernel_size):
            return nn.Sequential(nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2), nn.ReLU())

        self.branch1 = conv_relu(in_channels, out1, 1)
        self.branch3 = nn.Sequential(conv_relu(in_channels, reduce3, 1), conv_relu(reduce3, out3, 3))
        self.branch5 = nn.Sequential(conv_relu(in_channels, reduce5, 1), conv_relu(reduce5, out5, 5))
        self.branch_pool = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            conv_relu(in_channels, pool, 1),
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], dim=1)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "Inception", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
row_3a = (64, 96, 128, 16, 32, 32)
found = parameters(Inception, 192, *row_3a)
assert found == 163_696, f"module 3a has 163,696 parameters, biases included; found {found:,}"
maps = Inception(192, *row_3a)(torch.rand(2, 192, 9, 7))
assert maps.shape == (2, 256, 9, 7), f"expected 256 channels of 9 x 7, found {tuple(maps.shape)}"
assert maps.min() >= 0, "behind a ReLU nothing is negative"

# %% [markdown] nbgrader={"grade": false, "grade_id": "GoogLeNet-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 5. GoogLeNet (2014)
#
# Nine Inception modules on a short stem, 22 layers deep. Instead of VGG's hundred-million-parameter layer, **each map is averaged** to
# one number, and one linear layer follows. (The name bows to LeNet; "Inception" to a film: *we need to go deeper*.)
#
# | part | what | output at 224 x 224 |
# |---|---|---|
# | stem | conv 7x7, 64, stride 2, padding 3; max-pooling | 64 x 56 x 56 |
# | | conv 1x1, 64; conv 3x3, 192, padding 1; max-pooling | 192 x 28 x 28 |
# | 3a, 3b | Inception, Inception, max-pooling | 480 x 14 x 14 |
# | 4a ... 4e | five Inceptions, max-pooling | 832 x 7 x 7 |
# | 5a, 5b | Inception, Inception | 1024 x 7 x 7 |
# | head | mean of each map, dropout 0.4, linear to `classes` | 1000 |
#
# Each convolution has a bias and a ReLU behind it. The four max-poolings between the stages are 3x3 with stride 2, **without padding, the size
# rounded up** (`ceil_mode=True`): 112, 56, 28, 14, 7. The numbers of the modules, table 1 of the paper, are in `TABLE` below.
#
# **Auxiliary classifiers.** In 2014 a gradient hardly survived 22 layers. So two small classifiers look at the maps of **4a** and
# **4d** during training, and their losses are added with weight 0.3: mean-pooling 5x5 with stride 3 (14x14 to 4x4), conv 1x1 to 128, ReLU,
# linear to 1024, ReLU, dropout 0.7, linear to `classes`. (`width` multiplies 128 and 1024 too.)
#
# * In training mode: `(logits, logits of 4a, logits of 4d)`. This needs 224 x 224 pixels.
# * In evaluation mode: the logits alone, and any size of image will do.
# * With `auxiliary=False` there are no auxiliary classifiers, and one output in both modes: 6,998,552 parameters; 13,378,280 with them.

# %% nbgrader={"grade": false, "grade_id": "GoogLeNet-table", "locked": true, "schema_version": 3, "solution": false, "task": false}
TABLE = {  # out1, reduce3, out3, reduce5, out5, pool
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


# %% nbgrader={"grade": false, "grade_id": "GoogLeNet-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class GoogLeNet(nn.Module):
    """Colour images (N, 3, 224, 224) to logits (N, classes).

    In training mode: to a tuple (logits, logits of 4a, logits of 4d), if auxiliary is true.
    width multiplies every number of channels and hidden units.
    """

    def __init__(self, classes=1000, width=1.0, auxiliary=True):
        super().__init__()
        ### BEGIN SOLUTION
        first, second, reduced, hidden = (round(size * width) for size in (64, 192, 128, 1024))
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 7, stride=2, padding=3),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            nn.Conv2d(first, first, 1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
        )
        self.inception, self.auxiliary = nn.ModuleDict(), nn.ModuleDict()
        channels = second
        for name, row in TABLE.items():
            sizes = [round(size * width) for size in row]
            self.inception[name] = Inception(channels, *sizes)
            channels = sizes[0] + sizes[2] + sizes[4] + sizes[5]
            if auxiliary and name in ("4a", "4d"):
                self.auxiliary[name] = nn.Sequential(
                    nn.AvgPool2d(5, stride=3),
                    nn.Conv2d(channels, reduced, 1),
                    nn.ReLU(),
                    nn.Flatten(),
                    nn.Linear(reduced * 4 * 4, hidden),
                    nn.ReLU(),
                    nn.Dropout(0.7),
                    nn.Linear(hidden, classes),
                )
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.Linear(channels, classes),
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.stem(x)
        others = []
        for name, module in self.inception.items():
            x = module(x)
            if self.training and name in self.auxiliary:
                others.append(self.auxiliary[name](x))
            if name in ("3b", "4e"):
                x = self.pool(x)
        logits = self.head(x)
        return (logits, *others) if others else logits
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "GoogLeNet", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
found = parameters(GoogLeNet, auxiliary=False)
assert found == 6_998_552, f"6,998,552 parameters without auxiliary classifiers expected, found {found:,}"
found = parameters(GoogLeNet)
assert found == 13_378_280, f"13,378,280 parameters with auxiliary classifiers expected, found {found:,}"

small = GoogLeNet(classes=5, width=1 / 8)
outputs = small(torch.rand(1, 3, 224, 224))
shapes = [tuple(logits.shape) for logits in outputs]
assert shapes == [(1, 5)] * 3, f"in training mode: three outputs of shape (1, 5); found {shapes}"
small.eval()
logits = small(torch.rand(2, 3, 64, 64))
assert logits.shape == (2, 5), "in evaluation mode: one output, of shape (2, 5)"

# %% [markdown] nbgrader={"grade": false, "grade_id": "conv_bn-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 6. Deeper, and worse
#
# With [batch normalisation](https://arxiv.org/abs/1502.03167) (2015) plain networks of 20 and 30 layers train. Each channel $c$ is brought
# to mean 0 and variance 1 over the batch and all positions, then scaled and shifted by two learned numbers:
#
# $$y = \gamma_c \, \frac{x - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_c .$$
#
# In training mode $\mu_c, \sigma_c^2$ are the batch's, in evaluation mode running averages of them. A bias in the convolution before it would
# be subtracted again with $\mu_c$, so it is left out. Write this pair, which all of ResNet is made of: a convolution **without bias**, with
# padding `kernel_size // 2`, and its `nn.BatchNorm2d` (torch's defaults). No ReLU: the next section says why.


# %% nbgrader={"grade": false, "grade_id": "conv_bn-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_bn(in_channels, out_channels, kernel_size, stride=1):
    """A module: convolution without bias, then batch normalisation.

    Maps (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride), rounded up.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "conv_bn", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
found = parameters(conv_bn, 16, 32, 3)
assert found == 16 * 32 * 9 + 2 * 32, f"4,608 weights, 32 scales, 32 shifts: 4,672; found {found:,}"
maps = conv_bn(16, 32, 7, stride=2)(torch.rand(2, 16, 9, 8))
assert maps.shape == (2, 32, 5, 4), f"expected shape (2, 32, 5, 4), found {tuple(maps.shape)}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "BasicBlock-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 7. Residual blocks (2015)
#
# Then He, Zhang, Ren and Sun saw something odd: a plain network of 34 layers was worse than one of 18 layers, on ImageNet 28.5% top-1 error
# against 27.9%, and *on the training set too*. That is not overfitting. The deeper network could at least copy the
# other one and do nothing in its further layers; but doing nothing, $y = x$, is hard to learn for layers of weights and ReLUs. So
# make it the easy case. Let the layers learn only the **residual** $F$, what is to be *added*:
#
# $$y = \mathrm{ReLU}\big(F(x) + x\big).$$
#
# With weights of zero a block is now the identity (for $x \ge 0$, which what comes from a ReLU is). And the gradient has a way back
# that no layer can block: $\partial (F(x) + x) / \partial x = F'(x) + 1$. With shortcuts, 34 layers had 25.0% and 18 had 27.9%. See for
# yourself: 50 small layers, and the gradient that reaches each. Plain, it is twenty powers of ten smaller at the first layer than
# at the last. With shortcuts it arrives; that it grows on the way is what batch normalisation is good for.


# %% nbgrader={"grade": false, "grade_id": "BasicBlock-gradient", "locked": true, "schema_version": 3, "solution": false, "task": false}
def gradients(shortcut, depth=50, channels=16):
    """Size of the gradient at the input of each of `depth` convolutions with ReLU."""
    torch.manual_seed(0)
    x = torch.randn(4, channels, 8, 8, requires_grad=True)
    inputs = [x]
    for layer in [nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth)]:
        x = torch.relu(layer(x)) + (x if shortcut else 0)
        inputs.append(x)
    return [gradient.norm().item() for gradient in torch.autograd.grad(x.sum(), inputs[:-1])]


figure = Figure(figsize=(8, 2.5))
axes = figure.add_subplot()
axes.semilogy(range(1, 51), gradients(shortcut=False), label="plain", color="tab:orange")
axes.semilogy(range(1, 51), gradients(shortcut=True), label="with shortcuts", color="tab:blue")
axes.set_xlabel("layer (the loss is on the right)")
axes.set_ylabel("size of the gradient")
axes.legend(fontsize=9)
axes.spines[["top", "right"]].set_visible(False)
picture(figure, "Gradient by layer: plain it vanishes towards the first layer, with shortcuts it does not")

# %% [markdown] nbgrader={"grade": false, "grade_id": "BasicBlock-rules", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The **basic block** has two 3x3 `conv_bn`, with a ReLU between them and one *behind the addition*. Where it halves the maps (`stride=2`)
# the first of the two has that stride. There, and where the number of channels changes, $x$ and $F(x)$ have different shapes: the shortcut
# becomes a **projection**, a 1x1 `conv_bn` of that stride ("option B" of the paper). Everywhere else it is the identity, without parameters.
#
# The **bottleneck** of the deeper networks squeezes before it looks: 1x1 to `channels`, 3x3, 1x1 to **4 times** `channels`, each a `conv_bn`, with a ReLU
# behind the first two and behind the addition. From 256 channels to 64 and back it has 69,632 weights, where two 3x3 of 256 have
# 1,179,648. The stride is in the **3x3**. (The paper has it in the first 1x1, which then never sees three of four pixels; all libraries
# have moved it since.)

# %% nbgrader={"grade": false, "grade_id": "blocks-look", "locked": true, "schema_version": 3, "solution": false, "task": false} jupyter={"source_hidden": true}
figure = Figure(figsize=(10, 4.6))
left, right = figure.subplots(1, 2)
basic = {
    "x": (0, 0, "x: in_channels", GREY),
    "a": (0, 1, "3x3, channels, stride", BLUE),
    "r": (0, 1.8, "ReLU", GREEN),
    "b": (0, 2.6, "3x3, channels", BLUE),
    "+": (0, 3.5, "+", GREY),
    "y": (0, 4.2, "ReLU", GREEN),
    "p": (2.6, 2.1, "identity, or 1x1\nif the shape changes", ORANGE),
}
arrows = [("x", "a"), ("a", "r"), ("r", "b"), ("b", "+"), ("+", "y"), ("x", "p"), ("p", "+")]
diagram(left, basic, arrows, "BasicBlock (18 and 34 layers)")
bottleneck = {
    "x": (0, 0, "x: in_channels", GREY),
    "a": (0, 0.8, "1x1, channels", BLUE),
    "r": (0, 1.4, "ReLU", GREEN),
    "b": (0, 2.0, "3x3, channels, stride", BLUE),
    "s": (0, 2.6, "ReLU", GREEN),
    "c": (0, 3.2, "1x1, 4 x channels", BLUE),
    "+": (0, 3.9, "+", GREY),
    "y": (0, 4.5, "ReLU", GREEN),
    "p": (2.6, 2.3, "identity, or 1x1\nif the shape changes", ORANGE),
}
arrows = [("x", "a"), ("a", "r"), ("r", "b"), ("b", "s"), ("s", "c"), ("c", "+"), ("+", "y")]
arrows += [("x", "p"), ("p", "+")]
diagram(right, bottleneck, arrows, "Bottleneck (50 layers and more)")
picture(figure, "Both residual blocks: the layers, and the shortcut that is added before the last ReLU")


# %% nbgrader={"grade": false, "grade_id": "BasicBlock-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BasicBlock(nn.Module):
    """Maps (N, in_channels, H, W) to (N, channels, H / stride, W / stride)."""

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.residual = nn.Sequential(
            conv_bn(in_channels, channels, 3, stride), nn.ReLU(), conv_bn(channels, channels, 3)
        )
        same_shape = stride == 1 and in_channels == channels
        self.shortcut = nn.Identity() if same_shape else conv_bn(in_channels, channels, 1, stride)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.relu(self.residual(x) + self.shortcut(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "BasicBlock", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
found = parameters(BasicBlock, 64, 64)
assert found == 73_984, f"two 3x3 of 64 channels, no projection: 73,984; found {found:,}"
found = parameters(BasicBlock, 64, 128, 2)
assert found == 230_144, f"with a projection from 64 to 128: 230,144; found {found:,}"

maps = BasicBlock(8, 12, stride=2)(torch.rand(2, 8, 6, 10))
assert maps.shape == (2, 12, 3, 5), f"expected shape (2, 12, 3, 5), found {tuple(maps.shape)}"

block, x = BasicBlock(8, 8), torch.rand(2, 8, 5, 5)
for weights in block.parameters():
    nn.init.zeros_(weights)
assert torch.allclose(block(x), x), "with zero weights the block gives back what it gets"


# %% nbgrader={"grade": false, "grade_id": "Bottleneck-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Bottleneck(nn.Module):
    """Maps (N, in_channels, H, W) to (N, 4 * channels, H / stride, W / stride)."""

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.residual = nn.Sequential(
            conv_bn(in_channels, channels, 1),
            nn.ReLU(),
            conv_bn(channels, channels, 3, stride),
            nn.ReLU(),
            conv_bn(channels, 4 * channels, 1),
        )
        same_shape = stride == 1 and in_channels == 4 * channels
        self.shortcut = nn.Identity() if same_shape else conv_bn(in_channels, 4 * channels, 1, stride)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.relu(self.residual(x) + self.shortcut(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "Bottleneck", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
found = parameters(Bottleneck, 256, 64)
assert found == 69_632 + 2 * (64 + 64 + 256), f"69,632 weights and 768 more: 70,400; found {found:,}"
found = parameters(Bottleneck, 64, 64)
assert found == 75_008, f"64 to 256 channels, with a projection: 75,008; found {found:,}"
maps = Bottleneck(8, 3, stride=2)(torch.rand(2, 8, 6, 10))
assert maps.shape == (2, 12, 3, 5), f"expected shape (2, 12, 3, 5), found {tuple(maps.shape)}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "ResNet-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 8. ResNet (2015)
#
# The rest is counting. A stem, four stages of blocks, the mean of each map, one linear layer:
#
# | part | what | output at 224 x 224 |
# |---|---|---|
# | stem | `conv_bn` 7x7, 64, stride 2; ReLU; max-pooling 3x3, stride 2, padding 1 | 64 x 56 x 56 |
# | stage 1 | blocks with `channels` 64, stride 1 | 56 x 56 |
# | stage 2 | 128, the first block has stride 2 | 28 x 28 |
# | stage 3 | 256, the first block has stride 2 | 14 x 14 |
# | stage 4 | 512, the first block has stride 2 | 7 x 7 |
# | head | mean of each map, linear to `classes` | 1000 |
#
# | layers | block | blocks in stages 1 to 4 | parameters |
# |---|---|---|---|
# | 18 | basic | 2, 2, 2, 2 | 11,689,512 |
# | 34 | basic | 3, 4, 6, 3 | 21,797,672 |
# | 50 | bottleneck | 3, 4, 6, 3 | 25,557,032 |
# | 101 | bottleneck | 3, 4, 23, 3 | 44,549,160 |
# | 152 | bottleneck | 3, 8, 36, 3 | 60,192,808 |
#
# A block of bottlenecks gives 4 times as many maps as its `channels`, and the next block takes them: the first one of all goes from 64
# to 256 channels, at stride 1, with a projection. (The number in the name counts convolutions and linear layers on the main way: 1 + 3·16 + 1 = 50.)


# %% nbgrader={"grade": false, "grade_id": "ResNet-solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ResNet(nn.Module):
    """Colour images (N, 3, H, W) to logits (N, classes); layers is 18, 34, 50, 101 or 152.

    width multiplies the channels: 64 of the stem, 64 to 512 of the stages.
    """

    def __init__(self, layers, classes=1000, width=1.0):
        super().__init__()
        ### BEGIN SOLUTION
        block, counts = {
            18: (BasicBlock, (2, 2, 2, 2)),
            34: (BasicBlock, (3, 4, 6, 3)),
            50: (Bottleneck, (3, 4, 6, 3)),
            101: (Bottleneck, (3, 4, 23, 3)),
            152: (Bottleneck, (3, 8, 36, 3)),
        }[layers]
        expansion = 1 if layers < 50 else 4
        channels = round(64 * width)
        self.stem = nn.Sequential(conv_bn(3, channels, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.Sequential()
        for stage, count in enumerate(counts):
            for index in range(count):
                size = round(64 * 2**stage * width)
                self.stages.append(block(channels, size, 2 if stage > 0 and index == 0 else 1))
                channels = expansion * size
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.head(self.stages(self.stem(x)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "ResNet", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
for layers, expected in [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)]:
    found = parameters(ResNet, layers)
    assert found == expected, f"ResNet-{layers} has {expected:,} parameters, found {found:,}"

for layers in (18, 50):
    logits = ResNet(layers, classes=5, width=1 / 16)(torch.rand(2, 3, 64, 64))
    assert logits.shape == (2, 5), f"expected logits of shape (2, 5), found {tuple(logits.shape)}"

# %% [markdown] nbgrader={"grade": false, "grade_id": "look-back", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 9. Looking back
#
# | | year | layers | parameters | multiplications at 224 (227) pixels | top-5 error, ImageNet |
# |---|---|---|---|---|---|
# | AlexNet | 2012 | 8 | 62 M | 1.1 G | 16.4 |
# | VGG16 | 2014 | 16 | 138 M | 15.5 G | 7.3 |
# | GoogLeNet | 2014 | 22 | 7 M | 1.6 G | 6.7 |
# | ResNet-152 | 2015 | 152 | 60 M | 11.5 G | 3.6 |
#
# From here the roads part: fewer multiplications (MobileNet, EfficientNet), more branches (ResNeXt), other ideas again (ConvNeXt).
# Nearly all of them keep the shortcut.

# %% [markdown] nbgrader={"grade": false, "grade_id": "written-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## 10. In your own words (5 points on top, read by a person)
#
# 1. VGG16 has twenty times the parameters of GoogLeNet and a larger error. Where are VGG16's parameters, with numbers, and by
#    which two ideas does GoogLeNet do without them?
# 2. A plain network of 34 layers has a larger error *on its training set* than one of 18. Why is this not overfitting, and what exactly does the
#    shortcut change: for what the network can represent, and for how it is trained?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# 1. Of 138.4 million, 123.6 lie in the three linear layers, and 102.8 in the first of them alone (25,088 x 4,096): it reads 7x7 positions of 512 maps.
#    GoogLeNet averages each map to one number before its only linear layer (1024 x 1000, 1.0 million), and its 1x1 reductions make the
#    3x3 and 5x5 convolutions work on few channels, so that nine modules have 6.0 million parameters with the stem.
# 2. Overfitting means a small training error and a large test error; here the training error itself is larger, so the network was not
#    trained well: it is a difficulty of optimisation. The deeper network can represent all that the shallower can (further layers as identity),
#    with or without shortcuts; the shortcut adds hardly anything to what can be represented. It changes where training starts and how it
#    goes: the identity is at weights of zero, near the initial weights, and each block needs to learn a small correction only; the
#    derivative F'(x) + 1 lets the gradient reach the first layers without being multiplied by 34 small factors.
# ### END SOLUTION
