"""Weights on their way from one engine to the other, and what the network answers on both sides."""

import json
import subprocess
import zlib

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from architectures.cases import TEXT, CONTEXT

STEPS = 3
EXAMPLES = 6
PRECISIONS = {"f32": torch.float32, "f64": torch.float64}
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class Differs(Exception):
    """What should be the same is not."""


def toml(value):
    """A value as TOML has it within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    # Texts, numbers, true and false are written alike.
    return json.dumps(value)


def distance(found, expected):
    """The largest difference over the largest of the expected numbers. NaN is as far as can be."""
    found, expected = found.double(), expected.double()
    if found.shape != expected.shape:
        raise Differs(f"expected outputs of shape {list(expected.shape)}, found {list(found.shape)}")
    largest = ((found - expected).abs().max() / expected.abs().max()).item()
    return largest if largest == largest else float("inf")


class Exchange:
    """One case in one precision, in a folder of its own."""

    def __init__(self, case, precision, folder, command, bench, threads):
        self.case, self.precision, self.dtype = case, precision, PRECISIONS[precision]
        self.folder, self.command, self.bench, self.threads = folder, command, bench, threads
        torch.manual_seed(zlib.crc32(case.name.encode()))
        folder.mkdir(parents=True)
        (folder / "text.txt").write_text(TEXT)
        self.config = folder / "config.toml"
        self.config.write_text(self.configuration())
        self.inputs = self.drawn(EXAMPLES)
        (folder / "inputs").write_bytes(self.inputs.numpy().tobytes())

    def configuration(self):
        """What thalweg is told."""
        case = self.case
        if case.enlarge is None:
            path = str(self.folder / "text.txt")
            data = {"kind": "text_file", "path": path, "context": CONTEXT, "test_examples": 4}
        else:
            data = {"kind": "digits", "train_examples": 40, "enlarge": case.enlarge}
        fields = {
            "dtype": self.precision,
            # Only before the first step and after the last.
            "evaluate": "1000it",
            "model": case.model,
            "data": data,
            "train": {"lr": 0.02, "batch_size": 16, **case.train, "steps": STEPS},
        }
        return "".join(f"{key} = {toml(value)}\n" for key, value in fields.items())

    def drawn(self, examples):
        """Standard normal numbers, or uniform tokens."""
        shape = [examples, *self.case.input]
        if self.case.enlarge is None:
            return torch.randint(self.case.outputs, shape).to(self.dtype)
        return torch.randn(shape, dtype=self.dtype)

    def thalweg(self, *words):
        """Runs a verb."""
        words = [str(word) for word in words]
        done = subprocess.run([self.command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Differs(f"thalweg {' '.join(words)}: {done.stderr.strip()}")

    def module(self):
        """A new module of PyTorch's."""
        case = self.case
        return case.make(case.model, case.input, case.outputs).to(self.dtype)

    def logits(self, checkpoint):
        """What thalweg answers, and what it says of the network."""
        results = self.folder / "results"
        question = {
            "model": self.case.model,
            "input": self.case.input,
            "outputs": self.case.outputs,
            "checkpoint": str(checkpoint),
            "inputs": str(self.folder / "inputs"),
            "results": str(results),
        }
        answer = self.bench.ask(f"logits {json.dumps(question)}")
        if answer["dtype"] != self.precision:
            raise Differs(f"expected a checkpoint in {self.precision}, found one in {answer['dtype']}")
        values = numpy.frombuffer(results.read_bytes(), {"f32": "<f4", "f64": "<f8"}[self.precision])
        return torch.from_numpy(values.copy()).reshape(answer["shape"]), answer

    def answer(self, module):
        """What PyTorch answers in evaluation mode."""
        with torch.no_grad():
            return module.eval()(self.inputs).flatten(1)

    def compare(self, module, checkpoint):
        """How far both answers lie apart, and what thalweg says of the network."""
        expected = self.answer(module)
        found, described = self.logits(checkpoint)
        # The check would see nothing in outputs that the inputs hardly change.
        spread = (expected.amax(0) - expected.amin(0)).max().item()
        if not spread > 1e-2 * expected.abs().max().item():
            raise Differs(f"expected outputs that differ between examples, found them within {spread:.1e}")
        count = sum(parameter.numel() for parameter in module.parameters())
        if self.case.both_ways and count != described["parameters"]:
            raise Differs(f"expected {count} parameters, found {described['parameters']}")
        return distance(found, expected), described

    def to_pytorch(self):
        """thalweg trains a few steps and exports; PyTorch loads strictly."""
        run, exported = self.folder / "run", self.folder / "exported.safetensors"
        self.thalweg("train", "--quiet", "--config", self.config, "--out", run, "--threads", self.threads)
        checkpoint = run / f"checkpoint-{STEPS:08}.safetensors"
        self.thalweg("export", checkpoint, exported)
        state = load_file(exported)
        for name, tensor in state.items():
            is_count = name.endswith(".num_batches_tracked")
            if tensor.dtype != (torch.int64 if is_count else self.dtype):
                raise Differs(f"{name}: expected {self.dtype}, found {tensor.dtype}")
            if is_count and tensor.item() != STEPS:
                raise Differs(f"{name}: expected {STEPS}, found {tensor.item()}")
        module = self.module()
        module.load_state_dict(state, strict=True)
        result = self.compare(module, checkpoint)
        self.check_statistics(module)
        return result

    def check_statistics(self, module):
        """Refuses running statistics that the outputs do not show: that they travelled would not be seen."""
        norms = [part for part in module.modules() if isinstance(part, NORMS)]
        if norms:
            with_statistics = self.answer(module)
            for part in norms:
                part.reset_running_stats()
            without = distance(self.answer(module), with_statistics)
            if without < 1e-3:
                raise Differs(f"expected outputs that depend on running statistics, found a change of {without:.1e}")

    def to_thalweg(self):
        """PyTorch draws weights, sees a few batches, and saves in both ways; thalweg imports both."""
        module = self.module()
        draw(module)
        with torch.no_grad():
            for _ in range(STEPS):
                module.train()(self.drawn(16))
        # A safetensors file cannot say that two weights are one.
        state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        checkpoints = []
        for suffix in ("safetensors", "pt"):
            saved, checkpoint = self.folder / f"saved.{suffix}", self.folder / f"from-{suffix}.safetensors"
            save_file(state, saved) if suffix == "safetensors" else torch.save(module.state_dict(), saved)
            self.thalweg("import", saved, checkpoint, "--config", self.config)
            checkpoints.append(checkpoint)
        one, other = checkpoints
        if one.read_bytes() != other.read_bytes():
            raise Differs("expected the same checkpoint of a safetensors and of a .pt file, found two")
        return self.compare(module, one)


def draw(module):
    """Weights that keep signals alive, and biases and scales that are not all alike."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    with torch.no_grad():
        for parameter in module.parameters():
            # Class token and positions begin at 0 in PyTorch.
            if parameter.dim() == 1 or parameter.std() == 0:
                parameter += 0.2 * torch.randn_like(parameter)
