"""Products of the Hessian or the Gauss-Newton matrix with tangents, at one point."""

from functools import partial

import torch
from torch.func import grad, jvp, vjp, vmap

from problem import flat
from works.way import Way, compiled, named


def hessian_product(problem):
    """One: reverse over reverse, or forward over reverse, in each setting."""
    found = {}
    for setting in problem.settings():
        for name, make in {
            "double backward": double_backward,
            "func.jvp of func.grad": forward_over_reverse,
        }.items():
            found[named(setting, name)] = Way(partial(make, problem, setting, lambda run: run))
            way = named(setting, f"compiled, {name}")
            found[way] = Way(partial(make, problem, setting, compiled), compiled=True)
    return found


def double_backward(problem, setting, finish):
    placed = problem.at(setting).for_second_derivatives()
    tangent = placed.like_parameters(problem.tangents[0])

    def run():
        gradients = torch.autograd.grad(placed.loss(), placed.parameters, create_graph=True)
        return [torch.autograd.grad(gradients, placed.parameters, tangent)]

    return finish(run)


def forward_over_reverse(problem, setting, finish):
    placed = problem.at(setting).for_second_derivatives()
    params = placed.named_parameters()
    tangents = problem.named(placed.like_parameters(problem.tangents[0]))
    gradient = grad(placed.loss_at)

    def run():
        product = jvp(gradient, (params,), (tangents,))[1]
        return [[product[name] for name in params]]

    return finish(run)


def hessian_products(problem):
    """Several: one by one from one graph, or together."""
    found = {}
    for setting in problem.settings():
        for name, make in {
            "loop of backwards": loop,
            "vmap of backward": batched_backward,
            "func.vmap of func.jvp of func.grad": batched_forward,
        }.items():
            found[named(setting, name)] = Way(partial(make, problem, setting))
    return found


def loop(problem, setting):
    placed = problem.at(setting).for_second_derivatives()
    tangents = [placed.like_parameters(tangent) for tangent in problem.tangents]

    def run():
        gradients = torch.autograd.grad(placed.loss(), placed.parameters, create_graph=True)
        return [
            torch.autograd.grad(gradients, placed.parameters, tangent, retain_graph=True)
            for tangent in tangents
        ]

    return run


def batched_backward(problem, setting):
    placed = problem.at(setting).for_second_derivatives()
    stacked = [torch.stack(leaves) for leaves in zip(*problem.tangents)]

    def run():
        gradients = torch.autograd.grad(placed.loss(), placed.parameters, create_graph=True)
        products = torch.autograd.grad(gradients, placed.parameters, stacked, is_grads_batched=True)
        return list(zip(*products))

    return run


def batched_forward(problem, setting):
    placed = problem.at(setting).for_second_derivatives()
    params = placed.named_parameters()
    tangents = problem.named([torch.stack(leaves) for leaves in zip(*problem.tangents)])
    gradient = grad(placed.loss_at)

    def run():
        products = vmap(lambda tangent: jvp(gradient, (params,), (tangent,))[1])(tangents)
        return list(zip(*(products[name] for name in params)))

    return run


def ggn_product(problem):
    """One product with the Gauss-Newton matrix."""
    found = {}
    for setting in problem.settings():
        found[named(setting, "func.jvp, func.vjp")] = Way(partial(forward_then_reverse, problem, setting))
        found[named(setting, "double backward")] = Way(partial(double_backward_ggn, problem, setting))
    return found


def of_outputs(z, direction):
    """The product with the Hessian of the mean cross-entropy in the outputs z."""
    p = torch.softmax(z, 1)
    scaled = p * direction
    return (scaled - p * scaled.sum(1, keepdim=True)) / len(z)


def forward_then_reverse(problem, setting):
    placed = problem.at(setting).for_second_derivatives()
    params = placed.named_parameters()
    tangents = problem.named(placed.like_parameters(problem.tangents[0]))

    def run():
        z, direction = jvp(placed.outputs_at, (params,), (tangents,))
        _, pull_back = vjp(placed.outputs_at, params)
        product = pull_back(of_outputs(z, direction))[0]
        return [[product[name] for name in params]]

    return run


def double_backward_ggn(problem, setting):
    placed = problem.at(setting).for_second_derivatives()
    tangent = placed.like_parameters(problem.tangents[0])

    def run():
        z = placed.model(placed.inputs)
        # The pull-back is linear in u, so its derivative in u along the tangent is the push-forward.
        u = torch.zeros_like(z, requires_grad=True)
        pulled = torch.autograd.grad(z, placed.parameters, u, create_graph=True)
        (direction,) = torch.autograd.grad(pulled, u, tangent, retain_graph=True)
        with torch.no_grad():
            cotangent = of_outputs(z, direction)
        return [torch.autograd.grad(z, placed.parameters, cotangent)]

    return run


def results(problem, run):
    """All products, one after another."""
    return {"products": (torch.cat([flat(product) for product in run()]), problem.arrays["products"])}
