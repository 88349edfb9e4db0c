"""Makes state_dict.pt: a state dict with every kind of tensor that PyTorch's networks have. Needs PyTorch."""

from collections import OrderedDict
from pathlib import Path

import torch

matrix = torch.arange(1.0, 7.0).reshape(2, 3)
state = OrderedDict()
state["float.weight"] = torch.nn.Parameter(matrix)
state["transposed"] = matrix.t()
state["double"] = torch.tensor([0.1, -1e300], dtype=torch.float64)
state["half"] = torch.tensor([0.5, -2.0, 65504.0, 2.0**-24], dtype=torch.float16)
state["bfloat16"] = torch.tensor([3.0, -0.15625], dtype=torch.bfloat16)
state["scalar"] = torch.tensor(7.0)
state["norm.num_batches_tracked"] = torch.tensor(5)
torch.save(state, Path(__file__).with_name("state_dict.pt"))
