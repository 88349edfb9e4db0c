"""One product or convolution by itself."""

from functools import partial

import torch
import torch.nn.functional as F

from problem import LAYOUTS
from works.way import Way


def ways(kind, problem):
    """A convolution in each layout; a product in one."""
    if kind == "product":
        return {"mm": Way(partial(product, problem))}
    return {layout: Way(partial(convolution, kind, problem, layout)) for layout in LAYOUTS}


def product(problem):
    rows, weights = problem.arrays["rows"], problem.arrays["weights"]
    return lambda: torch.mm(rows, weights)


def convolution(kind, problem, layout):
    def laid_out(tensor):
        return tensor.contiguous(memory_format=LAYOUTS[layout])

    # Thalweg's images are channels last.
    images = [laid_out(problem.arrays[name].permute(0, 3, 1, 2)) for name in ("rows", "cotangents")]
    x, u = images
    w = laid_out(problem.arrays["weights"])

    def adjoint(which):
        wanted = [which == "input_adjoint", which == "weight_adjoint", False]
        one = [1, 1]
        adjoints = torch.ops.aten.convolution_backward(u, x, w, None, one, one, one, False, [0, 0], 1, wanted)
        return adjoints[wanted.index(True)]

    @torch.no_grad()
    def run():
        return F.conv2d(x, w, padding=1) if kind == "forward" else adjoint(kind)

    return run


def results(problem, run):
    """The result, images channels last as in thalweg."""
    found = run()
    if found.dim() == 4 and found.shape != problem.arrays["weights"].shape:
        found = found.permute(0, 2, 3, 1)
    return {"result": (found.reshape(-1), problem.arrays["result"])}
