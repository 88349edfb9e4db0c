"""Transformers."""

import torch
import torch.nn.functional as F
from torch import nn


class EncoderLayer(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside an identity."""

    def __init__(self, model):
        super().__init__()
        width, dropout = model["width"], model.get("dropout", 0.0)
        self.ln_1, self.ln_2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.self_attention = nn.MultiheadAttention(
            width, model["heads"], dropout=model.get("attention_dropout", 0.0), batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.mlp = nn.Sequential(
            nn.Linear(width, model["mlp_width"]),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(model["mlp_width"], width),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.dropout(self.self_attention(y, y, y, need_weights=False)[0])
        return x + self.mlp(self.ln_2(x))


class Vit(nn.Module):
    """A vision transformer with the names of torchvision's."""

    def __init__(self, model, input, outputs):
        super().__init__()
        patch, width = model["patch_size"], model["width"]
        positions = 1 + (input[1] // patch) * (input[2] // patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(input[0], width, patch, patch)
        self.encoder = nn.Module()
        self.encoder.pos_embedding = nn.Parameter(torch.zeros(1, positions, width))
        self.encoder.dropout = nn.Dropout(model.get("dropout", 0.0))
        self.encoder.layers = nn.Sequential()
        for number in range(model["depth"]):
            self.encoder.layers.add_module(f"encoder_layer_{number}", EncoderLayer(model))
        self.encoder.ln = nn.LayerNorm(width, eps=1e-6)
        self.heads = nn.Sequential()
        self.heads.add_module("head", nn.Linear(width, outputs))

    def forward(self, x):
        patches = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), patches], 1)
        x = self.encoder.layers(self.encoder.dropout(x + self.encoder.pos_embedding))
        return self.heads(self.encoder.ln(x)[:, 0])


class CausalAttention(nn.Module):
    """Attention to the positions up to one's own."""

    def __init__(self, model):
        super().__init__()
        width = model["width"]
        self.heads, self.dropout = model["heads"], model.get("attention_dropout", 0.0)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.c_attn(x).chunk(3, 2))
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        return self.c_proj(y.transpose(1, 2).flatten(2))


class GptBlock(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside an identity."""

    def __init__(self, model):
        super().__init__()
        width = model["width"]
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = CausalAttention(model)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, model["mlp_width"]))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(model["mlp_width"], width))
        self.dropout = nn.Dropout(model.get("residual_dropout", 0.0))

    def forward(self, x):
        x = x + self.dropout(self.attn(self.ln_1(x)))
        return x + self.dropout(self.mlp(self.ln_2(x)))


class Gpt(nn.Module):
    """Tokens and positions added, blocks, a layer norm, and a linear layer to as many tokens."""

    def __init__(self, model, input, outputs):
        super().__init__()
        width = model["width"]
        parts = {
            "wte": nn.Embedding(outputs, width),
            "wpe": nn.Embedding(input[0], width),
            "drop": nn.Dropout(model.get("embedding_dropout", 0.0)),
            "h": nn.Sequential(*(GptBlock(model) for _ in range(model["depth"]))),
            "ln_f": nn.LayerNorm(width),
        }
        self.transformer = nn.ModuleDict(parts)
        self.lm_head = nn.Linear(width, outputs, bias=False)

    def forward(self, tokens):
        parts = self.transformer
        x = parts["drop"](parts["wte"](tokens.long()) + parts["wpe"].weight)
        return self.lm_head(parts["ln_f"](parts["h"](x)))


def tied_gpt(model, input, outputs):
    """One whose last layer has the weights of its tokens."""
    gpt = Gpt(model, input, outputs)
    gpt.lm_head.weight = gpt.transformer["wte"].weight
    return gpt


MODULES = {"vit": Vit, "gpt": Gpt}
