"""The reference models: published sizes and counts, both modes, and real training with Lightning."""

import statistics

import pytest
import torch
from pytorch_lightning import Callback, Trainer
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from solutions.models import VGG, VGG16, VGG19, AlexNet, BasicBlock, Bottleneck, GoogLeNet, Inception, LeNet5, ResNet

PARAMETERS = {
    "LeNet-5": (LeNet5, (), {}, 61_706),
    "AlexNet": (AlexNet, (), {}, 62_378_344),
    "AlexNet, two groups": (AlexNet, (), {"groups": 2}, 60_965_224),
    "VGG16": (VGG, (VGG16,), {}, 138_357_544),
    "VGG19": (VGG, (VGG19,), {}, 143_667_240),
    "GoogLeNet": (GoogLeNet, (), {"auxiliary": False}, 6_998_552),
    "GoogLeNet, auxiliary": (GoogLeNet, (), {}, 13_378_280),
    "ResNet-18": (ResNet, (18,), {}, 11_689_512),
    "ResNet-34": (ResNet, (34,), {}, 21_797_672),
    "ResNet-50": (ResNet, (50,), {}, 25_557_032),
    "ResNet-101": (ResNet, (101,), {}, 44_549_160),
    "ResNet-152": (ResNet, (152,), {}, 60_192_808),
}

MAPS = {
    "AlexNet": (AlexNet, (), 227, "features", (256, 6, 6)),
    "VGG16": (VGG, (VGG16,), 224, "features", (512, 7, 7)),
    "GoogLeNet 3a": (GoogLeNet, (), 224, "inception.3a", (256, 28, 28)),
    "GoogLeNet 4a": (GoogLeNet, (), 224, "inception.4a", (512, 14, 14)),
    "GoogLeNet 5b": (GoogLeNet, (), 224, "inception.5b", (1024, 7, 7)),
    "ResNet-18 stem": (ResNet, (18,), 224, "stem", (64, 56, 56)),
    "ResNet-50": (ResNet, (50,), 224, "stages", (2048, 7, 7)),
}

# name -> the network, and the side of its images
SMALL = {
    "LeNet-5": (lambda: LeNet5(4), (1, 32, 32)),
    "AlexNet": (lambda: AlexNet(4, width=1 / 16), (3, 227, 227)),
    "VGG16": (lambda: VGG(VGG16, 4, width=1 / 16, size=32), (3, 32, 32)),
    "GoogLeNet": (lambda: GoogLeNet(4, width=1 / 16), (3, 224, 224)),
    "ResNet-18": (lambda: ResNet(18, 4, width=1 / 16), (3, 32, 32)),
    "ResNet-50": (lambda: ResNet(50, 4, width=1 / 16), (3, 32, 32)),
}


def on_meta(build, *args, **kwargs):
    with torch.device("meta"):
        return build(*args, **kwargs)


def without_dropout(network):
    """The network with nothing random left in it."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def outputs_of(network, kinds, x):
    """The outputs' shapes of all modules of these kinds, with the modules."""
    seen = []
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda module, _inputs, output: seen.append((module, tuple(output.shape))))
    network(x)
    return seen


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_published_ones(name):
    build, args, kwargs, expected = PARAMETERS[name]
    network = on_meta(build, *args, **kwargs)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("name", MAPS)
def test_maps_have_the_published_sizes(name):
    build, args, side, part, expected = MAPS[name]
    network = on_meta(build, *args).eval()
    sizes = []
    network.get_submodule(part).register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape))
    assert network(torch.empty(1, 3, side, side, device="meta")).shape == (1, 1000)
    assert sizes == [(1, *expected)]


@pytest.mark.parametrize(
    ("build", "args", "side", "giga"),
    [
        (AlexNet, (), 227, 1.135),
        (VGG, (VGG16,), 224, 15.470),
        (GoogLeNet, (), 224, 1.582),
        (ResNet, (18,), 224, 1.814),
        (ResNet, (152,), 224, 11.514),
    ],
)
def test_multiplications_are_the_published_ones(build, args, side, giga):
    network = on_meta(build, *args).eval()
    x = torch.empty(1, 3, side, side, device="meta")
    macs = 0
    for module, shape in outputs_of(network, (nn.Conv2d, nn.Linear), x):
        positions = shape[2] * shape[3] if isinstance(module, nn.Conv2d) else 1
        macs += module.weight.numel() * positions
    assert macs / 1e9 == pytest.approx(giga, abs=0.001)


@pytest.mark.parametrize("layers", [18, 34, 50, 101, 152])
def test_a_resnet_has_as_many_layers_as_its_name_says(layers):
    weighty = [
        name
        for name, module in on_meta(ResNet, layers).named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(weighty) == layers


def test_width_multiplies_channels_and_hidden_units():
    wide, narrow = on_meta(AlexNet), on_meta(AlexNet, width=1 / 16)
    for before, after in zip(wide.modules(), narrow.modules(), strict=True):
        if isinstance(before, nn.Conv2d):
            assert before.out_channels == 16 * after.out_channels
        elif isinstance(before, nn.Linear) and before.out_features != 1000:
            assert before.out_features == 16 * after.out_features


def test_googlenet_has_three_outputs_in_training_alone():
    network, x = GoogLeNet(4, width=1 / 16), torch.rand(1, 3, 224, 224)
    assert [output.shape for output in network(x)] == [(1, 4)] * 3
    assert network.eval()(x).shape == (1, 4)
    assert GoogLeNet(4, width=1 / 16, auxiliary=False)(x).shape == (1, 4)


def test_googlenet_adds_a_third_of_the_auxiliary_losses():
    network = without_dropout(GoogLeNet(4, width=1 / 16))
    x, labels = torch.rand(2, 3, 224, 224), torch.tensor([1, 3])
    main, first, second = (functional.cross_entropy(logits, labels) for logits in network(x))
    assert torch.isclose(network.loss((x, labels)), main + 0.3 * first + 0.3 * second)


def test_an_inception_concatenates_in_the_papers_order():
    module = Inception(5, 2, 3, 4, 3, 6, 1)
    x = torch.rand(2, 5, 7, 9)
    branches = [module.branch1(x), module.branch3(x), module.branch5(x), module.branch_pool(x)]
    assert [branch.shape[1] for branch in branches] == [2, 4, 6, 1]
    assert torch.equal(module(x), torch.cat(branches, dim=1))


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_projects_only_where_the_shape_changes(block):
    wide = 4 * block.expansion
    assert isinstance(block(wide, 4).shortcut, nn.Identity)
    assert not isinstance(block(wide, 4, 2).shortcut, nn.Identity)
    assert not isinstance(block(3, 4).shortcut, nn.Identity)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_without_weights_is_the_identity(block):
    module, x = block(4 * block.expansion, 4), torch.rand(2, 4 * block.expansion, 5, 5)
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(module(x), x)


class Losses(Callback):
    """The training loss of each epoch."""

    def __init__(self):
        self.found = []

    def on_train_epoch_end(self, trainer, _network):
        self.found.append(trainer.callback_metrics["train_loss"].item())


def stripes(shape):
    """Eight noisy images of four classes: stripes across or down, narrow or wide."""
    images, labels = torch.rand(8, *shape) * 0.2, torch.arange(8) % 4
    for image, label in zip(images, labels.tolist(), strict=True):
        across, period = label // 2 == 0, shape[1] // (2 if label % 2 else 8)
        bright = (torch.arange(shape[1]) % period < period // 2).float()
        image.add_(bright[:, None] if across else bright[None, :])
    return DataLoader(TensorDataset(images, labels), batch_size=8)


@pytest.mark.parametrize("name", SMALL)
def test_training_with_lightning_lowers_the_loss(name):
    torch.manual_seed(0)
    build, shape = SMALL[name]
    network, images, losses = without_dropout(build()), stripes(shape), Losses()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=20,
        check_val_every_n_epoch=20,
        callbacks=[losses],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(network, images, images)
    assert statistics.median(losses.found[-5:]) < 0.9 * losses.found[0]  # one batch normalised by eight images may jump
    assert 0 <= trainer.callback_metrics["validation_accuracy"] <= 1
    assert trainer.callback_metrics["validation_loss"] > 0


def test_the_optimiser_is_the_papers():
    chosen = ResNet(18, 4, width=1 / 16).configure_optimizers()
    (group,) = chosen["optimizer"].param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 1e-4)
    assert chosen["lr_scheduler"]["monitor"] == "train_loss"
