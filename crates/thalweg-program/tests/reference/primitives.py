"""Primitives as PyTorch computes them: writes primitives.json beside this file.

In f64, for each case: the result y, the gradient of f = sum(r y + y^3 / 6) in every operand, and one Hessian-vector product
of f. All numbers that go in are small fractions of integers, written out again in tests/programs/pytorch.rs, so both sides
have the same bits. Arrays are in PyTorch's order of axes: examples, channels, positions.

    python primitives.py
"""

import json
import pathlib

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def residues(multiplier, offset, modulus, shape):
    """((multiplier i + offset) mod modulus) / modulus - 1/2 for i = 0, 1, ... in row-major order"""
    count = torch.Size(shape).numel()
    values = [(multiplier * i + offset) % modulus / modulus - 0.5 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def operand(number, shape):
    return 1.5 * residues(37, 11 + 29 * number, 97, shape)


def tangent(number, shape):
    return residues(61, 5 + 17 * number, 83, shape)


def weights(shape):
    return residues(53, 7, 89, shape)


def convolution(x, w, stride, padding, dilation, groups):
    of = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[len(stride)]
    return lambda x, w: of(x, w, None, tuple(stride), tuple(padding), tuple(dilation), groups)


# Shapes of input and weights, stride, padding, dilation, groups.
CONVOLUTIONS = [
    ([2, 3, 9], [4, 3, 3], [1], [0], [1], 1),
    ([2, 4, 10], [6, 2, 3], [2], [1], [2], 2),
    ([1, 3, 7], [3, 1, 5], [1], [2], [1], 3),
    ([2, 3, 6, 5], [4, 3, 3, 3], [1, 1], [1, 1], [1, 1], 1),
    ([2, 3, 7, 6], [4, 3, 3, 3], [2, 2], [1, 1], [1, 1], 1),
    ([1, 4, 6, 7], [4, 2, 3, 2], [2, 1], [0, 1], [1, 2], 2),
    ([2, 3, 5, 5], [5, 3, 1, 1], [1, 1], [0, 0], [1, 1], 1),
    ([1, 3, 6, 6], [2, 3, 1, 1], [2, 2], [0, 0], [1, 1], 1),
    ([1, 4, 5, 4], [4, 1, 3, 3], [1, 1], [1, 1], [1, 1], 4),
    ([1, 2, 3, 4, 3], [2, 2, 2, 3, 2], [1, 2, 1], [1, 1, 0], [1, 1, 1], 1),
]


# Kind, shape, taps, stride, padding, dilation. An adaptive average to one position has a window as large as the image.
POOLINGS = [
    ("max", [2, 3, 9], [2], [2], [0], [1]),
    ("max", [1, 4, 11], [3], [2], [1], [2]),
    ("max", [2, 3, 6, 8], [2, 2], [2, 2], [0, 0], [1, 1]),
    ("max", [1, 2, 7, 6], [3, 3], [2, 2], [1, 1], [1, 1]),
    ("max", [2, 2, 8, 7], [3, 2], [1, 3], [1, 0], [2, 1]),
    ("max", [1, 2, 4, 5, 3], [2, 3, 2], [2, 1, 1], [0, 1, 1], [1, 1, 2]),
    ("average", [2, 3, 9], [4], [2], [2], [1]),
    ("average", [2, 3, 6, 7], [2, 3], [2, 3], [0, 0], [1, 1]),
    ("average", [1, 2, 7, 6], [3, 3], [2, 1], [1, 1], [1, 1]),
    ("average", [2, 2, 5, 6], [3, 2], [1, 2], [0, 0], [1, 1]),
    ("adaptive average", [2, 3, 4, 5], [4, 5], [1, 1], [0, 0], [1, 1]),
]


def pooling(kind, taps, stride, padding, dilation):
    axes = len(taps)
    if kind == "max":
        of = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}[axes]
        return lambda x: of(x, taps, stride, padding, dilation)
    if kind == "average":
        of = {1: functional.avg_pool1d, 2: functional.avg_pool2d}[axes]
        return lambda x: of(x, taps, stride, padding)
    return lambda x: functional.adaptive_avg_pool2d(x, 1)


# Kind, shapes of the operands.
FUNCTIONS = [
    ("softmax 1", [[4, 10]]),
    ("softmax 0", [[5, 2, 3]]),
    ("log_softmax 1", [[4, 10]]),
    ("log_softmax 2", [[2, 3, 7]]),
    ("attention", [[2, 3, 4, 5], [2, 3, 6, 5], [2, 3, 6, 2]]),
    ("attention", [[1, 2, 7, 3], [1, 2, 7, 3], [1, 2, 7, 3]]),
    ("causal attention", [[2, 3, 5, 4], [2, 3, 5, 4], [2, 3, 5, 4]]),
    ("causal attention", [[1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 3]]),
    ("embedding", [[5, 3]]),
    ("dropout", [[3, 8]]),
    ("batch_norm", [[3, 4, 2, 3], [4], [4]]),
    ("batch_norm", [[5, 3], [3], [3]]),
    ("group_norm 2", [[2, 4, 3, 2], [4], [4]]),
    ("group_norm 3", [[2, 6, 5], [6], [6]]),
    ("layer_norm", [[3, 7], [7], [7]]),
    ("layer_norm", [[2, 3, 5], [5], [5]]),
    ("instance_norm", [[2, 3, 4, 2], [3], [3]]),
]

# What is looked up, with repeats.
INDEX = [[4, 0, 1], [1, 4, 1]]
# Added to variances.
EPS = 1e-3
# Which of eight numbers thalweg's keys of seeds 0, 1, 2 keep at stream 1 with probability 0.4 of being dropped.
KEPT = ["10000011", "11110110", "11100000"]


def named_function(kind):
    name, *axis = kind.split()
    if kind.endswith("attention"):
        causal = name == "causal"
        return lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
    if kind == "embedding":
        return lambda table: functional.embedding(torch.tensor(INDEX), table)
    if kind == "dropout":
        mask = torch.tensor([[float(bit) for bit in row] for row in KEPT], dtype=torch.float64)
        return lambda x: x * mask / (1 - 0.4)
    if name == "batch_norm":
        # Of the batch, as in training.
        return lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True, eps=EPS)
    if name == "group_norm":
        return lambda x, w, b: functional.group_norm(x, int(axis[0]), w, b, EPS)
    if name == "layer_norm":
        return lambda x, w, b: functional.layer_norm(x, w.shape, w, b, EPS)
    if name == "instance_norm":
        return lambda x, w, b: functional.instance_norm(x, None, None, w, b, eps=EPS)
    return lambda x: getattr(functional, name)(x, int(axis[0]))


def derivatives(function, shapes):
    operands = [operand(i, shape).requires_grad_() for i, shape in enumerate(shapes)]
    y = function(*operands)
    f = (weights(y.shape) * y + y**3 / 6).sum()
    gradients = torch.autograd.grad(f, operands, create_graph=True)
    along = sum((g * tangent(i, g.shape)).sum() for i, g in enumerate(gradients))
    products = torch.autograd.grad(along, operands)
    flat = lambda t: t.detach().flatten().tolist()
    return {
        "shape": list(y.shape),
        "result": flat(y),
        "gradients": [flat(g) for g in gradients],
        "products": [flat(p) for p in products],
    }


def main():
    cases = []
    for x, w, stride, padding, dilation, groups in CONVOLUTIONS:
        case = dict(x=x, w=w, stride=stride, padding=padding, dilation=dilation, groups=groups)
        cases.append(case | derivatives(convolution(**case), [x, w]))
    poolings = []
    for kind, x, taps, stride, padding, dilation in POOLINGS:
        case = dict(kind=kind, taps=taps, stride=stride, padding=padding, dilation=dilation)
        poolings.append(case | {"x": x} | derivatives(pooling(**case), [x]))
    functions = []
    # The fused kernels of attention have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        for kind, shapes in FUNCTIONS:
            functions.append({"kind": kind, "shapes": shapes} | derivatives(named_function(kind), shapes))
    path = pathlib.Path(__file__).with_name("primitives.json")
    tables = {"convolutions": cases, "poolings": poolings, "functions": functions}
    path.write_text(json.dumps({"torch": torch.__version__} | tables) + "\n")


if __name__ == "__main__":
    main()
