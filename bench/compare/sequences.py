"""The networks that see an example as a sequence: see networks.py."""

import torch
import torch.nn.functional as F
from torch import nn

from networks import CLASSES


class EncoderLayer(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside an identity."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        # Where torchvision has its dropouts, so that the linear layers have its numbers.
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, width)
        )

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.self_attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Layers, after positions are added."""

    def __init__(self, tokens, depth, width, heads, hidden):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.zeros(1, tokens, width))
        self.layers = nn.Sequential()
        for number in range(depth):
            self.layers.add_module(f"encoder_layer_{number}", EncoderLayer(width, heads, hidden))
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x):
        return self.ln(self.layers(x + self.pos_embedding))


class Heads(nn.Module):
    """One linear layer, for its name."""

    def __init__(self, width):
        super().__init__()
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        return self.head(x)


class Vit(nn.Module):
    """A vision transformer as torchvision's, without dropout."""

    def __init__(self, model, input):
        super().__init__()
        patch, width = model["patch_size"], model["width"]
        tokens = (input[1] // patch) * (input[2] // patch) + 1
        self.conv_proj = nn.Conv2d(input[0], width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.encoder = Encoder(tokens, model["depth"], width, model["heads"], model["mlp_width"])
        self.heads = Heads(width)

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


class Lstm(nn.Module):
    """Rows of an image one after another; a linear layer on the last state."""

    def __init__(self, model, input):
        super().__init__()
        self.steps = input[-2]
        self.lstm = nn.LSTM(input[-1], model["units"], batch_first=True)
        self.head = nn.Linear(model["units"], CLASSES)

    def forward(self, x):
        states, _ = self.lstm(x.reshape(len(x), self.steps, -1))
        return self.head(states[:, -1])


class CausalAttention(nn.Module):
    """Attention to the positions up to one's own."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.c_attn(x).chunk(3, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).flatten(2))


class GptBlock(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside an identity."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, hidden))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(hidden, width))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """Tokens and positions added, blocks, a layer norm, and a linear layer to as many tokens; classes first."""

    def __init__(self, model, input):
        super().__init__()
        width = model["width"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(CLASSES, width),
                "wpe": nn.Embedding(input[0], width),
                "h": nn.Sequential(
                    *(GptBlock(width, model["heads"], model["mlp_width"]) for _ in range(model["depth"]))
                ),
                "ln_f": nn.LayerNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, CLASSES, bias=False)

    def forward(self, tokens):
        parts = self.transformer
        x = parts["wte"](tokens.long()) + parts["wpe"].weight
        return self.lm_head(parts["ln_f"](parts["h"](x))).transpose(1, 2)


NETWORKS = {"vit": Vit, "lstm": Lstm, "gpt": Gpt}
