"""The same works in eager PyTorch.

A work comes in variants: the ways in which a careful user would write it. Each is a function without
arguments that does the work once and returns what it computed; the fastest one counts. Operands are made
beforehand.
"""

import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, jvp, vjp, vmap

POINTS = 51


class Problem:
    """A perceptron at theta, its examples, tangents and another point, from thalweg's arrays."""

    def __init__(self, arrays):
        self.arrays = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        self.inputs, self.theta = self.arrays["inputs"], self.arrays["theta"]
        self.labels = self.arrays["labels"].long()
        self.sizes = self.arrays["sizes"].tolist()
        self.tangents = [self.split(tangent.clone()) for tangent in self.arrays["tangents"]]

    def model(self):
        """A module of its own with the parameters at theta, in training mode."""
        layers = []
        for fan_in, fan_out in zip(self.sizes, self.sizes[1:]):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        with torch.no_grad():
            for parameter, values in zip(model.parameters(), self.split(self.theta)):
                parameter.copy_(values)
        return model.train()

    def split(self, flat):
        """The leaves of a flat vector, as views: weight [out, in] and bias [out] of each layer."""
        shapes = [s for i, o in zip(self.sizes, self.sizes[1:]) for s in ((o, i), (o,))]
        parts = flat.split([torch.Size(shape).numel() for shape in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes)]

    def loss(self, model):
        """The mean cross-entropy."""
        return F.cross_entropy(model(self.inputs), self.labels)

    def functional(self, model):
        """The outputs as a function of a dictionary of parameters."""
        return lambda params: functional_call(model, params, (self.inputs,))


def flat(tensors):
    """One vector of all elements."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def named(model, tensors):
    """Tensors by the names of the parameters that they belong to."""
    return {name: tensor for (name, _), tensor in zip(model.named_parameters(), tensors)}


def step(problem, lr=1e-5):
    """A step of SGD with momentum 0.9 on the whole batch."""

    def variant(**options):
        model = problem.model()
        optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, **options)

        def run():
            optimiser.zero_grad(set_to_none=True)
            problem.loss(model).backward()
            optimiser.step()
            return model

        return run

    return {
        "foreach": variant(foreach=True),
        "fused": variant(fused=True),
        "one by one": variant(foreach=False),
    }


def gradient(problem):
    """Loss and gradient."""
    model = problem.model()
    parameters = list(model.parameters())

    def backward():
        model.zero_grad(set_to_none=True)
        loss = problem.loss(model)
        loss.backward()
        return loss, [parameter.grad for parameter in parameters]

    def autograd():
        loss = problem.loss(model)
        return loss, torch.autograd.grad(loss, parameters)

    return {"backward": backward, "autograd.grad": autograd}


def hvp(problem):
    """A product of the Hessian with the first tangent."""
    model = problem.model()
    parameters = list(model.parameters())
    tangent = problem.tangents[0]
    params, tangents = named(model, [p.detach() for p in parameters]), named(model, tangent)
    outputs = problem.functional(model)
    gradient_of = grad(lambda params: F.cross_entropy(outputs(params), problem.labels))

    def double_backward():
        gradients = torch.autograd.grad(problem.loss(model), parameters, create_graph=True)
        return [torch.autograd.grad(gradients, parameters, tangent)]

    def forward_over_reverse():
        return [jvp(gradient_of, (params,), (tangents,))[1].values()]

    return {"double backward": double_backward, "func.jvp of func.grad": forward_over_reverse}


def hvp8(problem):
    """Products of the Hessian with all tangents, at one point."""
    model = problem.model()
    parameters = list(model.parameters())
    stacked = [torch.stack(leaves) for leaves in zip(*problem.tangents)]
    params, tangents = named(model, [p.detach() for p in parameters]), named(model, stacked)
    outputs = problem.functional(model)
    gradient_of = grad(lambda params: F.cross_entropy(outputs(params), problem.labels))

    def loop():
        gradients = torch.autograd.grad(problem.loss(model), parameters, create_graph=True)
        return [
            torch.autograd.grad(gradients, parameters, tangent, retain_graph=True)
            for tangent in problem.tangents
        ]

    def batched_backward():
        gradients = torch.autograd.grad(problem.loss(model), parameters, create_graph=True)
        products = torch.autograd.grad(gradients, parameters, stacked, is_grads_batched=True)
        return list(zip(*products))

    def batched_forward():
        products = vmap(lambda tangent: jvp(gradient_of, (params,), (tangent,))[1])(tangents)
        return list(zip(*products.values()))

    return {
        "loop of backwards": loop,
        "vmap of backward": batched_backward,
        "func.vmap of func.jvp of func.grad": batched_forward,
    }


def ggn(problem):
    """A product of the Gauss-Newton matrix with the first tangent."""
    model = problem.model()
    parameters = list(model.parameters())
    tangent = problem.tangents[0]
    params, tangents = named(model, [p.detach() for p in parameters]), named(model, tangent)
    outputs = problem.functional(model)

    def of_outputs(z, direction):
        """The product with the Hessian of the mean cross-entropy in the outputs z."""
        p = torch.softmax(z, 1)
        scaled = p * direction
        return (scaled - p * scaled.sum(1, keepdim=True)) / len(z)

    def forward_then_reverse():
        z, direction = jvp(outputs, (params,), (tangents,))
        _, pull_back = vjp(outputs, params)
        return [pull_back(of_outputs(z, direction))[0].values()]

    def double_backward():
        z = model(problem.inputs)
        # The pull-back is linear in u, so its derivative in u along the tangent is the push-forward.
        u = torch.zeros_like(z, requires_grad=True)
        pulled = torch.autograd.grad(z, parameters, u, create_graph=True)
        (direction,) = torch.autograd.grad(pulled, u, tangent, retain_graph=True)
        with torch.no_grad():
            cotangent = of_outputs(z, direction)
        return [torch.autograd.grad(z, parameters, cotangent)]

    return {"func.jvp, func.vjp": forward_then_reverse, "double backward": double_backward}


def line(problem):
    """The mean loss at evenly spaced points from theta to theta_end, the points' making included."""
    model = problem.model()
    ends = problem.arrays["theta"], problem.arrays["theta_end"]
    place = ends[0].clone()
    for parameter, view in zip(model.parameters(), problem.split(place)):
        parameter.data = view
    alphas = torch.linspace(0, 1, POINTS)
    weights = alphas.tolist()
    outputs = problem.functional(model)

    @torch.no_grad()
    def copied():
        losses = []
        for alpha in weights:
            torch.lerp(*ends, alpha, out=place)
            losses.append(problem.loss(model))
        return torch.stack(losses).tolist()

    @torch.no_grad()
    def functional():
        losses = []
        for alpha in weights:
            params = named(model, problem.split(torch.lerp(*ends, alpha)))
            losses.append(F.cross_entropy(outputs(params), problem.labels))
        return torch.stack(losses).tolist()

    @torch.no_grad()
    def together():
        points = torch.lerp(*ends, alphas[:, None])
        shapes = [parameter.shape for parameter in model.parameters()]
        leaves = points.split([shape.numel() for shape in shapes], 1)
        params = named(model, [leaf.view(POINTS, *shape) for leaf, shape in zip(leaves, shapes)])
        return vmap(lambda params: F.cross_entropy(outputs(params), problem.labels))(params).tolist()

    return {"copied into the module": copied, "functional_call": functional, "func.vmap": together}


WORKS = {
    "step_784": step,
    "step_64": step,
    "gradient_784": gradient,
    "hvp_784": hvp,
    "hvp8_784": hvp8,
    "ggn_784": ggn,
    "line_51": line,
}
