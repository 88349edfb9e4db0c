"""Optimiser steps as PyTorch takes them: writes optimisers.json beside this file.

A fixed objective of three parameters, f(x) = sum_i a_i x_i^2 / 2 + cos(x_0 + 2 x_1) + x_1 x_2 / 4, in f64. The gradient
is written out below and in tests/optimisers_reference.rs in the same order of operations, so that the two differ by the
optimisers alone. The learning rate of step t (from 0) is lr / (1 + t / 10).

    python optimisers.py
"""

import json
import math
import pathlib

import torch

CURVATURE = [1.0, 4.0, 0.25]
START = [1.0, -0.75, 2.0]
STEPS = 20

CASES = [
    ("sgd", 0.05, {}),
    ("sgd", 0.05, {"weight_decay": 0.1}),
    ("sgd", 0.05, {"momentum": 0.9}),
    ("sgd", 0.05, {"momentum": 0.9, "weight_decay": 0.1}),
    ("sgd", 0.05, {"momentum": 0.9, "nesterov": True}),
    ("sgd", 0.05, {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
    ("adam", 0.1, {}),
    ("adam", 0.1, {"beta_1": 0.5, "beta_2": 0.9, "eps": 1e-3}),
    ("adam", 0.1, {"weight_decay": 0.1}),
    ("adamw", 0.1, {}),
    ("adamw", 0.1, {"weight_decay": 0.3}),
    ("adamw", 0.1, {"beta_1": 0.8, "beta_2": 0.99, "eps": 1e-4, "weight_decay": 0.1}),
    ("rmsprop", 0.02, {}),
    ("rmsprop", 0.02, {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    ("rmsprop", 0.02, {"momentum": 0.9, "weight_decay": 0.1}),
    ("adagrad", 0.2, {}),
    ("adagrad", 0.2, {"eps": 1e-2, "weight_decay": 0.1}),
]
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
           "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}


def gradient(x):
    s = math.sin(x[0] + 2.0 * x[1])
    a = CURVATURE
    return [a[0] * x[0] - s, a[1] * x[1] - 2.0 * s + 0.25 * x[2], a[2] * x[2] + 0.25 * x[1]]


def run(kind, lr, options):
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    arguments = dict(options)
    if kind.startswith("adam"):
        arguments["betas"] = (arguments.pop("beta_1", 0.9), arguments.pop("beta_2", 0.999))
    optimiser = CLASSES[kind]([theta], lr=lr, **arguments)
    path = []
    for t in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = lr / (1.0 + t / 10.0)
        theta.grad = torch.tensor(gradient(theta.tolist()), dtype=torch.float64)
        optimiser.step()
        path.append(theta.tolist())
    state = {name: value.tolist() for name, value in optimiser.state[theta].items()
             if name != "step" and isinstance(value, torch.Tensor)}
    return {"optimiser": {"kind": kind, **options}, "lr": lr, "theta": path, "slots": state}


if __name__ == "__main__":
    table = {"torch": torch.__version__.split("+")[0], "cases": [run(*case) for case in CASES]}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")
