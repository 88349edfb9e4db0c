"""Perceptrons as PyTorch computes them: writes mlp.json beside this file.

In f64, for every activation with and without biases and layer norms under both losses: outputs, loss, gradient and one
Hessian-vector product. All numbers that go in are small fractions of integers, written out again in
tests/mlp_reference.rs, so both sides have the same bits. Leaves are stored under PyTorch's own names and in its order.

    python mlp.py
"""

import itertools
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

SIZES = [4, 5, 4, 3]
EXAMPLES = 7
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "linear": lambda x: x,
}
LOSSES = ["cross_entropy", "half_mean_square"]


class Mlp(nn.Module):
    def __init__(self, activation, bias, layer_norm):
        super().__init__()
        pairs = list(itertools.pairwise(SIZES))
        self.layers = nn.ModuleList(nn.Linear(i, o, bias=bias) for i, o in pairs)
        self.norms = nn.ModuleList(nn.LayerNorm(o) for _, o in pairs[:-1]) if layer_norm else None
        self.activation = ACTIVATIONS[activation]

    def forward(self, x):
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number + 1 < len(self.layers):
                x = self.norms[number](x) if self.norms else x
                x = self.activation(x)
        return x


def residues(multiplier, offset, modulus, count):
    """((multiplier i + offset) mod modulus) / modulus - 1/2 for i = 0, 1, ..."""
    return torch.tensor([(multiplier * i + offset) % modulus / modulus - 0.5 for i in range(count)], dtype=torch.float64)


def number(name):
    """Four leaves a layer: linear weight and bias, norm weight and bias."""
    module, layer, kind = name.split(".")
    return 4 * int(layer) + 2 * (module == "norms") + (kind == "bias")


def parameter(name, count):
    offset = 1.0 if name.startswith("norms") and name.endswith("weight") else 0.0
    return offset + 1.5 * residues(37, 11 + 29 * number(name), 97, count)


def tangent(name, count):
    return residues(61, 5 + 17 * number(name), 83, count)


def loss_of(kind, outputs, labels):
    if kind == "cross_entropy":
        return functional.cross_entropy(outputs, labels)
    target = functional.one_hot(labels, SIZES[-1]).to(outputs.dtype)
    return 0.5 * (outputs - target).square().sum(1).mean()


def run(activation, bias, layer_norm, loss):
    model = Mlp(activation, bias, layer_norm).double()
    leaves = dict(model.named_parameters())
    with torch.no_grad():
        for name, leaf in leaves.items():
            leaf.copy_(parameter(name, leaf.numel()).reshape(leaf.shape))
    x = (3.0 * residues(53, 3, 89, EXAMPLES * SIZES[0])).reshape(EXAMPLES, SIZES[0])
    labels = torch.tensor([(2 * i * i + i) % SIZES[-1] for i in range(EXAMPLES)])
    outputs = model(x)
    value = loss_of(loss, outputs, labels)
    gradient = torch.autograd.grad(value, leaves.values(), create_graph=True)
    directions = [tangent(name, leaf.numel()).reshape(leaf.shape) for name, leaf in leaves.items()]
    slope = sum((g * v).sum() for g, v in zip(gradient, directions))
    products = torch.autograd.grad(slope, leaves.values())
    rows = zip(leaves, leaves.values(), gradient, products)
    return {
        "activation": activation,
        "bias": bias,
        "layer_norm": layer_norm,
        "loss": loss,
        "outputs": outputs.flatten().tolist(),
        "value": value.item(),
        "leaves": [
            {"name": name, "shape": list(leaf.shape), "gradient": g.flatten().tolist(), "hvp": hv.flatten().tolist()}
            for name, leaf, g, hv in rows
        ],
    }


if __name__ == "__main__":
    options = itertools.product(ACTIVATIONS, [True, False], [False, True], LOSSES)
    cases = [run(*case) for case in options]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    text = f'{{"torch":"{torch.__version__.split("+")[0]}","cases":[\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_suffix(".json").write_text(text)
