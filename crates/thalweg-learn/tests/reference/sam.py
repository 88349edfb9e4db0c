"""Steps of SAM and ASAM around PyTorch's SGD: writes sam.json beside this file.

PyTorch has no SAM of its own. What is around its SGD here is the two-pass step of Foret et al. 2021 (ascend by
rho g / |g|, take the gradient there, come back, step), and T = |theta| for the adaptive form of Kwon et al. 2021. Objective,
start, number of steps and learning rates are those of optimisers.py.

    python sam.py
"""

import json
import pathlib

import torch

from optimisers import START, STEPS, gradient

CASES = [
    (0.05, {}),
    (0.05, {"rho": 0.5, "weight_decay": 0.1}),
    (0.05, {"rho": 0.2, "momentum": 0.9, "weight_decay": 0.1}),
    (0.05, {"rho": 0.2, "momentum": 0.9, "nesterov": True}),
    (0.05, {"rho": 0.5, "adaptive": True}),
    (0.05, {"rho": 1.0, "adaptive": True, "momentum": 0.9, "weight_decay": 0.1}),
]


def at(theta):
    return torch.tensor(gradient(theta.tolist()), dtype=torch.float64)


def run(lr, options):
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    arguments = dict(options)
    rho, adaptive = arguments.pop("rho", 0.05), arguments.pop("adaptive", False)
    optimiser = torch.optim.SGD([theta], lr=lr, **arguments)
    path = []
    for t in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = lr / (1.0 + t / 10.0)
        with torch.no_grad():
            g = at(theta)
            size = theta.abs() if adaptive else torch.ones_like(theta)
            ascent = rho * size**2 * g / (size * g).norm()
            theta += ascent
            theta.grad = at(theta)
            theta -= ascent
        optimiser.step()
        path.append(theta.tolist())
    state = {name: value.tolist() for name, value in optimiser.state[theta].items()
             if isinstance(value, torch.Tensor)}
    return {"optimiser": {"kind": "sam", **options}, "lr": lr, "theta": path, "slots": state}


if __name__ == "__main__":
    table = {"torch": torch.__version__.split("+")[0], "cases": [run(*case) for case in CASES]}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")
