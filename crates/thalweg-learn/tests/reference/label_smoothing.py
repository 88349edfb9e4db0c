"""Smoothed cross-entropy as PyTorch has it: writes label_smoothing.json beside this file.

Outputs of one example in f64, and of them loss, gradient and Hessian, row by row.

    python label_smoothing.py
"""

import json
import pathlib

import torch

CASES = [
    ([0.3, -0.2, 0.9], 0, 0.1),
    ([0.3, -0.2, 0.9], 2, 0.5),
    ([12.0, 0.0, -0.75, 1.5], 0, 0.1),
    ([-3.0, 40.0, 0.0], 1, 0.05),
    ([-3.0, 40.0, 0.0], 2, 0.9),
    ([0.0, 0.0], 1, 0.2),
    ([2.0, 0.5, 2.0], 1, 0.3),
    ([2.0, 2.0, 2.0, -1.0], 0, 0.01),
]


def run(outputs, label, smoothing):
    loss = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    target = torch.tensor([label])

    def of(z):
        return loss(z[None], target)

    z = torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
    value = of(z)
    (gradient,) = torch.autograd.grad(value, z)
    hessian = torch.autograd.functional.hessian(of, z.detach())
    return {"outputs": outputs, "label": label, "smoothing": smoothing, "loss": value.item(),
            "gradient": gradient.tolist(), "hessian": hessian.tolist()}


if __name__ == "__main__":
    table = {"torch": torch.__version__.split("+")[0], "cases": [run(*case) for case in CASES]}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")
