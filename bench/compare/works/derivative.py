"""Loss and gradient."""

from functools import partial

import torch

from problem import flat
from works.way import Way, compiled, named


def ways(problem):
    """By `backward` or `autograd.grad`, in each setting."""
    found = {}
    for setting in problem.settings():
        found[named(setting, "backward")] = Way(partial(backward, problem, setting, False))
        found[named(setting, "autograd.grad")] = Way(partial(autograd, problem, setting))
        way = named(setting, "compiled, backward")
        found[way] = Way(partial(backward, problem, setting, True), compiled=True)
    return found


def backward(problem, setting, compile):
    placed = problem.at(setting)
    loss = compiled(placed.loss) if compile else placed.loss

    def run():
        placed.model.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        return value, [parameter.grad for parameter in placed.parameters]

    return run


def autograd(problem, setting):
    placed = problem.at(setting)

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
