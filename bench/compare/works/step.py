"""A step of SGD with momentum 0.9 on the whole batch."""

from functools import partial

import torch

from problem import flat
from works.way import Way, compiled, named

OPTIMISERS = {"foreach": {"foreach": True}, "fused": {"fused": True}, "one by one": {"foreach": False}}


def ways(problem, lr=1e-5):
    """Each setting with each form of the optimiser; compiled, forward and backward pass, with the fused one."""
    found = {}
    for setting in problem.settings():
        for name, options in OPTIMISERS.items():
            found[named(setting, name)] = Way(partial(make, problem, setting, lr, False, options))
        way = named(setting, "compiled, fused")
        found[way] = Way(partial(make, problem, setting, lr, True, OPTIMISERS["fused"]), compiled=True)
    return found


def make(problem, setting, lr, compile, options):
    placed = problem.at(setting)
    optimiser = torch.optim.SGD(placed.parameters, lr=lr, momentum=0.9, **options)
    loss = compiled(placed.loss) if compile else placed.loss

    def run():
        optimiser.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimiser.step()
        return value, placed.parameters

    return run


def results(problem, run):
    """The loss before the last of some steps, and the way of them: a step is small beside the weights."""
    ours = problem.arrays
    for _ in range(int(ours["steps"].item())):
        loss, parameters = run()
    ways_gone = [after - ours["theta"] for after in (flat(parameters), ours["theta_after"])]
    return {"last loss": (loss.detach(), ours["loss"]), "the way of the steps": ways_gone}
