"""Iterations of PyTorch's L-BFGS with its strong Wolfe search: writes lbfgs.json beside this file.

One iteration a call (max_iter=1) with up to 25 evaluations after the first in its search (max_eval=26), as steps are here. Two objectives in f64, with the gradients written out in
tests/lbfgs_reference.rs: "wavy", that of optimisers.py, and "valley", Rosenbrock's function of four numbers in two pairs.
`evaluations` counts what the searches looked at, without the one at the start of every call.

    python lbfgs.py
"""

import json
import pathlib

import torch

CURVATURE = [1.0, 4.0, 0.25]
STARTS = {"wavy": [1.0, -0.75, 2.0], "valley": [-1.2, 1.0, 0.5, -0.7]}

CASES = [
    ("wavy", 1.0, 12, {}),
    ("wavy", 0.1, 12, {"history": 2}),
    ("valley", 1.0, 25, {}),
    ("valley", 1.0, 25, {"history": 1}),
    ("valley", 30.0, 15, {"history": 3}),
    ("valley", 0.01, 15, {}),
]


def loss(objective, x):
    if objective == "wavy":
        a = CURVATURE
        squares = sum(a[i] * x[i] * x[i] / 2.0 for i in range(3))
        return squares + torch.cos(x[0] + 2.0 * x[1]) + x[1] * x[2] / 4.0
    return sum((1.0 - x[i]) ** 2 + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 for i in (0, 2))


def run(objective, lr, steps, options):
    theta = torch.tensor(STARTS[objective], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([theta], lr=lr, max_iter=1, max_eval=26,
                                  history_size=options.get("history", 10),
                                  tolerance_grad=1e-7, tolerance_change=1e-9, line_search_fn="strong_wolfe")
    count = 0

    def closure():
        nonlocal count
        count += 1
        optimiser.zero_grad()
        value = loss(objective, theta)
        value.backward()
        return value

    path, evaluations = [], []
    for _ in range(steps):
        count = 0
        optimiser.step(closure)
        path.append(theta.tolist())
        evaluations.append(count - 1)
    return {"objective": objective, "start": STARTS[objective], "lr": lr, "optimiser": {"kind": "lbfgs", **options},
            "theta": path, "evaluations": evaluations}


if __name__ == "__main__":
    table = {"torch": torch.__version__.split("+")[0], "cases": [run(*case) for case in CASES]}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")
