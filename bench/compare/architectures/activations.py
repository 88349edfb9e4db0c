"""Functions between the layers, by their names in configurations."""

import torch
from torch import nn


class Erf(nn.Module):
    """The error function, which PyTorch has as no module."""

    def forward(self, x):
        return torch.erf(x)


ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "erf": Erf,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "linear": nn.Identity,
}


def activation(model, otherwise="relu"):
    """That of a model."""
    return ACTIVATIONS[model.get("activation", otherwise)]()
