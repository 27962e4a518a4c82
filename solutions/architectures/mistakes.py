"""Mistakes that students make in `architectures`, each with the hint that answers it.

Each derives from the right class, the reference's or the notebook's model answer: they have the same attributes.
"""

import torch
from torch import nn

from autograder.checks import mistake

from . import reference

# ---- LeNet-5


@mistake(
    of="LeNet5",
    hint="There is a ReLU behind the last layer: logits may be negative, and the cross-entropy needs them as they are.",
)
class relu_on_logits(reference.LeNet5):
    def forward(self, x):
        return torch.relu(super().forward(x))


@mistake(
    of="LeNet5",
    hint="Your network ends in a softmax, and cross_entropy applies one itself: softmax twice flattens the gradients. "
    "Return the logits.",
)
class softmax_on_logits(reference.LeNet5):
    def forward(self, x):
        return torch.softmax(super().forward(x), dim=1)


@mistake(
    of="LeNet5",
    hint="You take the maximum where LeNet-5 takes the mean: S2 and S4 are average poolings. (Max-pooling came later.)",
)
class maximum_pooling(reference.LeNet5):
    def __init__(self, classes=10):
        super().__init__(classes)
        self.features[2] = self.features[5] = nn.MaxPool2d(2)


@mistake(
    of="LeNet5",
    hint="You use ReLU where LeNet-5 has tanh: in 1998 the ReLU was not yet in use. AlexNet is where it comes in.",
)
class relu_for_tanh(reference.LeNet5):
    def __init__(self, classes=10):
        super().__init__(classes)
        self.features[1] = self.features[4] = nn.ReLU()
        self.classifier[2] = self.classifier[4] = nn.ReLU()


@mistake(
    of="LeNet5",
    hint="Your first convolution pads. That is right for 28x28 digits; here the image is 32x32, its frame included.",
)
class padded_first_layer(reference.LeNet5):
    def __init__(self, classes=10):
        super().__init__(classes)
        self.features[0].padding = (2, 2)


# ---- AlexNet


@mistake(
    of="AlexNet",
    hint="Nothing is dropped in training: AlexNet has dropout behind both hidden linear layers. With 58 million "
    "weights there it would overfit without.",
)
class dropout_forgotten(reference.AlexNet):
    def __init__(self, classes=1000, width=1.0, groups=1):
        super().__init__(classes, width, groups)
        self.classifier[3] = self.classifier[6] = nn.Identity()


@mistake(
    of="AlexNet",
    hint="Your dropout lies before the linear layers, on the flattened maps too, as torchvision's does. The paper "
    "drops outputs of the two hidden layers.",
)
class dropout_on_the_maps(reference.AlexNet):
    def __init__(self, classes=1000, width=1.0, groups=1):
        super().__init__(classes, width, groups)
        flatten, first, relu, dropout, second, relu2, dropout2, last = self.classifier
        self.classifier = nn.Sequential(flatten, dropout, first, relu, dropout2, second, relu2, last)


@mistake(
    of="AlexNet",
    hint="Your pooling windows do not overlap: AlexNet pools 3x3 windows with stride 2. (From 55, 27 and 13 pixels "
    "both give the same sizes, so the shapes cannot tell you.)",
)
class pooling_without_overlap(reference.AlexNet):
    def __init__(self, classes=1000, width=1.0, groups=1):
        super().__init__(classes, width, groups)
        self.features[2] = self.features[5] = self.features[12] = nn.MaxPool2d(2)


# ---- VGG


@mistake(
    of="VGG",
    hint="Every convolution has its own ReLU, not every stage: the ReLU between is what two 3x3 have over one 5x5.",
)
class one_relu_a_stage(reference.VGG):
    def __init__(self, config, classes=1000, width=1.0, size=224):
        super().__init__(config, classes, width, size)
        for index in range(1, len(self.features) - 1):
            if not isinstance(self.features[index + 1], nn.MaxPool2d) and isinstance(self.features[index], nn.ReLU):
                self.features[index] = nn.Identity()


@mistake(
    of="VGG",
    hint="Your VGG has batch normalisation. It came a year later: VGG has a convolution with bias and a ReLU, no more.",
)
class batch_normalised(reference.VGG):
    def __init__(self, config, classes=1000, width=1.0, size=224):
        super().__init__(config, classes, width, size)
        layers = []
        for layer in self.features:
            layers.append(layer)
            if isinstance(layer, nn.Conv2d):
                layers.append(nn.BatchNorm2d(layer.out_channels))
        self.features = nn.Sequential(*layers)


# ---- Inception


@mistake(
    of="Inception",
    hint="You concatenate the branches in another order: 1x1, 3x3, 5x5, pooling. The layer above counts on it.",
)
class concatenation_order(reference.Inception):
    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch_pool(x), self.branch3(x), self.branch5(x)], dim=1)


@mistake(
    of="Inception",
    hint="The two 1x1 reductions have no ReLU. All convolutions of the module have one (section 5 of the paper): "
    "without it, 1x1 and then 3x3 is only a 3x3 of low rank.",
)
class linear_reductions(reference.Inception):
    def __init__(self, in_channels, out1, reduce3, out3, reduce5, out5, pool):
        super().__init__(in_channels, out1, reduce3, out3, reduce5, out5, pool)
        self.branch3[0] = nn.Conv2d(in_channels, reduce3, 1)
        self.branch5[0] = nn.Conv2d(in_channels, reduce5, 1)


@mistake(of="Inception", hint="The fourth branch takes the maximum of each 3x3 window; yours takes the mean.")
class average_pooling_branch(reference.Inception):
    def __init__(self, in_channels, out1, reduce3, out3, reduce5, out5, pool):
        super().__init__(in_channels, out1, reduce3, out3, reduce5, out5, pool)
        self.branch_pool[0] = nn.AvgPool2d(3, stride=1, padding=1)


@mistake(
    of="Inception",
    hint="In the fourth branch you project first and pool then. The paper pools first, over all incoming channels.",
)
class pooled_after_projection(reference.Inception):
    def __init__(self, in_channels, out1, reduce3, out3, reduce5, out5, pool):
        super().__init__(in_channels, out1, reduce3, out3, reduce5, out5, pool)
        self.branch_pool = nn.Sequential(self.branch_pool[1], self.branch_pool[0])


# ---- GoogLeNet


@mistake(
    of="GoogLeNet",
    hint="The auxiliary classifiers answer in evaluation mode too. They only help the gradients in training: ask "
    "self.training.",
)
class auxiliary_always(reference.GoogLeNet):
    def forward(self, x):
        x = self.stem(x)
        outputs = []
        for name, module in self.inception.items():
            x = module(x)
            if name in self.auxiliary:
                outputs.append(self.auxiliary[name](x))
            if name in ("3b", "4e"):
                x = self.pool(x)
        return (self.head(x), *outputs)


@mistake(
    of="GoogLeNet",
    hint="Your auxiliary classifiers sit one module too late: they read the maps of 4a and 4d, not of 4b and 4e.",
)
class auxiliary_one_later(reference.GoogLeNet):
    def __init__(self, classes=1000, width=1.0, auxiliary=True):
        super().__init__(classes, width, auxiliary)
        if auxiliary:
            wide, narrow = round(832 * width), round(128 * width)
            self.auxiliary["4d"][1] = nn.Conv2d(wide, narrow, 1)

    def forward(self, x):
        x = self.stem(x)
        outputs = []
        for name, module in self.inception.items():
            x = module(x)
            if name in ("4b", "4e") and self.training and len(self.auxiliary):
                outputs.append(self.auxiliary["4a" if name == "4b" else "4d"](x))
            if name in ("3b", "4e"):
                x = self.pool(x)
        return (self.head(x), *outputs) if outputs else self.head(x)


@mistake(
    of="GoogLeNet",
    hint="Your max-poolings of stride 2 round the size down; GoogLeNet's round up (ceil_mode): 112, 56, 28, 14, 7.",
)
class rounded_down(reference.GoogLeNet):
    def __init__(self, classes=1000, width=1.0, auxiliary=True):
        super().__init__(classes, width, auxiliary)
        self.stem[2] = self.stem[7] = self.pool = nn.MaxPool2d(3, stride=2)


@mistake(
    of="GoogLeNet",
    hint="Your max-poolings of stride 2 have padding 1. The sizes are right, but the windows lie one pixel too far "
    "left: no padding, and the size rounded up.",
)
class padded_pooling(reference.GoogLeNet):
    def __init__(self, classes=1000, width=1.0, auxiliary=True):
        super().__init__(classes, width, auxiliary)
        self.stem[2] = self.stem[7] = self.pool = nn.MaxPool2d(3, stride=2, padding=1)


# ---- convolution with batch normalisation


@mistake(
    of="conv_bn",
    hint="Your convolution has a bias. Batch normalisation subtracts the mean, and the bias with it: leave it out.",
)
def bias_before_normalisation(in_channels, out_channels, kernel_size, stride=1):
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels))


@mistake(
    of="conv_bn",
    hint="There is a ReLU in it. The block needs the sum before the ReLU: put the ReLUs where the block wants them.",
)
def relu_inside(in_channels, out_channels, kernel_size, stride=1):
    return nn.Sequential(*reference.conv_bn(in_channels, out_channels, kernel_size, stride), nn.ReLU())


# ---- residual blocks


@mistake(
    of="BasicBlock",
    hint="The ReLU behind the addition is missing.",
)
class no_relu_after_addition(reference.BasicBlock):
    def forward(self, x):
        return self.residual(x) + self.shortcut(x)


@mistake(
    of="BasicBlock",
    hint="Your last ReLU comes before the addition: then a block can only add to its input. Add first, then the ReLU.",
)
class relu_before_addition(reference.BasicBlock):
    def forward(self, x):
        return torch.relu(self.residual(x)) + self.shortcut(x)


@mistake(
    of="BasicBlock",
    hint="Nothing goes around your two convolutions: add the block's input (or its projection) to their output.",
)
class no_shortcut(reference.BasicBlock):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        self.shortcut = nn.Identity()

    def forward(self, x):
        return torch.relu(self.residual(x))


@mistake(
    of="BasicBlock",
    hint="Where the stride or the channels change, input and output cannot be added: the shortcut needs a 1x1 "
    "convolution (and its normalisation) there.",
)
class no_projection(reference.BasicBlock):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        self.shortcut = nn.Identity()


@mistake(
    of="BasicBlock",
    hint="You project only where the stride is not 1. At stride 1 the channels may change too.",
)
class projection_at_strides_only(reference.BasicBlock):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        if stride == 1:
            self.shortcut = nn.Identity()


@mistake(
    of="BasicBlock",
    hint="The stride is in the second 3x3; it belongs in the first, so that the second works on the small maps.",
)
class stride_in_second_convolution(reference.BasicBlock):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        first, _, second = self.residual
        first[0].stride, second[0].stride = (1, 1), (stride, stride)


@mistake(
    of="Bottleneck",
    hint="The stride is in the first 1x1, as the paper has it: three of four pixels are then never looked at. Here, as "
    "in torch, it belongs in the 3x3.",
)
class stride_in_first_convolution(reference.Bottleneck):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        self.residual[0][0].stride, self.residual[2][0].stride = (stride, stride), (1, 1)


@mistake(
    of="Bottleneck",
    hint="Before the addition there are three convolutions and two ReLUs, behind each but the last: one is missing.",
)
class relu_forgotten_inside(reference.Bottleneck):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__(in_channels, channels, stride)
        self.residual[3] = nn.Identity()


@mistake(
    of="Bottleneck",
    hint="There is a ReLU behind the last 1x1, before the addition: a block can then only add to its input.",
)
class relu_behind_the_last(reference.Bottleneck):
    def forward(self, x):
        return torch.relu(torch.relu(self.residual(x)) + self.shortcut(x))


# ---- ResNet


@mistake(
    of="ResNet",
    hint="Your first stage halves the maps again. The stem's pooling did that: only the other three have stride 2.",
)
class every_stage_halves(reference.ResNet):
    def __init__(self, layers, classes=1000, width=1.0):
        super().__init__(layers, classes, width)
        first = self.stages[0]
        convolution = first.residual[0][0]
        self.stages[0] = type(first)(convolution.in_channels, convolution.out_channels, 2)


@mistake(
    of="ResNet",
    hint="A network in training mode gives other logits in evaluation mode: your normalisation always uses the running "
    "statistics, or always those of the batch. Leave that to train() and eval().",
)
class always_batch_statistics(reference.ResNet):
    def forward(self, x):
        mode = self.training
        self.train()
        logits = super().forward(x)
        self.train(mode)
        return logits
