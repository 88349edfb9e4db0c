"""Networks as PyTorch saves and evaluates them: writes state_dict.safetensors, state_dict.pt and state_dict.json, and the same of a network
with a batch norm as batch_norm.*, beside this file.

The state dict of a trained-looking module with layer norms, in f64, in the safetensors format (eight bytes of length, a
JSON header, the arrays), and what PyTorch computes with it on the examples of a survey's data.npz: the mean
cross-entropy over both parts, and the outputs of the first three training examples. The batch norm takes the means and
variances of the whole training part, for the test part too.

    thalweg survey --set data.train_examples=60 … --out run
    python state_dict.py run/data.npz
"""

import json
import pathlib
import struct
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

SIZES = [64, 5, 4, 10]


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        pairs = list(zip(SIZES, SIZES[1:]))
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairs)
        self.norms = nn.ModuleList(nn.LayerNorm(o) for _, o in pairs[:-1])

    def forward(self, x):
        for layer, norm in zip(self.layers, self.norms):
            x = torch.tanh(norm(layer(x)))
        return self.layers[-1](x)


def save(arrays, path):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        whole = array.dtype == torch.int64
        content = array.contiguous().numpy().astype("<i8" if whole else "<f8").tobytes()
        header[name] = {
            "dtype": "I64" if whole else "F64",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    # The same as PyTorch itself saves it.
    torch.save(arrays, path.with_suffix(".pt"))


def main():
    torch.manual_seed(20)
    torch.set_default_dtype(torch.float64)
    here = pathlib.Path(__file__).parent
    model = Mlp()
    with torch.no_grad():
        # Norms start at 1 and 0, where a scale taken for a shift would go unseen.
        for norm in model.norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
    save(model.state_dict(), here / "state_dict.safetensors")

    data = numpy.load(sys.argv[1])
    values = {}
    with torch.no_grad():
        for part in ["train", "test"]:
            inputs = torch.tensor(data[f"input_{part}"], dtype=torch.float64)
            labels = torch.tensor(data[f"label_{part}"])
            values[f"loss_{part}"] = functional.cross_entropy(model(inputs), labels).item()
            values[f"examples_{part}"] = len(labels)
            if part == "train":
                values["outputs"] = model(inputs[:3]).flatten().tolist()
    values["torch"] = torch.__version__
    (here / "state_dict.json").write_text(json.dumps(values, indent=1) + "\n")


def batch_norm():
    torch.manual_seed(21)
    here = pathlib.Path(__file__).parent
    norm = nn.BatchNorm1d(5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), norm, nn.Tanh(), nn.Linear(5, 10))
    data = numpy.load(sys.argv[1])
    parts = {}
    for part in ["train", "test"]:
        inputs = torch.tensor(data[f"input_{part}"], dtype=torch.float64)
        parts[part] = (inputs, torch.tensor(data[f"label_{part}"]))
    with torch.no_grad():
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.uniform_(-0.5, 0.5)
        for _ in range(3):
            model(parts["train"][0][:20])
        save(model.state_dict(), here / "batch_norm.safetensors")
        seen = model[1](parts["train"][0])
        norm.running_mean.copy_(seen.mean(0))
        norm.running_var.copy_(seen.var(0, correction=0))
        model.eval()
        values = {f"loss_{part}": functional.cross_entropy(model(x), y).item() for part, (x, y) in parts.items()}
    values["torch"] = torch.__version__
    (here / "batch_norm.json").write_text(json.dumps(values, indent=1) + "\n")


main()
batch_norm()
