"""Recurrent networks: PyTorch's own layers, and a linear map."""

from functools import partial

from torch import nn


class Recurrent(nn.Module):
    """Over the rows of an image, or over tokens with an output at each."""

    def __init__(self, kind, model, input, outputs):
        super().__init__()
        self.is_language, self.kind = "embedding" in model, kind
        width = input[-1] * (input[0] if len(input) == 3 else 1) if len(input) > 1 else 1
        if self.is_language:
            width = model["embedding"]
            self.embedding = nn.Embedding(outputs, width)
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind]
        options = {"num_layers": model["depth"], "batch_first": True, "dropout": model.get("dropout", 0.0)}
        self.add_module(kind, layer(width, model["units"], **options))
        self.head = nn.Linear(model["units"], outputs)

    def forward(self, x):
        if self.is_language:
            rows = self.embedding(x.long())
        elif x.dim() == 2:
            rows = x.unsqueeze(2)
        else:
            # All channels of a row together.
            rows = x.transpose(1, 2).flatten(2)
        states, _ = self.get_submodule(self.kind)(rows)
        return self.head(states if self.is_language else states[:, -1])


MODULES = {"rnn": partial(Recurrent, "rnn"), "lstm": partial(Recurrent, "lstm")}
