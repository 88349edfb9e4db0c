"""The operands of a work, as PyTorch has them."""

from contextlib import nullcontext
from functools import partial

import torch
import torch.nn.functional as F
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

import networks
import sequences

NETWORKS = networks.NETWORKS | sequences.NETWORKS
# Of images in memory.
LAYOUTS = {"NCHW": torch.contiguous_format, "channels-last": torch.channels_last}
# Of LSTMs: PyTorch has two implementations, and only that without oneDNN has forward derivatives.
WITHOUT_ONEDNN = "without oneDNN"


class Problem:
    """A network at theta, examples, tangents, another point; or the operands of a linear map."""

    def __init__(self, described, arrays):
        self.described = described
        self.arrays = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        if "model" in described:
            self.theta, self.labels = self.arrays["theta"], self.arrays["labels"].long()
            self.shapes = {leaf["name"]: leaf["shape"] for leaf in described["leaves"]}
            self.inputs = self.arrays["inputs"].view(-1, *described["input"])
            self.tangents = [self.split(tangent.clone()) for tangent in self.arrays["tangents"]]

    def settings(self):
        """The names of the settings to try: layouts of images, kernels of an LSTM, elsewhere one without a name."""
        kinds = {type(module) for module in self.model().modules()}
        if torch.nn.Conv2d in kinds:
            return list(LAYOUTS)
        return ["with oneDNN", WITHOUT_ONEDNN] if torch.nn.LSTM in kinds else [""]

    def model(self):
        """The network with parameters of its own."""
        return NETWORKS[self.described["model"]["kind"]](self.described["model"], self.described["input"])

    def at(self, setting=""):
        """The network with the parameters at theta, in training mode, and the inputs, in that setting."""
        model = self.model()
        found = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
        if found != self.shapes:
            raise RuntimeError(f"expected the leaves {self.shapes}, found {found}")
        inputs = self.inputs.clone()
        if setting in LAYOUTS:
            model = model.to(memory_format=LAYOUTS[setting])
            inputs = inputs.contiguous(memory_format=LAYOUTS[setting])
        with torch.no_grad():
            for name, values in self.named(self.split(self.theta)).items():
                model.get_parameter(name).copy_(values)
        return Placed(self, model.train(), inputs, setting)

    def split(self, flat):
        """The leaves of a flat vector, in their order, as views."""
        sizes = [torch.Size(shape).numel() for shape in self.shapes.values()]
        return [part.view(shape) for part, shape in zip(flat.split(sizes), self.shapes.values())]

    def named(self, tensors):
        """Tensors by the names of the leaves."""
        return dict(zip(self.shapes, tensors, strict=True))


class Placed:
    """A module of its own and its inputs."""

    def __init__(self, problem, model, inputs, setting):
        self.problem, self.model, self.inputs = problem, model, inputs
        # In the order of the leaves.
        self.parameters = [model.get_parameter(name) for name in problem.shapes]
        self.kernels = nullcontext
        if setting == WITHOUT_ONEDNN:
            self.kernels = partial(torch.backends.mkldnn.flags, enabled=False)

    def for_second_derivatives(self):
        """The same without running means, which `torch.func` and second derivatives would change, and with attention
        that can be differentiated twice: PyTorch's own choice cannot."""
        torch.func.replace_all_batch_norm_modules_(self.model)
        attention = (torch.nn.MultiheadAttention, sequences.CausalAttention)
        if any(isinstance(module, attention) for module in self.model.modules()):
            self.kernels = partial(sdpa_kernel, SDPBackend.MATH)
        return self

    def loss(self):
        """The mean cross-entropy."""
        with self.kernels():
            return F.cross_entropy(self.model(self.inputs), self.problem.labels)

    def outputs_at(self, params):
        """The outputs as a function of a dictionary of parameters."""
        with self.kernels():
            return functional_call(self.model, params, (self.inputs,))

    def loss_at(self, params):
        """The mean cross-entropy as a function of a dictionary of parameters."""
        return F.cross_entropy(self.outputs_at(params), self.problem.labels)

    def like_parameters(self, tensors):
        """Copies of tensors, one a leaf, that lie in memory as the parameters do."""
        return [torch.empty_like(p).copy_(t).detach() for p, t in zip(self.parameters, tensors, strict=True)]

    def named_parameters(self):
        """The parameters by name, without their history."""
        return self.problem.named([parameter.detach() for parameter in self.parameters])


def flat(tensors):
    """One vector of all elements."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
