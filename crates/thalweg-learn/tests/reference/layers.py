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
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

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


def global_average(model, input, outputs):
    return nn.Sequential(
        nn.Conv2d(input[0], 4, 3),
        nn.ReLU(),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(4, outputs),
    )


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


class Attention(nn.Module):
    """nn.MultiheadAttention of one sequence, with its leaves."""

    def __init__(self, width, heads):
        super().__init__()
        whole = nn.MultiheadAttention(width, heads, batch_first=True)
        self.heads = heads
        self.in_proj_weight, self.in_proj_bias = whole.in_proj_weight, whole.in_proj_bias
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (
            part.reshape(n, t, self.heads, -1).transpose(1, 2)
            for part in functional.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        )
        # The fused kernels have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            y = functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(y.transpose(1, 2).reshape(n, t, width))


class EncoderBlock(nn.Module):
    """torchvision.models.vision_transformer.EncoderBlock, without dropout."""

    def __init__(self, width, heads, mlp_width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_width), nn.GELU(), nn.Identity(), nn.Linear(mlp_width, width)
        )

    def forward(self, x):
        x = x + self.self_attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    def __init__(self, positions, width, depth, heads, mlp_width):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, positions, width))
        blocks = {f"encoder_layer_{i}": EncoderBlock(width, heads, mlp_width) for i in range(depth)}
        self.layers = nn.Sequential()
        for name, block in blocks.items():
            self.layers.add_module(name, block)
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x):
        return self.ln(self.layers(x + self.pos_embedding))


class Vit(nn.Module):
    """torchvision.models.VisionTransformer, without dropout, of images that need not be square."""

    def __init__(self, model, input, outputs):
        super().__init__()
        width, patch = model["width"], model["patch_size"]
        channels, rows, columns = input
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        positions = 1 + (rows // patch) * (columns // patch)
        self.encoder = Encoder(positions, width, model["depth"], model["heads"], model["mlp_width"])
        self.heads = nn.Sequential()
        self.heads.add_module("head", nn.Linear(width, outputs))

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


class CausalAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (
            part.reshape(n, t, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, 2)
        )
        with sdpa_kernel(SDPBackend.MATH):
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(n, t, width))


class Mlp(nn.Module):
    def __init__(self, width, mlp_width):
        super().__init__()
        self.c_fc = nn.Linear(width, mlp_width)
        self.c_proj = nn.Linear(mlp_width, width)

    def forward(self, x):
        return self.c_proj(functional.gelu(self.c_fc(x)))


class DecoderBlock(nn.Module):
    def __init__(self, width, heads, mlp_width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """Outputs are tokens by positions, as a cross-entropy over several positions takes them."""

    def __init__(self, model, input, outputs):
        super().__init__()
        width, blocks = model["width"], range(model["depth"])
        self.transformer = nn.ModuleDict()
        self.transformer["wte"] = nn.Embedding(outputs, width)
        self.transformer["wpe"] = nn.Embedding(input[0], width)
        self.transformer["h"] = nn.ModuleList(
            DecoderBlock(width, model["heads"], model["mlp_width"]) for _ in blocks
        )
        self.transformer["ln_f"] = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, outputs, bias=False)

    def forward(self, tokens):
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](torch.arange(tokens.shape[1]))
        for block in self.transformer["h"]:
            x = block(x)
        return self.lm_head(self.transformer["ln_f"](x)).transpose(1, 2)


class Recurrent(nn.Module):
    """Over the rows of an image; features are a step each."""

    def __init__(self, model, input, outputs):
        super().__init__()
        kind, units, depth = model["kind"], model["units"], model["depth"]
        of = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind]
        numbers = input[0] * input[2] if len(input) == 3 else 1
        setattr(self, kind, of(numbers, units, depth, batch_first=True))
        self.kind = kind
        self.head = nn.Linear(units, outputs)

    def forward(self, x):
        x = x.transpose(1, 2).flatten(2) if x.dim() == 4 else x[..., None]
        return self.head(getattr(self, self.kind)(x)[0][:, -1])


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
        global_average,
        {"kind": "layers", "layers": ["conv 4 3", "relu", "globalavgpool", "linear 3"]},
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
    is_sequence = model["kind"] == "gpt"
    if is_sequence:
        x = torch.arange(x.numel()).mul(353).add(3).remainder(1013).remainder(outputs).reshape(x.shape)
    network(x)  # Lazy layers learn their sizes.
    batch_norms = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for norm in batch_norms:
        norm.reset_running_stats()
    norms = (nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.BatchNorm1d, nn.BatchNorm2d)
    of_norm = {id(p) for m in network.modules() if isinstance(m, norms) for p in m.parameters()}
    leaves = dict(network.named_parameters())
    looked_up = {id(leaf) for name, leaf in leaves.items() if name.endswith(("class_token", "pos_embedding", "wte.weight", "wpe.weight"))}
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
    if batch_norms:
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
