"""The networks whose weights go to and fro: every kind of model, and every option that changes names or numbers."""

from dataclasses import dataclass, field
from typing import Callable

from architectures import module, published, transformers

TEXT = "the quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. " * 8
CONTEXT = 12


@dataclass
class Case:
    """A network on some data."""

    name: str
    model: dict
    # How often each pixel of a digit is repeated both ways; of a language model None.
    enlarge: int | None = 1
    # From model, shape of an example and number of outputs.
    make: Callable = module
    # Fields of `train`.
    train: dict = field(default_factory=dict)
    # Whether thalweg's weights fit; they do not where a module ties some of its own.
    both_ways: bool = True

    @property
    def input(self):
        """Shape of an example."""
        return [CONTEXT] if self.enlarge is None else [1, 8 * self.enlarge, 8 * self.enlarge]

    @property
    def outputs(self):
        """Classes, or tokens."""
        return 10 if self.enlarge is not None else len(set(TEXT))


def case(name, kind, enlarge=1, train={}, make=module, both_ways=True, **fields):
    """One line of the list."""
    return Case(name, {"kind": kind, **fields}, enlarge, make, train, both_ways)


IMAGE_LAYERS = [
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
        "residual": ["conv 9 3x3 stride=2 pad=1", "batchnorm", "silu", "dropout 0.2"],
        "shortcut": ["subsample 9"],
    },
    "avgpool 2x1 stride=1 pad=1x0",
    {
        "residual": ["conv 4 2x2 pad=same", "sigmoid", "instancenorm"],
        "shortcut": ["conv 4 1x1 nobias", "batchnorm noaffine"],
    },
    "maxpool 2 stride=1 dilation=2x1",
    "flatten",
    "linear 12",
    "layernorm noaffine",
    "erf",
    "linear 9 nobias",
    "batchnorm",
    "relu",
    "linear 10",
]
AVERAGE_LAYERS = ["conv 8 3", "groupnorm 2 noaffine", "relu", "globalavgpool", "linear 10"]
MAX_LAYERS = ["conv 8 3", "batchnorm", "relu", "globalmaxpool", "linear 10"]

OTHER_ACTIVATIONS = ["tanh", "erf", "sigmoid", "gelu", "silu", "linear"]
RECONSTRUCTION = {"loss": "reconstruction", "lr": 1e-3}
# Fixup begins with outputs of 0, and its first steps are short.
FAST = {"lr": 0.3}
SMALL_VIT = {"patch_size": 2, "width": 24, "depth": 2, "heads": 3, "mlp_width": 20}
VIT = {"patch_size": 4, "width": 32, "depth": 2, "heads": 4, "mlp_width": 64}
GPT = {"width": 24, "depth": 2, "heads": 3, "mlp_width": 40}

CASES = [
    case("mlp", "mlp", widths=[32, 24]),
    *(case(f"mlp, {act}", "mlp", widths=[16, 12], activation=act) for act in OTHER_ACTIVATIONS),
    case("mlp, layer norm", "mlp", widths=[32, 24], layer_norm=True),
    case("mlp, no bias", "mlp", widths=[32], bias=False),
    case("linear", "linear"),
    case("linear, deep", "linear", widths=[16, 12], bias=False),
    case("autoencoder", "autoencoder", train=RECONSTRUCTION, widths=[32, 8]),
    case("lenet_300_100", "lenet_300_100"),
    case("lenet5", "lenet5", 4),
    case("lenet5, average pool", "lenet5", 4, pool="average", activation="tanh"),
    case("conv2", "conv2", width=8, dense=[24, 20]),
    case("conv4", "conv4", width=8, dense=[24, 20]),
    case("conv6", "conv6", width=8, dense=[24]),
    case("vgg11", "vgg11", 4, width=8),
    case("vgg11, batch norm", "vgg11", 4, width=8, norm="batch"),
    case("vgg11, group norm", "vgg11", 4, width=8, norm="group", groups=4),
    case("vgg13, batch norm", "vgg13", 4, width=8, norm="batch"),
    case("vgg16, batch norm", "vgg16", 4, width=8, norm="batch"),
    case("vgg19, batch norm", "vgg19", 4, width=8, norm="batch"),
    case("vgg19", "vgg19", 4, width=8),
    case("vgg11 of torchvision", "vgg11", 4, make=published.VGG11, width=64),
    case("vgg11_bn of torchvision", "vgg11", 4, make=published.VGG11_BN, width=64, norm="batch"),
    case("resnet20", "resnet20", 4, width=16),
    case("resnet20, project", "resnet20", 2, width=8, shortcut="project"),
    case("resnet20, no shortcut", "resnet20", 2, width=8, shortcut="none", activation="tanh"),
    case("resnet20, group norm", "resnet20", 2, width=8, norm="group", groups=4, shortcut="project"),
    case("resnet20, fixup", "resnet20", 2, FAST, width=8, norm="fixup"),
    case("resnet20, fixup, project", "resnet20", 2, FAST, width=8, norm="fixup", shortcut="project"),
    case("resnet32", "resnet32", 2, width=8),
    case("resnet44", "resnet44", 2, width=8),
    case("resnet56", "resnet56", 2, width=8),
    case("resnet110", "resnet110", 2, width=8),
    case("wide_resnet", "wide_resnet", 2, depth=16, widen=2, dropout=0.3),
    case("wide_resnet, widen 1", "wide_resnet", 2, depth=10, widen=1),
    case("wide_resnet, group norm", "wide_resnet", 2, depth=10, widen=1, norm="group", groups=8),
    case("wide_resnet, no norm", "wide_resnet", 2, train={"lr": 1e-3}, depth=10, widen=1, norm="none"),
    case("resnet18", "resnet18", 2, width=8),
    case("resnet18, fixup, large stem", "resnet18", 4, FAST, width=8, norm="fixup", stem="large"),
    case("resnet50", "resnet50", 4, width=8, stem="large"),
    case("resnet50, group norm", "resnet50", 2, width=8, norm="group", groups=4),
    case("resnet18 of torchvision", "resnet18", 4, make=published.RESNET18, width=64, stem="large"),
    case("resnet50 of torchvision", "resnet50", 4, make=published.RESNET50, width=64, stem="large"),
    case("vit", "vit", **SMALL_VIT),
    case("vit, dropout", "vit", **SMALL_VIT, dropout=0.1, attention_dropout=0.2),
    case("vit of torchvision", "vit", 4, make=published.vit, **VIT),
    case("gpt", "gpt", None, **GPT),
    case("gpt, dropout", "gpt", None, **GPT, embedding_dropout=0.1, attention_dropout=0.1, residual_dropout=0.1),
    case("gpt, tied in PyTorch", "gpt", None, make=transformers.tied_gpt, both_ways=False, **GPT),
    case("rnn", "rnn", units=16, depth=2),
    case("rnn, language model", "rnn", None, units=16, depth=1, embedding=6),
    case("lstm", "lstm", units=16, depth=1),
    case("lstm, dropout", "lstm", units=12, depth=3, dropout=0.2),
    case("lstm, language model", "lstm", None, units=16, depth=2, embedding=6),
    case("layers", "layers", 2, layers=IMAGE_LAYERS),
    case("layers, average of all", "layers", layers=AVERAGE_LAYERS),
    case("layers, largest of all", "layers", layers=MAX_LAYERS),
]
