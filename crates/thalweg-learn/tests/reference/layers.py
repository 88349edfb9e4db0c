"""Networks made of layers as PyTorch computes them: writes layers.json beside this file.

In f64: outputs, loss (cross-entropy, mean over examples), gradient and one Hessian-vector product. All numbers that go in are
small fractions of integers and roots of them, written out again in tests/layers_reference.rs, so both sides have the same
bits. Of gradients and products, each leaf's norm is stored and about `samples` evenly spaced elements. Networks with batch norms
are computed in training mode; then, with the running statistics that one pass leaves behind, in evaluation mode.

    python layers.py
"""

import json
import math
import pathlib

import torch
from sequences import Gpt, Recurrent, Vit
from torch import nn
from torch.nn import functional

EXAMPLES = 3
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


class Lenet5(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        self.act = ACTIVATIONS[model.get("activation", "relu")]()
        self.pool = nn.MaxPool2d(2) if model.get("pool", "max") == "max" else nn.AvgPool2d(2)
        self.conv1 = nn.Conv2d(input[0], 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.LazyLinear(120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, outputs)

    def forward(self, x):
        x = self.pool(self.act(self.conv1(x)))
        x = self.pool(self.act(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc3(self.act(self.fc2(self.act(self.fc1(x)))))


class Lenet300100(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        self.fc1 = nn.Linear(math.prod(input), 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, outputs)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x.flatten(1))))))


class Conv2(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        width, dense = model["width"], model["dense"]
        self.conv1 = nn.Conv2d(input[0], width, 3, padding="same")
        self.conv2 = nn.Conv2d(width, width, 3, padding="same")
        self.fc1 = nn.LazyLinear(dense[0])
        self.fc2 = nn.Linear(dense[0], dense[1])
        self.fc3 = nn.Linear(dense[1], outputs)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = torch.flatten(functional.max_pool2d(x, 2), 1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class Vgg11(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        width, channels, layers = model["width"], input[0], []
        for step in [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"]:
            if step == "M":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, step * width, 3, padding=1))
            channels = step * width
            if model.get("norm") == "group":
                layers.append(nn.GroupNorm(model["groups"], channels))
            if model.get("norm") == "batch":
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU())
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, outputs)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Autoencoder(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        (first, code), inputs = model["widths"], math.prod(input)
        self.encoder = nn.Sequential(nn.Linear(inputs, first), nn.Sigmoid(), nn.Linear(first, code))
        self.decoder = nn.Sequential(nn.Linear(code, first), nn.Sigmoid(), nn.Linear(first, inputs))

    def forward(self, x):
        return self.decoder(self.encoder(x.flatten(1)))


class Linear(nn.Module):
    def __init__(self, model, input, outputs):
        super().__init__()
        sizes = [math.prod(input), *model["widths"], outputs]
        self.layers = nn.ModuleList(nn.Linear(i, o, bias=model["bias"]) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers:
            x = layer(x)
        return x


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def layers(model, input, outputs):
    """What LAYERS says, by hand."""
    return nn.Sequential(
        nn.Conv2d(2, 6, (3, 2), stride=(1, 2), padding=(1, 0), bias=False),
        nn.GroupNorm(3, 6),
        nn.GELU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        Residual(
            nn.Sequential(
                nn.Conv2d(6, 6, 3, padding="same", groups=6),
                nn.InstanceNorm2d(6, affine=True),
                nn.Tanh(),
                nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=2),
            ),
            nn.Sequential(),
        ),
        nn.LayerNorm([6, 5, 3]),
        Residual(
            nn.Sequential(nn.Conv2d(6, 4, 3, stride=2, padding=1), nn.InstanceNorm2d(4), nn.SiLU()),
            nn.Sequential(nn.Conv2d(6, 4, 1, stride=2, bias=False), nn.GroupNorm(1, 4)),
        ),
        nn.AvgPool2d((2, 1), stride=1, padding=(1, 0)),
        Residual(nn.Sequential(nn.Conv2d(4, 4, (2, 2), padding="same"), nn.Sigmoid()), nn.Sequential()),
        nn.Flatten(),
        nn.Linear(32, 7),
        nn.LayerNorm(7),
        nn.ReLU(),
        nn.Linear(7, outputs, bias=False),
    )


LAYERS = [
    "conv 6 3x2 stride=1x2 pad=1x0 nobias",
    "groupnorm 3",
    "gelu",
    "maxpool 3 stride=2 pad=1",
    {
        "residual": [
            "conv 6 3 pad=same groups=6",
            "instancenorm affine",
            "tanh",
            "conv 6 3x3 pad=2 dilation=2 groups=2",
        ]
    },
    "layernorm",
    {
        "residual": ["conv 4 3x3 stride=2 pad=1", "instancenorm", "silu"],
        "shortcut": ["conv 4 1x1 stride=2 nobias", "groupnorm 1"],
    },
    "avgpool 2x1 stride=1 pad=1x0",
    {"residual": ["conv 4 2x2 pad=same", "sigmoid"]},
    "flatten",
    "linear 7",
    "layernorm",
    "relu",
    "linear 5 nobias",
]


def global_pool(pool):
    def network(model, input, outputs):
        return nn.Sequential(
            nn.Conv2d(input[0], 4, 3),
            nn.ReLU(),
            nn.Sequential(pool(1), nn.Flatten()),
            nn.Linear(4, outputs),
        )

    return network


def batch_normed(model, input, outputs):
    return nn.Sequential(
        nn.Conv2d(input[0], 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        Residual(
            nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6, affine=False), nn.Tanh()),
            nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6)),
        ),
        nn.Flatten(),
        nn.Linear(54, 7),
        nn.BatchNorm1d(7),
        nn.ReLU(),
        nn.Linear(7, outputs),
    )


BATCH_NORMED = [
    "conv 4 3 pad=1 nobias",
    "batchnorm",
    "relu",
    {
        "residual": ["conv 6 3 stride=2 pad=1", "batchnorm noaffine", "tanh"],
        "shortcut": ["conv 6 1 stride=2 nobias", "batchnorm"],
    },
    "flatten",
    "linear 7",
    "batchnorm",
    "relu",
    "linear 3",
]


CASES = [
    (Lenet5, {"kind": "lenet5"}, [1, 28, 28], 10),
    (Lenet5, {"kind": "lenet5", "activation": "tanh", "pool": "average"}, [2, 12, 15], 4),
    (Lenet300100, {"kind": "lenet_300_100"}, [1, 3, 3], 3),
    (Conv2, {"kind": "conv2", "width": 3, "dense": [7, 5]}, [2, 8, 6], 4),
    (Vgg11, {"kind": "vgg11", "width": 2}, [3, 32, 32], 5),
    (Vgg11, {"kind": "vgg11", "width": 4, "norm": "group", "groups": 2}, [3, 32, 32], 5),
    (Autoencoder, {"kind": "autoencoder", "widths": [5, 2]}, [2, 2, 3], 12),
    (Linear, {"kind": "linear", "widths": [4, 6], "bias": False}, [1, 3, 3], 3),
    (layers, {"kind": "layers", "layers": LAYERS}, [2, 9, 10], 5),
    (
        global_pool(nn.AdaptiveAvgPool2d),
        {"kind": "layers", "layers": ["conv 4 3", "relu", "globalavgpool", "linear 3"]},
        [2, 5, 6],
        3,
    ),
    (
        global_pool(nn.AdaptiveMaxPool2d),
        {"kind": "layers", "layers": ["conv 4 3", "relu", "globalmaxpool", "linear 3"]},
        [2, 5, 6],
        3,
    ),
    (batch_normed, {"kind": "layers", "layers": BATCH_NORMED}, [2, 5, 6], 3),
    (
        Vit,
        {"kind": "vit", "patch_size": 2, "width": 6, "depth": 2, "heads": 2, "mlp_width": 5},
        [1, 4, 4],
        3,
    ),
    (
        Vit,
        {"kind": "vit", "patch_size": 3, "width": 4, "depth": 1, "heads": 4, "mlp_width": 7},
        [2, 6, 3],
        4,
    ),
    (Gpt, {"kind": "gpt", "width": 6, "depth": 2, "heads": 3, "mlp_width": 5}, [5], 4),
    (Recurrent, {"kind": "rnn", "units": 5, "depth": 2}, [1, 4, 3], 3),
    (Recurrent, {"kind": "lstm", "units": 4, "depth": 1}, [2, 5, 3], 4),
    (Recurrent, {"kind": "lstm", "units": 3, "depth": 2}, [6], 3),
    (Recurrent, {"kind": "lstm", "units": 4, "depth": 2, "embedding": 3}, [5], 4),
    (Recurrent, {"kind": "rnn", "units": 5, "depth": 1, "embedding": 2}, [4], 3),
]


def residues(multiplier, offset, modulus, shape):
    """((multiplier i + offset) mod modulus) / modulus - 1/2 for i = 0, 1, ..."""
    count = math.prod(shape)
    values = [(multiplier * i + offset) % modulus / modulus - 0.5 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def parameter(number, name, leaf, is_norm):
    """Weights have the variance 2 / fan_in."""
    x = residues(389, 11 + 29 * number, 1009, leaf.shape)
    if is_norm and name.endswith("weight"):
        return 1.0 + 0.5 * x
    if leaf.dim() == 1 or is_norm:
        return 0.5 * x
    fan_in = leaf[0].numel()
    return math.sqrt(24.0 / fan_in) * x


def tangent(number, shape):
    return residues(211, 5 + 17 * number, 503, shape)


def some(array, samples):
    flat = array.detach().flatten()
    return {"norm": flat.norm().item(), "some": flat[:: max(1, len(flat) // samples)].tolist()}


def derivatives(network, x, labels, samples):
    """Outputs, loss, gradient and a Hessian-vector product."""
    leaves = list(network.parameters())
    y = network(x)
    loss = functional.cross_entropy(y, labels)
    gradient = torch.autograd.grad(loss, leaves, create_graph=True)
    slope = sum((g * tangent(number, g.shape)).sum() for number, g in enumerate(gradient))
    products = torch.autograd.grad(slope, leaves)
    return {
        "outputs": (y.transpose(1, 2) if y.dim() == 3 else y).flatten().tolist(),
        "loss": loss.item(),
        "gradient": [some(g, samples) for g in gradient],
        "hvp": [some(hv, samples) for hv in products],
    }


def run(make, model, input, outputs, samples):
    network = make(model, input, outputs).double()
    x = 3.0 * residues(353, 3, 1013, [EXAMPLES, *input])
    is_sequence = model["kind"] == "gpt" or "embedding" in model
    if is_sequence:
        x = torch.arange(x.numel()).mul(353).add(3).remainder(1013).remainder(outputs).reshape(x.shape)
    network(x)  # Lazy layers learn their sizes.
    batch_norms = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for norm in batch_norms:
        norm.reset_running_stats()
    norms = (nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.BatchNorm1d, nn.BatchNorm2d)
    of_norm = {id(p) for m in network.modules() if isinstance(m, norms) for p in m.parameters()}
    leaves = dict(network.named_parameters())
    looked_up = {id(leaf) for name, leaf in leaves.items() if name.endswith(("class_token", "pos_embedding", "embedding.weight", "wte.weight", "wpe.weight"))}
    with torch.no_grad():
        for number, (name, leaf) in enumerate(leaves.items()):
            leaf.copy_(parameter(number, name, leaf, id(leaf) in of_norm))
    count = x.numel() if is_sequence else EXAMPLES
    labels = torch.tensor([(2 * i * i + i) % outputs for i in range(count)])
    labels = labels.reshape(EXAMPLES, -1) if is_sequence else labels

    def fans(leaf):
        known = leaf.dim() > 1 and id(leaf) not in of_norm | looked_up
        return list(nn.init._calculate_fan_in_and_fan_out(leaf)) if known else None

    case = {
        "model": model,
        "input": input,
        "leaves": [
            {"name": name, "shape": list(leaf.shape), "is_norm": id(leaf) in of_norm, "fans": fans(leaf)}
            for name, leaf in leaves.items()
        ],
        "training": derivatives(network, x, labels, samples),
    }
    if batch_norms or any(isinstance(m, nn.Dropout) and m.p > 0 for m in network.modules()):
        buffers = {name: b.tolist() for name, b in network.named_buffers() if "num_batches" not in name}
        case["running"] = [{"name": name, "values": values} for name, values in buffers.items()]
        case["evaluation"] = derivatives(network.eval(), x, labels, samples)
    return case


def write(cases, path, samples):
    cases = ",\n".join(json.dumps(run(*case, samples), separators=(",", ":")) for case in cases)
    version = torch.__version__.split("+")[0]
    text = f'{{"torch":"{version}","samples":{samples},"cases":[\n{cases}\n]}}\n'
    path.write_text(text)


if __name__ == "__main__":
    write(CASES, pathlib.Path(__file__).with_suffix(".json"), 20)
