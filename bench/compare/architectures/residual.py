"""Residual networks."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from architectures.activations import activation
from architectures.images import norm


def conv(inputs, outputs, taps, stride=1):
    """A convolution that keeps the size but for its stride."""
    return nn.Conv2d(inputs, outputs, taps, stride, taps // 2, bias=False)


def scalar(value):
    """A parameter of one number."""
    return nn.Parameter(torch.full((1,), value))


class Pad(nn.Module):
    """Every so-manieth position, and channels of zeros on both sides (option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x):
        before = self.added // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.added - before))


class Block(nn.Module):
    """Convolutions with norms beside a shortcut, and an activation behind their sum."""

    def __init__(self, model, name, inputs, steps):
        super().__init__()
        self.steps, channels = len(steps), inputs
        for number, (outputs, taps, stride) in enumerate(steps, start=1):
            self.add_module(f"conv{number}", conv(channels, outputs, taps, stride))
            self.add_module(f"bn{number}", norm(model, outputs, "batch")[0])
            channels = outputs
        stride = max(stride for _, _, stride in steps)
        self.act, self.name = activation(model), name
        kind, changes = model.get("shortcut", "pad"), inputs != channels or stride != 1
        self.is_plain = kind == "none"
        if changes and kind == "project":
            projection = nn.Sequential(conv(inputs, channels, 1, stride), *norm(model, channels, "batch"))
            self.add_module(name, projection)
        else:
            self.add_module(name, Pad(inputs, channels, stride) if changes else nn.Identity())

    def forward(self, x):
        y = x
        for number in range(1, self.steps + 1):
            y = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(y))
            if number < self.steps:
                y = self.act(y)
        return self.act(y if self.is_plain else y + self.get_submodule(self.name)(x))


class FixupBlock(nn.Module):
    """Convolutions with biases of one number around them, and a factor (Zhang, Dauphin & Ma 2019)."""

    def __init__(self, model, name, inputs, steps):
        super().__init__()
        self.steps, channels = len(steps), inputs
        for number, (outputs, taps, stride) in enumerate(steps, start=1):
            self.register_parameter(f"bias{number}a", scalar(0.0))
            self.add_module(f"conv{number}", conv(channels, outputs, taps, stride))
            self.register_parameter(f"bias{number}b", scalar(0.0))
            channels = outputs
        self.scale = scalar(1.0)
        stride = max(stride for _, _, stride in steps)
        self.act, self.name = activation(model), None
        if inputs != channels or stride != 1:
            projects = model.get("shortcut", "pad") == "project"
            change = conv(inputs, channels, 1, stride) if projects else Pad(inputs, channels, stride)
            self.add_module(name, change)
            self.name = name

    def forward(self, x):
        y = first = x + self.bias1a
        for number in range(1, self.steps + 1):
            if number > 1:
                y = self.act(y) + self.get_parameter(f"bias{number}a")
            y = self.get_submodule(f"conv{number}")(y)
            if number < self.steps:
                y = y + self.get_parameter(f"bias{number}b")
        y = y * self.scale + self.get_parameter(f"bias{self.steps}b")
        return self.act(y + (x if self.name is None else self.get_submodule(self.name)(first)))


class Resnet(nn.Module):
    """A stem, stages of blocks, the mean over positions, and a linear layer."""

    def __init__(self, model, input, outputs, stages, names):
        super().__init__()
        self.head, shortcut = names
        self.is_large = model.get("stem", "small") == "large"
        self.is_fixup = model.get("norm", "batch") == "fixup"
        channels = model["width"]
        self.conv1 = conv(input[0], channels, 7, 2) if self.is_large else conv(input[0], channels, 3)
        if self.is_fixup:
            self.bias1, self.bias2 = scalar(0.0), scalar(0.0)
        else:
            (self.bn1,) = norm(model, channels, "batch")
        self.act, self.stages, block = activation(model), len(stages), FixupBlock if self.is_fixup else Block
        for number, stage in enumerate(stages, start=1):
            blocks = []
            for steps in stage:
                blocks.append(block(model, shortcut, channels, steps))
                channels = steps[-1][0]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.add_module(self.head, nn.Linear(channels, outputs))

    def forward(self, x):
        x = self.conv1(x)
        x = self.act(x + self.bias1 if self.is_fixup else self.bn1(x))
        x = F.max_pool2d(x, 3, 2, 1) if self.is_large else x
        for number in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{number}")(x)
        x = x.mean((2, 3))
        return self.get_submodule(self.head)(x + self.bias2 if self.is_fixup else x)


def stages(model, blocks, steps):
    """The convolutions of each block of each stage: channels, taps, stride."""
    stride = lambda stage, block: 2 if stage > 0 and block == 0 else 1
    return [
        [steps(model["width"] * 2**stage, stride(stage, block)) for block in range(count)]
        for stage, count in enumerate(blocks)
    ]


def basic(width, stride):
    """Two convolutions 3×3."""
    return [(width, 3, stride), (width, 3, 1)]


def bottleneck(width, stride):
    """Convolutions 1×1, 3×3 and 1×1, the second with the stride."""
    return [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]


def cifar(blocks, model, input, outputs):
    """A residual network for images of 32×32, with so many blocks in each of three stages."""
    return Resnet(model, input, outputs, stages(model, [blocks] * 3, basic), ("linear", "shortcut"))


def large(blocks, steps, model, input, outputs):
    """A residual network as torchvision has it."""
    model = {**model, "shortcut": "project"}
    return Resnet(model, input, outputs, stages(model, blocks, steps), ("fc", "downsample"))


class WideBlock(nn.Module):
    """Norms and activations before two convolutions; a shortcut that is a convolution where channels change."""

    def __init__(self, model, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.bn2 = (nn.Sequential(*norm(model, channels, "batch")) for channels in (inputs, outputs))
        if model.get("norm", "batch") != "none":
            (self.bn1,), (self.bn2,) = self.bn1, self.bn2
        self.conv1, self.conv2 = conv(inputs, outputs, 3, stride), conv(outputs, outputs, 3)
        self.dropout, self.act = nn.Dropout(model.get("dropout", 0.0)), activation(model)
        self.convShortcut = conv(inputs, outputs, 1, stride) if inputs != outputs or stride != 1 else None

    def forward(self, x):
        first = self.act(self.bn1(x))
        y = self.conv2(self.dropout(self.act(self.bn2(self.conv1(first)))))
        return y + (x if self.convShortcut is None else self.convShortcut(first))


class WideResnet(nn.Module):
    """Three stages of wide blocks."""

    def __init__(self, model, input, outputs):
        super().__init__()
        self.conv1, channels = conv(input[0], 16, 3), 16
        for stage in range(3):
            width, blocks = 16 * model["widen"] * 2**stage, nn.Sequential()
            for block in range((model["depth"] - 4) // 6):
                blocks.append(WideBlock(model, channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = width
            self.add_module(f"block{stage + 1}", nn.Sequential())
            self.get_submodule(f"block{stage + 1}").add_module("layer", blocks)
        self.bn1 = nn.Sequential(*norm(model, channels, "batch"))
        if model.get("norm", "batch") != "none":
            (self.bn1,) = self.bn1
        self.act, self.fc = activation(model), nn.Linear(channels, outputs)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(self.act(self.bn1(x)).mean((2, 3)))


MODULES = {
    **{f"resnet{6 * blocks + 2}": partial(cifar, blocks) for blocks in (3, 5, 7, 9, 18)},
    "wide_resnet": WideResnet,
    "resnet18": partial(large, [2, 2, 2, 2], basic),
    "resnet50": partial(large, [3, 4, 6, 3], bottleneck),
}
