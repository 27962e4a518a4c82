"""A second right answer to `architectures`: functional ReLU and pooling, other names, branches in another order."""

import torch
from torch import nn
from torch.nn import functional

VGG16 = [64] * 2 + ["M"] + [128] * 2 + ["M"] + ([256] * 3 + ["M"]) + ([512] * 3 + ["M"]) * 2
VGG19 = [64] * 2 + ["M"] + [128] * 2 + ["M"] + ([256] * 4 + ["M"]) + ([512] * 4 + ["M"]) * 2


class LeNet5(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.output = nn.Linear(84, classes)
        self.f6 = nn.Linear(120, 84)
        self.c5 = nn.Conv2d(16, 120, 5)  # as the paper has it: a convolution as large as the map
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c1 = nn.Conv2d(1, 6, 5)

    def forward(self, x):
        x = functional.avg_pool2d(torch.tanh(self.c1(x)), 2)
        x = functional.avg_pool2d(torch.tanh(self.c3(x)), 2)
        x = torch.tanh(self.c5(x)).flatten(1)
        return self.output(torch.tanh(self.f6(x)))


class AlexNet(nn.Module):
    def __init__(self, classes=1000, width=1.0, groups=1):
        super().__init__()
        channels = [3, *(int(size * width) for size in (96, 256, 384, 384, 256))]
        kernels = [(11, 4, 0, 1), (5, 1, 2, groups), (3, 1, 1, 1), (3, 1, 1, groups), (3, 1, 1, groups)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels[i], channels[i + 1], kernel, stride, padding, groups=split)
            for i, (kernel, stride, padding, split) in enumerate(kernels)
        )
        hidden = int(4096 * width)
        self.fc6 = nn.Linear(channels[-1] * 36, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, classes)

    def forward(self, x):
        for number, convolution in enumerate(self.convolutions, start=1):
            x = functional.relu(convolution(x))
            if number in (1, 2, 5):
                x = functional.max_pool2d(x, 3, 2)
        x = x.flatten(1)
        for layer in (self.fc6, self.fc7):
            x = functional.dropout(functional.relu(layer(x)), 0.5, self.training)
        return self.fc8(x)


class VGG(nn.Module):
    def __init__(self, config, classes=1000, width=1.0, size=224):
        super().__init__()
        stages, channels = [[]], 3
        for item in config:
            if item == "M":
                stages.append([])
            else:
                stages[-1].append(nn.Conv2d(channels, int(item * width), 3, padding="same"))
                channels = int(item * width)
        self.stages = nn.ModuleList(nn.ModuleList(stage) for stage in stages)
        side = size >> (len(stages) - 1)
        hidden = int(4096 * width)
        self.hidden = nn.ModuleList([nn.Linear(channels * side**2, hidden), nn.Linear(hidden, hidden)])
        self.last = nn.Linear(hidden, classes)

    def forward(self, x):
        for number, stage in enumerate(self.stages):
            for convolution in stage:
                x = torch.relu_(convolution(x))
            if number < len(self.stages) - 1:
                x = functional.max_pool2d(x, 2)
        x = x.reshape(len(x), -1)
        for layer in self.hidden:
            x = torch.dropout(layer(x).clamp(min=0), 0.5, self.training)
        return self.last(x)


class Inception(nn.Module):
    def __init__(self, in_channels, out1, reduce3, out3, reduce5, out5, pool):
        super().__init__()
        self.projection = nn.Conv2d(in_channels, pool, 1)
        self.five = nn.Sequential(
            nn.Conv2d(in_channels, reduce5, 1), nn.ReLU(inplace=True), nn.Conv2d(reduce5, out5, 5, padding=2)
        )
        self.three = nn.Sequential(
            nn.Conv2d(in_channels, reduce3, 1), nn.ReLU(inplace=True), nn.Conv2d(reduce3, out3, 3, padding=1)
        )
        self.one = nn.Conv2d(in_channels, out1, 1)

    def forward(self, x):
        pooled = self.projection(functional.max_pool2d(x, 3, 1, 1))
        five = self.five(x)
        three = self.three(x)
        return functional.relu(torch.cat((self.one(x), three, five, pooled), 1))  # one ReLU for all four ends


class GoogLeNet(nn.Module):
    ROWS = (
        ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
        (
            (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64),
            (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128),
        ),
        ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
    )

    def __init__(self, classes=1000, width=1.0, auxiliary=True):
        super().__init__()
        c = int(64 * width)
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(3, c, 7, 2, 3), nn.Conv2d(c, c, 1), nn.Conv2d(c, 3 * c, 3, 1, 1)
        channels, stages = 3 * c, []
        for rows in self.ROWS:
            stage = nn.ModuleList()
            for row in rows:
                out1, reduce3, out3, reduce5, out5, pool = (int(size * width) for size in row)
                stage.append(Inception(channels, out1, reduce3, out3, reduce5, out5, pool))
                channels = out1 + out3 + out5 + pool
            stages.append(stage)
        self.three, self.four, self.five = stages
        self.fc = nn.Linear(channels, classes)
        self.sides = None
        if auxiliary:
            self.sides = nn.ModuleList(
                nn.ModuleList(
                    [
                        nn.Conv2d(int(before * width), int(128 * width), 1),
                        nn.Linear(16 * int(128 * width), int(1024 * width)),
                        nn.Linear(int(1024 * width), classes),
                    ]
                )
                for before in (512, 528)
            )

    def side(self, number, x):
        convolution, hidden, last = self.sides[number]
        x = functional.relu(convolution(functional.avg_pool2d(x, 5, 3))).flatten(1)
        return last(functional.dropout(functional.relu(hidden(x)), 0.7, training=self.training))

    def forward(self, x):
        def halve(maps):
            return functional.max_pool2d(maps, 3, 2, ceil_mode=True)

        x = functional.relu(self.conv2(halve(functional.relu(self.conv1(x)))))
        x = halve(functional.relu(self.conv3(x)))
        for module in self.three:
            x = module(x)
        x = halve(x)
        kept = []
        for module in self.four:
            x = module(x)
            kept.append(x)
        x = halve(x)
        for module in self.five:
            x = module(x)
        logits = self.fc(functional.dropout(x.mean(dim=(2, 3)), 0.4, self.training))
        if self.training and self.sides is not None:
            return logits, self.side(0, kept[0]), self.side(1, kept[3])
        return logits


class ConvolutionThenNorm(nn.Module):
    def __init__(self, before, after, kernel, stride):
        super().__init__()
        self.norm = nn.BatchNorm2d(after)
        self.weighing = nn.Conv2d(before, after, kernel, stride, (kernel - 1) // 2, bias=False)

    def forward(self, x):
        return self.norm(self.weighing(x))


def conv_bn(in_channels, out_channels, kernel_size, stride=1):
    return ConvolutionThenNorm(in_channels, out_channels, kernel_size, stride)


class Block(nn.Module):
    """A residual block of convolutions `(kernel, channels, stride)`; the shortcut comes first."""

    def __init__(self, in_channels, *convolutions):
        super().__init__()
        self.layers = nn.ModuleList()
        channels, total = in_channels, 1
        for kernel, after, stride in convolutions:
            self.layers.append(conv_bn(channels, after, kernel, stride))
            channels, total = after, total * stride
        self.projection = None
        if total > 1 or channels != in_channels:
            self.projection = conv_bn(in_channels, channels, 1, total)

    def forward(self, x):
        around = x if self.projection is None else self.projection(x)
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        return functional.relu(around + self.layers[-1](x))


class BasicBlock(Block):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, (3, channels, stride), (3, channels, 1))


class Bottleneck(Block):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, (1, channels, 1), (3, channels, stride), (1, 4 * channels, 1))


class ResNet(nn.Module):
    def __init__(self, layers, classes=1000, width=1.0):
        super().__init__()
        counts = {18: "2 2 2 2", 34: "3 4 6 3", 50: "3 4 6 3", 101: "3 4 23 3", 152: "3 8 36 3"}[layers]
        block, factor = (Bottleneck, 4) if layers >= 50 else (BasicBlock, 1)
        channels = inner = int(64 * width)
        self.first = conv_bn(3, channels, 7, 2)
        self.blocks = nn.ModuleList()
        for stage, count in enumerate(map(int, counts.split())):
            for number in range(count):
                self.blocks.append(block(channels, inner, 2 if stage and not number else 1))
                channels = inner * factor
            inner *= 2
        self.classify = nn.Linear(channels, classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.first(x)), 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        return self.classify(x.mean((-2, -1)))
