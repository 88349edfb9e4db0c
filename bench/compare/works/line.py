"""The mean loss at evenly spaced points from theta to theta_end, the points' making included."""

from functools import partial

import torch
from torch.func import vmap

from works.way import Way

POINTS = 51


def ways(problem):
    """Parameters copied, `functional_call`, or all points together."""
    return {
        "copied into the module": Way(partial(copied, problem)),
        "functional_call": Way(partial(functional, problem)),
        "func.vmap": Way(partial(together, problem)),
    }


def copied(problem):
    placed = problem.at()
    ends = problem.theta, problem.arrays["theta_end"]
    place = ends[0].clone()
    for parameter, view in zip(placed.parameters, problem.split(place)):
        parameter.data = view
    weights = torch.linspace(0, 1, POINTS).tolist()

    @torch.no_grad()
    def run():
        losses = []
        for alpha in weights:
            torch.lerp(*ends, alpha, out=place)
            losses.append(placed.loss())
        return torch.stack(losses).tolist()

    return run


def functional(problem):
    placed = problem.at()
    ends = problem.theta, problem.arrays["theta_end"]
    weights = torch.linspace(0, 1, POINTS).tolist()

    @torch.no_grad()
    def run():
        points = (problem.named(problem.split(torch.lerp(*ends, alpha))) for alpha in weights)
        return torch.stack([placed.loss_at(point) for point in points]).tolist()

    return run


def together(problem):
    placed = problem.at()
    ends = problem.theta, problem.arrays["theta_end"]
    alphas = torch.linspace(0, 1, POINTS)
    shapes = [parameter.shape for parameter in placed.parameters]

    @torch.no_grad()
    def run():
        leaves = torch.lerp(*ends, alphas[:, None]).split([shape.numel() for shape in shapes], 1)
        points = problem.named([leaf.view(POINTS, *shape) for leaf, shape in zip(leaves, shapes)])
        return vmap(placed.loss_at)(points).tolist()

    return run


def results(problem, run):
    """The losses."""
    return {"losses": (torch.tensor(run()), problem.arrays["losses"])}
