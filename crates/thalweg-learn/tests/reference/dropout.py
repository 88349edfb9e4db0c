"""Networks with dropout as PyTorch computes them in training mode, with thalweg's masks; and in evaluation mode. Writes
dropout.json beside this file, as layers.py writes layers.json.

Example i has the key of seed i. Each use of dropout multiplies with a mask of its own, which the number of the use and the key
make; the numbers of an image are drawn channels last.

    python dropout.py
"""

import math
import pathlib

import torch
from keys import fold_in, from_seed, uniforms
from layers import Residual, write
from resnets import WideResnet
from sequences import Gpt, Recurrent, Vit
from torch import nn


class Masked(nn.Dropout):
    """nn.Dropout with a mask that is known."""

    uses = 0

    def __init__(self, probability, of_images):
        super().__init__(probability)
        self.of_images = of_images

    def forward(self, x):
        number = Masked.uses
        Masked.uses += 1
        if not self.training or self.p == 0:
            return x
        is_image = self.of_images and x.dim() == 4
        shape = list(x.shape[1:])
        if is_image:
            shape = shape[1:] + shape[:1]
        drawn = [uniforms(fold_in(from_seed(example), number), math.prod(shape)) for example in range(len(x))]
        kept = torch.tensor(drawn, dtype=torch.float64) < round((1 - self.p) * 2**24) / 2**24
        mask = kept.double().reshape(len(x), *shape)
        return x * (mask.movedim(-1, 1) if is_image else mask) / (1 - self.p)


def begin(*_):
    Masked.uses = 0


def masked(make):
    """The network with masks in place of every dropout."""

    def made(model, input, outputs):
        network = make(model, input, outputs)
        for module in list(network.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.Dropout:
                    setattr(module, name, Masked(child.p, make in (layers, WideResnet)))
        network.register_forward_pre_hook(begin)
        return network

    return made


def layers(model, input, outputs):
    return nn.Sequential(
        nn.Dropout(0.1),
        nn.Conv2d(input[0], 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.3),
        Residual(
            nn.Sequential(nn.Dropout(0.25), nn.Conv2d(4, 4, 3, padding=1)),
            nn.Sequential(nn.Conv2d(4, 4, 1), nn.Dropout(0.2)),
        ),
        nn.Flatten(),
        nn.Linear(120, 7),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Linear(7, outputs),
    )


LAYERS = [
    "dropout 0.1",
    "conv 4 3 pad=1 nobias",
    "batchnorm",
    "relu",
    "dropout 0.3",
    {"residual": ["dropout 0.25", "conv 4 3 pad=1"], "shortcut": ["conv 4 1", "dropout 0.2"]},
    "flatten",
    "linear 7",
    "tanh",
    "dropout 0.5",
    "linear 3",
]
VIT = {"kind": "vit", "patch_size": 2, "width": 6, "depth": 2, "heads": 2, "mlp_width": 5}
GPT = {"kind": "gpt", "width": 6, "depth": 2, "heads": 3, "mlp_width": 5}
OF_GPT = {"embedding_dropout": 0.1, "attention_dropout": 0.25, "residual_dropout": 0.2}
WIDE = {"kind": "wide_resnet", "depth": 10, "widen": 1}

CASES = [
    (layers, {"kind": "layers", "layers": LAYERS}, [2, 5, 6], 3),
    (Vit, {**VIT, "dropout": 0.2, "attention_dropout": 0.3}, [1, 4, 4], 3),
    (Vit, {**VIT, "attention_dropout": 0.4}, [2, 4, 2], 3),
    (Gpt, {**GPT, **OF_GPT}, [5], 4),
    (Recurrent, {"kind": "lstm", "units": 4, "depth": 3, "dropout": 0.3}, [2, 5, 3], 4),
    (Recurrent, {"kind": "rnn", "units": 5, "depth": 2, "dropout": 0.4}, [6], 3),
    (WideResnet, {**WIDE, "dropout": 0.3}, [2, 8, 7], 3),
    (WideResnet, {**WIDE, "norm": "group", "groups": 4, "dropout": 0.4}, [1, 8, 8], 3),
]

if __name__ == "__main__":
    cases = [(masked(make), *rest) for make, *rest in CASES]
    write(cases, pathlib.Path(__file__).with_suffix(".json"), 4)
