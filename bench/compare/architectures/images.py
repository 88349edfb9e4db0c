"""Convolutional networks without shortcuts."""

from functools import partial

import torch.nn.functional as F
from torch import nn

from architectures.activations import activation


class Lenet5(nn.Module):
    """Two convolutions 5×5 with pools, three linear layers."""

    def __init__(self, model, input, outputs):
        super().__init__()
        channels, height, width = input
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        features = 16 * ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2)
        self.fc1, self.fc2, self.fc3 = nn.Linear(features, 120), nn.Linear(120, 84), nn.Linear(84, outputs)
        self.act = activation(model)
        self.pool = {"max": F.max_pool2d, "average": F.avg_pool2d}[model.get("pool", "max")]

    def forward(self, x):
        x = self.pool(self.act(self.conv1(x)), 2)
        x = self.pool(self.act(self.conv2(x)), 2).flatten(1)
        return self.fc3(self.act(self.fc2(self.act(self.fc1(x)))))


class Conv(nn.Module):
    """So many pairs of convolutions 3×3 with a pool behind each, and linear layers."""

    def __init__(self, pairs, model, input, outputs):
        super().__init__()
        channels, height, width = input
        self.convolutions, self.dense = 2 * pairs, len(model["dense"])
        for number in range(1, 2 * pairs + 1):
            wide = model["width"] * 2 ** ((number - 1) // 2)
            self.add_module(f"conv{number}", nn.Conv2d(channels, wide, 3, padding=1))
            channels = wide
        features = channels * (height >> pairs) * (width >> pairs)
        for number, units in enumerate([*model["dense"], outputs], start=1):
            self.add_module(f"fc{number}", nn.Linear(features, units))
            features = units
        self.act = activation(model)

    def forward(self, x):
        for number in range(1, self.convolutions + 1):
            x = self.act(self.get_submodule(f"conv{number}")(x))
            if number % 2 == 0:
                x = F.max_pool2d(x, 2)
        x = x.flatten(1)
        for number in range(1, self.dense + 1):
            x = self.act(self.get_submodule(f"fc{number}")(x))
        return self.get_submodule(f"fc{self.dense + 1}")(x)


def norm(model, channels, otherwise):
    """What stands behind a convolution, in a list."""
    kind = model.get("norm", otherwise)
    if kind == "batch":
        return [nn.BatchNorm2d(channels)]
    return [nn.GroupNorm(model["groups"], channels)] if kind == "group" else []


class Vgg(nn.Module):
    """Five stages of so many convolutions 3×3, a pool behind each stage, and one linear layer."""

    def __init__(self, stages, model, input, outputs):
        super().__init__()
        channels, layers = input[0], []
        for convolutions, multiple in zip(stages, [1, 2, 4, 8, 8]):
            for _ in range(convolutions):
                wide = multiple * model["width"]
                layers += [nn.Conv2d(channels, wide, 3, padding=1), *norm(model, wide, "none"), activation(model)]
                channels = wide
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels * (input[1] // 32) * (input[2] // 32), outputs)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


MODULES = {
    "lenet5": Lenet5,
    "conv2": partial(Conv, 1),
    "conv4": partial(Conv, 2),
    "conv6": partial(Conv, 3),
    "vgg11": partial(Vgg, [1, 1, 2, 2, 2]),
    "vgg13": partial(Vgg, [2, 2, 2, 2, 2]),
    "vgg16": partial(Vgg, [2, 2, 3, 3, 3]),
    "vgg19": partial(Vgg, [2, 2, 4, 4, 4]),
}
