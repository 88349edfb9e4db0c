"""Networks of linear layers."""

import math

from torch import nn

from architectures.activations import activation


class Mlp(nn.Module):
    """Linear layers called `layers`, and between them, if asked for, layer norms called `norms`."""

    def __init__(self, model, input, outputs):
        super().__init__()
        sizes = [math.prod(input), *model["widths"], outputs]
        bias = model.get("bias", True)
        self.layers = nn.ModuleList(nn.Linear(*pair, bias=bias) for pair in zip(sizes, sizes[1:]))
        has_norms = model.get("layer_norm", False)
        self.norms = nn.ModuleList(nn.LayerNorm(width) if has_norms else nn.Identity() for width in sizes[1:-1])
        self.act = activation(model)

    def forward(self, x):
        x = x.flatten(1)
        for layer, norm in zip(self.layers, self.norms):
            x = self.act(norm(layer(x)))
        return self.layers[-1](x)


class Linear(nn.Module):
    """Linear layers one after another."""

    def __init__(self, model, input, outputs):
        super().__init__()
        sizes = [math.prod(input), *model.get("widths", []), outputs]
        bias = model.get("bias", True)
        self.layers = nn.Sequential(*(nn.Linear(*pair, bias=bias) for pair in zip(sizes, sizes[1:])))

    def forward(self, x):
        return self.layers(x.flatten(1))


class Autoencoder(nn.Module):
    """Down to a code and up again."""

    def __init__(self, model, input, _outputs):
        super().__init__()
        sizes = [math.prod(input), *model["widths"]]
        act = lambda: activation(model, "sigmoid")
        self.encoder, self.decoder = between(sizes, act), between(sizes[::-1], act)

    def forward(self, x):
        return self.decoder(self.encoder(x.flatten(1)))


def between(sizes, act):
    """Linear layers with activations between them."""
    layers = []
    for pair in zip(sizes, sizes[1:]):
        layers += [nn.Linear(*pair), act()]
    return nn.Sequential(*layers[:-1])


class Lenet300100(nn.Module):
    """Two hidden layers."""

    def __init__(self, model, input, outputs):
        super().__init__()
        self.fc1 = nn.Linear(math.prod(input), 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, outputs)
        self.act = activation(model)

    def forward(self, x):
        return self.fc3(self.act(self.fc2(self.act(self.fc1(x.flatten(1))))))


MODULES = {"mlp": Mlp, "linear": Linear, "autoencoder": Autoencoder, "lenet_300_100": Lenet300100}
