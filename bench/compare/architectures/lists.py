"""Networks of the user's own: a list of layers in words as a Sequential."""

import torch
from torch import nn

from architectures.activations import ACTIVATIONS
from architectures.residual import Pad


class Global(nn.Module):
    """One number for each channel of an image."""

    def __init__(self, of):
        super().__init__()
        self.of = of

    def forward(self, x):
        return self.of(x, (2, 3))


class Residual(nn.Module):
    """A sum of two ways."""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def pair(text):
    """`3x5`, or `3` for both axes."""
    numbers = [int(number) for number in text.split("x")]
    return tuple(numbers * 2 if len(numbers) == 1 else numbers)


def convolution(inputs, channels, taps, flags, options):
    """`conv 16 3x3`."""
    padding = options.get("pad", "0")
    return nn.Conv2d(
        inputs,
        int(channels),
        pair(taps),
        stride=pair(options.get("stride", "1")),
        padding=padding if padding == "same" else pair(padding),
        dilation=pair(options.get("dilation", "1")),
        groups=int(options.get("groups", 1)),
        bias="nobias" not in flags,
    )


def layer(text, shape):
    """The module that a text says, for examples of that shape."""
    name, *words = text.split()
    options = dict(word.split("=") for word in words if "=" in word)
    flags = [word for word in words if word in ("nobias", "noaffine", "affine")]
    rest = [word for word in words if "=" not in word and word not in flags]
    inputs, affine = shape[0], "noaffine" not in flags
    # Before the activations, of which one has the same name.
    if name == "linear":
        return nn.Linear(inputs, int(rest[0]), bias="nobias" not in flags)
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]()
    if name == "conv":
        return convolution(inputs, *rest, flags, options)
    if name in ("maxpool", "avgpool"):
        settings = {"stride": pair(options.get("stride", rest[0])), "padding": pair(options.get("pad", "0"))}
        if name == "avgpool":
            return nn.AvgPool2d(pair(rest[0]), **settings)
        return nn.MaxPool2d(pair(rest[0]), dilation=pair(options.get("dilation", "1")), **settings)
    if name == "batchnorm":
        return (nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(inputs, affine=affine)
    return {
        "globalmaxpool": lambda: Global(torch.amax),
        "globalavgpool": lambda: Global(torch.mean),
        "subsample": lambda: Pad(inputs, int(rest[0]), int(options.get("stride", 2))),
        "groupnorm": lambda: nn.GroupNorm(int(rest[0]), inputs, affine=affine),
        "layernorm": lambda: nn.LayerNorm(list(shape), elementwise_affine=affine),
        "instancenorm": lambda: nn.InstanceNorm2d(inputs, affine="affine" in flags),
        "dropout": lambda: nn.Dropout(float(rest[0])),
        "flatten": lambda: nn.Flatten(),
    }[name]()


def sequence(layers, shape):
    """The layers for examples of that shape, one after another."""
    made = nn.Sequential().eval()
    for said in layers:
        if isinstance(said, str):
            made.append(layer(said, shape))
        else:
            ways = (sequence(said.get(way, []), shape) for way in ("residual", "shortcut"))
            made.append(Residual(*ways))
        with torch.no_grad():
            # In evaluation mode, so that norms see nothing.
            shape = made[-1].eval()(torch.zeros(2, *shape)).shape[1:]
    return made


def from_words(model, input, _outputs):
    """The Sequential of a model."""
    return sequence(model["layers"], input)


MODULES = {"layers": from_words}
