"""Residual networks as PyTorch computes them: writes resnets.json beside this file, as layers.py writes layers.json.

    python resnets.py
"""

import pathlib

import torch
from layers import ACTIVATIONS, Vgg11, write
from torch import nn
from torch.nn import functional


def norm(model, channels):
    """What stands behind a convolution."""
    if model.get("norm", "batch") == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(model["groups"], channels)


def conv(inputs, outputs, taps, stride=1):
    return nn.Conv2d(inputs, outputs, taps, stride=stride, padding=taps // 2, bias=False)


class Pad(nn.Module):
    """Option A."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        zeros = outputs - inputs
        self.pad = (0, 0, 0, 0, zeros // 2, zeros - zeros // 2)
        self.stride = stride

    def forward(self, x):
        return functional.pad(x[:, :, :: self.stride, :: self.stride], self.pad)


def change(model, inputs, outputs, stride):
    """A shortcut to another shape."""
    if model["shortcut"] == "pad":
        return Pad(inputs, outputs, stride)
    projection = conv(inputs, outputs, 1, stride)
    return projection if model.get("norm") == "fixup" else nn.Sequential(projection, norm(model, outputs))


class Block(nn.Module):
    """Convolutions 3x3, or of a bottleneck 1x1, 3x3 and 1x1."""

    def __init__(self, model, inputs, steps, shortcut_name):
        super().__init__()
        self.act = ACTIVATIONS[model.get("activation", "relu")]()
        self.count, self.shortcut_name = len(steps), shortcut_name
        channels = inputs
        for number, (outputs, taps, stride) in enumerate(steps, 1):
            setattr(self, f"conv{number}", conv(channels, outputs, taps, stride))
            setattr(self, f"bn{number}", norm(model, outputs))
            channels = outputs
        stride = max(stride for _, _, stride in steps)
        shortcut = nn.Identity()
        if inputs != channels or stride != 1:
            shortcut = change(model, inputs, channels, stride)
        self.has_shortcut = model["shortcut"] != "none"
        if self.has_shortcut:
            setattr(self, shortcut_name, shortcut)

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.count:
                y = self.act(y)
        if self.has_shortcut:
            y = y + getattr(self, self.shortcut_name)(x)
        return self.act(y)


class FixupBlock(nn.Module):
    def __init__(self, model, inputs, steps, shortcut_name):
        super().__init__()
        self.count, self.shortcut_name = len(steps), shortcut_name
        channels = inputs
        for number, (outputs, taps, stride) in enumerate(steps, 1):
            setattr(self, f"bias{number}a", nn.Parameter(torch.zeros(1)))
            setattr(self, f"conv{number}", conv(channels, outputs, taps, stride))
            setattr(self, f"bias{number}b", nn.Parameter(torch.zeros(1)))
            channels = outputs
        self.scale = nn.Parameter(torch.ones(1))
        stride = max(stride for _, _, stride in steps)
        if inputs != channels or stride != 1:
            setattr(self, shortcut_name, change(model, inputs, channels, stride))

    def forward(self, x):
        y = first = x + self.bias1a
        for number in range(1, self.count + 1):
            if number > 1:
                y = torch.relu(y + getattr(self, f"bias{number - 1}b")) + getattr(self, f"bias{number}a")
            y = getattr(self, f"conv{number}")(y)
        y = y * self.scale + getattr(self, f"bias{self.count}b")
        shortcut = getattr(self, self.shortcut_name, None)
        return torch.relu(y + (x if shortcut is None else shortcut(first)))


class Resnet(nn.Module):
    """Stages are the steps of each block; a stem is a convolution and what follows it."""

    def __init__(self, model, stem, stages, names, outputs):
        super().__init__()
        self.is_fixup = model.get("norm") == "fixup"
        self.head, shortcut_name = names
        self.act = ACTIVATIONS[model.get("activation", "relu")]()
        self.conv1, self.pool = stem
        channels = self.conv1.out_channels
        if self.is_fixup:
            self.bias1, self.bias2 = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        else:
            self.bn1 = norm(model, channels)
        self.count = len(stages)
        for number, blocks in enumerate(stages, 1):
            made = []
            for steps in blocks:
                made.append((FixupBlock if self.is_fixup else Block)(model, channels, steps, shortcut_name))
                channels = steps[-1][0]
            setattr(self, f"layer{number}", nn.Sequential(*made))
        setattr(self, self.head, nn.Linear(channels, outputs))

    def forward(self, x):
        x = self.conv1(x)
        x = self.pool(self.act(x + self.bias1 if self.is_fixup else self.bn1(x)))
        for number in range(1, self.count + 1):
            x = getattr(self, f"layer{number}")(x)
        x = x.mean((2, 3))
        return getattr(self, self.head)(x + self.bias2 if self.is_fixup else x)


def resnet20(model, input, outputs):
    model = {"shortcut": "pad", **model}
    stem = conv(input[0], model["width"], 3), nn.Identity()
    widths = [model["width"] * multiple for multiple in (1, 2, 4)]
    first = lambda stage, block: 2 if stage > 0 and block == 0 else 1
    stages = [
        [[(width, 3, first(stage, block)), (width, 3, 1)] for block in range(3)]
        for stage, width in enumerate(widths)
    ]
    return Resnet(model, stem, stages, ("linear", "shortcut"), outputs)


def resnet(blocks, steps):
    def make(model, input, outputs):
        if model.get("stem", "small") == "small":
            stem = conv(input[0], model["width"], 3), nn.Identity()
        else:
            stem = conv(input[0], model["width"], 7, 2), nn.MaxPool2d(3, 2, 1)
        stages = []
        for stage, count in enumerate(blocks):
            width = model["width"] * 2**stage
            stages.append([steps(width, 2 if stage > 0 and block == 0 else 1) for block in range(count)])
        return Resnet({"shortcut": "project", **model}, stem, stages, ("fc", "downsample"), outputs)

    return make


resnet18 = resnet([2, 2, 2, 2], lambda width, stride: [(width, 3, stride), (width, 3, 1)])
resnet50 = resnet(
    [3, 4, 6, 3], lambda width, stride: [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
)


class WideBlock(nn.Module):
    def __init__(self, model, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = norm(model, inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = norm(model, outputs), conv(outputs, outputs, 3)
        self.dropout = nn.Dropout(model.get("dropout", 0.0))
        self.convShortcut = None if inputs == outputs else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        first = torch.relu(self.bn1(x))
        y = self.conv2(self.dropout(torch.relu(self.bn2(self.conv1(first)))))
        return y + (x if self.convShortcut is None else self.convShortcut(first))


class WideStage(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResnet(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        self.conv1 = conv(input[0], 16, 3)
        channels, count = 16, (model["depth"] - 4) // 6
        for stage in range(3):
            width, blocks = model["widen"] * 16 * 2**stage, []
            for block in range(count):
                blocks.append(WideBlock(model, channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = width
            setattr(self, f"block{stage + 1}", WideStage(blocks))
        self.bn1 = norm(model, channels)
        self.fc = nn.Linear(channels, outputs)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(torch.relu(self.bn1(x)).mean((2, 3)))


CASES = [
    (Vgg11, {"kind": "vgg11", "width": 2, "norm": "batch"}, [3, 32, 32], 5),
    (resnet20, {"kind": "resnet20", "width": 2}, [3, 9, 8], 4),
    (resnet20, {"kind": "resnet20", "width": 4, "norm": "group", "groups": 2, "shortcut": "project"}, [1, 8, 8], 4),
    (resnet20, {"kind": "resnet20", "width": 2, "shortcut": "none", "activation": "tanh"}, [2, 8, 8], 3),
    (resnet20, {"kind": "resnet20", "width": 3, "norm": "fixup"}, [2, 8, 8], 3),
    (WideResnet, {"kind": "wide_resnet", "depth": 10, "widen": 2}, [2, 8, 7], 3),
    (WideResnet, {"kind": "wide_resnet", "depth": 16, "widen": 1, "norm": "group", "groups": 4}, [1, 8, 8], 3),
    (resnet18, {"kind": "resnet18", "width": 2}, [3, 16, 16], 4),
    (resnet18, {"kind": "resnet18", "width": 2, "norm": "fixup", "stem": "large"}, [3, 37, 32], 4),
    (resnet50, {"kind": "resnet50", "width": 2, "stem": "large"}, [3, 64, 64], 4),
]

if __name__ == "__main__":
    write(CASES, pathlib.Path(__file__).with_suffix(".json"), 4)
