"""Transformers and recurrent networks as modules of PyTorch: layers.py runs them."""

import math

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def attend(q, k, v, dropout, is_causal=False):
    """scaled_dot_product_attention; written out where weights are dropped, so that it is known which."""
    if dropout.p == 0:
        # The fused kernels have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            return functional.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    return dropout(scores.softmax(-1)) @ v


class Attention(nn.Module):
    """nn.MultiheadAttention of one sequence, with its leaves."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.weights_dropout = nn.Dropout(dropout)
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
        y = attend(q, k, v, self.weights_dropout)
        return self.out_proj(y.transpose(1, 2).reshape(n, t, width))


class EncoderBlock(nn.Module):
    """torchvision.models.vision_transformer.EncoderBlock."""

    def __init__(self, model):
        super().__init__()
        width, mlp_width, dropout = model["width"], model["mlp_width"], model.get("dropout", 0.0)
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = Attention(width, model["heads"], model.get("attention_dropout", 0.0))
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(mlp_width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        x = x + self.dropout(self.self_attention(self.ln_1(x)))
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    def __init__(self, positions, model):
        super().__init__()
        width = model["width"]
        self.pos_embedding = nn.Parameter(torch.empty(1, positions, width))
        self.dropout = nn.Dropout(model.get("dropout", 0.0))
        blocks = {f"encoder_layer_{i}": EncoderBlock(model) for i in range(model["depth"])}
        self.layers = nn.Sequential()
        for name, block in blocks.items():
            self.layers.add_module(name, block)
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x):
        return self.ln(self.layers(self.dropout(x + self.pos_embedding)))


class Vit(nn.Module):
    """torchvision.models.VisionTransformer, of images that need not be square."""

    def __init__(self, model, input, outputs):
        super().__init__()
        width, patch = model["width"], model["patch_size"]
        channels, rows, columns = input
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        positions = 1 + (rows // patch) * (columns // patch)
        self.encoder = Encoder(positions, model)
        self.heads = nn.Sequential()
        self.heads.add_module("head", nn.Linear(width, outputs))

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


class CausalAttention(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.weights_dropout = nn.Dropout(dropout)
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (
            part.reshape(n, t, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, 2)
        )
        y = attend(q, k, v, self.weights_dropout, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(n, t, width))


class Mlp(nn.Module):
    def __init__(self, width, mlp_width):
        super().__init__()
        self.c_fc = nn.Linear(width, mlp_width)
        self.c_proj = nn.Linear(mlp_width, width)

    def forward(self, x):
        return self.c_proj(functional.gelu(self.c_fc(x)))


class DecoderBlock(nn.Module):
    def __init__(self, model):
        super().__init__()
        width, dropout = model["width"], model.get("residual_dropout", 0.0)
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, model["heads"], model.get("attention_dropout", 0.0))
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, model["mlp_width"])
        self.dropout_1, self.dropout_2 = nn.Dropout(dropout), nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.dropout_1(self.attn(self.ln_1(x)))
        return x + self.dropout_2(self.mlp(self.ln_2(x)))


class Gpt(nn.Module):
    """Outputs are tokens by positions, as a cross-entropy over several positions takes them."""

    def __init__(self, model, input, outputs):
        super().__init__()
        width, blocks = model["width"], range(model["depth"])
        self.transformer = nn.ModuleDict()
        self.transformer["wte"] = nn.Embedding(outputs, width)
        self.transformer["wpe"] = nn.Embedding(input[0], width)
        self.transformer["drop"] = nn.Dropout(model.get("embedding_dropout", 0.0))
        self.transformer["h"] = nn.ModuleList(DecoderBlock(model) for _ in blocks)
        self.transformer["ln_f"] = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, outputs, bias=False)

    def forward(self, tokens):
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](torch.arange(tokens.shape[1]))
        x = self.transformer["drop"](x)
        for block in self.transformer["h"]:
            x = block(x)
        return self.lm_head(self.transformer["ln_f"](x)).transpose(1, 2)


class Recurrent(nn.Module):
    """Over the rows of an image; features are a step each; with an embedding over tokens, as a language model. Dropout of nn.LSTM's and nn.RNN's own argument, written out."""

    def __init__(self, model, input, outputs):
        super().__init__()
        kind, units, depth = model["kind"], model["units"], model["depth"]
        of = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind]
        numbers = model.get("embedding") or (input[0] * input[2] if len(input) == 3 else 1)
        self.embedding = nn.Embedding(outputs, numbers) if "embedding" in model else None
        setattr(self, kind, of(numbers, units, depth, batch_first=True))
        self.kind, self.depth = kind, depth
        self.dropout = nn.Dropout(model.get("dropout", 0.0))
        self.layers = [of(numbers if layer == 0 else units, units, batch_first=True) for layer in range(depth)]
        self.head = nn.Linear(units, outputs)

    def forward(self, x):
        whole = getattr(self, self.kind)
        if self.embedding is not None:
            return self.head(whole(self.embedding(x))[0]).transpose(1, 2)
        x = x.transpose(1, 2).flatten(2) if x.dim() == 4 else x[..., None]
        if self.dropout.p == 0:
            return self.head(whole(x)[0][:, -1])
        for number, layer in enumerate(self.layers):
            if number > 0:
                x = torch.stack([self.dropout(step) for step in x.unbind(1)], 1)
            leaves = {name: getattr(whole, name[:-1] + str(number)) for name, _ in layer.named_parameters()}
            x = functional_call(layer, leaves, (x,))[0]
        return self.head(x[:, -1])
