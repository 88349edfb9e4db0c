"""Loss and gradient."""

from functools import partial

import torch

from problem import flat
from works.way import Way, compiled, named


def ways(problem):
    """By `backward` or `autograd.grad`, in each layout."""
    found = {}
    for layout in problem.layouts():
        found[named(layout, "backward")] = Way(partial(backward, problem, layout, False))
        found[named(layout, "autograd.grad")] = Way(partial(autograd, problem, layout))
        way = named(layout, "compiled, backward")
        found[way] = Way(partial(backward, problem, layout, True), compiled=True)
    return found


def backward(problem, layout, compile):
    placed = problem.at(layout)
    loss = compiled(placed.loss) if compile else placed.loss

    def run():
        placed.model.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        return value, [parameter.grad for parameter in placed.parameters]

    return run


def autograd(problem, layout):
    placed = problem.at(layout)

    def run():
        value = placed.loss()
        return value, torch.autograd.grad(value, placed.parameters)

    return run


def results(problem, run):
    """Loss and gradient, and its norm."""
    ours = problem.arrays
    loss, gradient = run()
    gradients = flat(gradient), ours["gradient"]
    return {
        "loss": (loss.detach(), ours["loss"]),
        "gradient": gradients,
        "norm of the gradient": [vector.double().norm() for vector in gradients],
    }
