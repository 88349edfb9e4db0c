"""The networks in PyTorch: what thalweg's architectures of these kinds say they are, as published.

Each takes its configuration and the shape of an example. Parameters bear the names that thalweg's leaves bear.
"""

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


class Perceptron(nn.Module):
    """Linear layers with ReLU between."""

    def __init__(self, model, input):
        super().__init__()
        sizes = [*input, *model["widths"], CLASSES]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class Lenet5(nn.Module):
    """Two convolutions 5×5 with pools, three linear layers."""

    def __init__(self, _model, input):
        super().__init__()
        self.conv1 = nn.Conv2d(input[0], 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * (input[1] // 4 - 2) * (input[2] // 4 - 2), 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(F.relu(self.fc2(x)))


class Vgg11(nn.Module):
    """Eight convolutions 3×3 and one linear layer."""

    def __init__(self, _model, input):
        super().__init__()
        layers, channels = [], input[0]
        for step in [64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"]:
            if step == "pool":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, step, 3, padding=1), nn.ReLU()]
                channels = step
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class BasicBlock(nn.Module):
    """Two convolutions 3×3 with batch norm beside a shortcut without parameters (option A)."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.stride, self.added = stride, channels - channels_in
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.added:
            half = self.added // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.added - half))
        return F.relu(out + x)


class Resnet20(nn.Module):
    """Three stages of three blocks with 16, 32 and 64 channels."""

    def __init__(self, _model, input):
        super().__init__()
        self.conv1 = nn.Conv2d(input[0], 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage, width in enumerate([16, 32, 64], start=1):
            blocks = [BasicBlock(channels, width, 1 if width == channels else 2)]
            blocks += [BasicBlock(width, width, 1) for _ in range(2)]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
            channels = width
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


NETWORKS = {
    "mlp": Perceptron,
    "lenet5": Lenet5,
    "vgg11": Vgg11,
    "resnet20": Resnet20,
}
