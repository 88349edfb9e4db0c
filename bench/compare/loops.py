"""Training loops in PyTorch, as a careful user would write them, by how batches come about."""

import gzip
import time
from functools import partial

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

# Steps before the clock starts: the first ones set PyTorch up.
WARM_UP = 20


def fashion_mnist(files):
    """Standardised images and labels, training part first, from its four files in that order."""

    def read(path, offset):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        return numpy.frombuffer(content, numpy.uint8, offset=offset)

    parts = []
    for images, labels in (files[:2], files[2:]):
        parts += [read(images, 16).reshape(-1, 784) / numpy.float32(255), read(labels, 8)]
    mean, deviation = parts[0].mean(dtype=numpy.float64), parts[0].std(dtype=numpy.float64)
    scaled = [((part - mean) / deviation).astype(numpy.float32) if part.ndim == 2 else part for part in parts]
    return tensors(scaled)


def digits(kept):
    """The same of the digits, from what a run keeps."""
    return tensors([kept[name] for name in ("input_train", "label_train", "input_test", "label_test")])


def tensors(parts):
    inputs, labels, inputs_test, labels_test = (torch.from_numpy(numpy.array(part)) for part in parts)
    return inputs.float(), labels.long(), inputs_test.float(), labels_test.long()


def network(kind):
    """A ReLU perceptron."""
    widths = {"lenet_300_100": [784, 300, 100, 10], "mlp": [64, 64, 64, 10]}[kind]
    layers = []
    for pair in zip(widths, widths[1:]):
        layers += [nn.Linear(*pair), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Images(Dataset):
    """Images as torchvision's sets give them: one by one, out of bytes, through its usual transforms."""

    def __init__(self, inputs, labels):
        # Standardised inputs are bytes that were scaled; these are as many levels of grey.
        low, high = inputs.min(), inputs.max()
        self.bytes = ((inputs - low) * (255 / (high - low))).round().to(torch.uint8).reshape(-1, 28, 28).numpy()
        self.labels = labels.tolist()
        mean, deviation = (-low / (high - low)).item(), (1 / (high - low)).item()
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, deviation), torch.flatten])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.bytes[index])), self.labels[index]


def preloaded(inputs, labels, size):
    """Batches of a whole set in memory, in a new order."""
    for chosen in torch.randperm(len(inputs)).split(size):
        yield inputs[chosen], labels[chosen]


def ways(kind, data, settings, source):
    """Functions that train and give examples a second, by name. Batches come from "tensors" or "images" by a data loader, or
    from a set that is "preloaded"."""
    inputs, labels = data[:2]
    size = settings["train.batch_size"]
    if source != "preloaded":
        examples = {"tensors": TensorDataset, "images": Images}[source](inputs, labels)
        workers = {count: DataLoader(examples, size, shuffle=True, num_workers=count) for count in (0, 2)}
        batches = {f"data loader, {count} workers": (lambda loaded=loaded: loaded) for count, loaded in workers.items()}
    else:
        batches = {"preloaded": partial(preloaded, inputs, labels, size)}
    return {
        f"{name}, {option}": partial(train, kind, data, settings, epoch, {option: True})
        for name, epoch in batches.items()
        for option in ("foreach", "fused")
    }


def train(kind, data, settings, epoch, options):
    """Trains with a look at the held-out set after every epoch; examples a second."""
    inputs, labels, inputs_test, labels_test = data
    model = network(kind)
    optimiser = torch.optim.SGD(model.parameters(), lr=settings["train.lr"], momentum=0.9, **options)

    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(WARM_UP):
        step(inputs[: settings["train.batch_size"]], labels[: settings["train.batch_size"]])
    begin = time.perf_counter()
    for _ in range(settings["train.epochs"]):
        for x, y in epoch():
            step(x, y)
        with torch.no_grad():
            outputs = model(inputs_test)
            F.cross_entropy(outputs, labels_test).item()
            (outputs.argmax(1) != labels_test).float().mean().item()
    return settings["train.epochs"] * len(inputs) / (time.perf_counter() - begin)
