#!/usr/bin/env python3
"""Sets whole training runs of thalweg's command line beside PyTorch's loops: examples a second, evaluation included.

See bench/README.md. Fashion-MNIST must be where thalweg looks for it.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import environment

CHECKOUT = Path(__file__).resolve().parents[2]
SEEDS = 8
# So many that starting the process and what waits for the disk is little beside them.
SEED_EPOCHS = 1000
PARAMETERS = 11_000_000
READ_SECONDS = 1.5
WRITE_SECONDS = 0.5

# One epoch of 60,000 images, and a hundred of 1,437 digits; both look at the held-out set after every epoch.
FASHION = {
    "data.kind": "fashion_mnist",
    "model.kind": "lenet_300_100",
    "train.batch_size": 60,
    "train.epochs": 1,
    "train.lr": 0.01,
    "train.schedule.kind": "constant",
}
DIGITS = {
    "data.kind": "digits",
    "model.kind": "mlp",
    "model.widths": [64, 64],
    "train.batch_size": 32,
    "train.epochs": 100,
    "train.lr": 0.01,
    "train.schedule.kind": "constant",
}


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side, by turns (default 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads on each side (default 2)")
    default = CHECKOUT / "target" / "training.json"
    parser.add_argument("--json", type=Path, default=default, help=f"where all numbers go (default {default})")
    return parser.parse_args()


class Thalweg:
    """The command line with a number of threads, in folders that are thrown away."""

    def __init__(self, binary, threads):
        self.binary, self.threads = binary, threads

    def command(self, folder, settings, *more, threads=None):
        sets = [word for field, value in settings.items() for word in ("--set", f"{field}={json.dumps(value)}")]
        threads = ["--threads", str(threads or self.threads)]
        return [self.binary, "train", "--out", str(Path(folder) / "run"), *threads, *sets, *more]

    def rate(self, settings):
        """Examples a second, as the run itself says: all steps, all looks at the held-out set, checkpoints, compilation."""
        with tempfile.TemporaryDirectory() as folder:
            command = self.command(folder, settings)
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return float(re.search(r"speed +(\d+) examples/s", said).group(1))

    def seconds(self, settings, *more, threads):
        """Wall time of the whole process."""
        with tempfile.TemporaryDirectory() as folder:
            command = self.command(folder, settings, *more, threads=threads)
            begin = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            return time.perf_counter() - begin

    def files(self, name):
        """Where the files of a published set lie."""
        said = subprocess.run([self.binary, "data", "path", name], capture_output=True, text=True, check=True)
        return [Path(line) for line in said.stdout.splitlines()]

    def data(self, settings):
        """Training and held-out inputs and labels, standardised, as a run keeps them."""
        import numpy

        with tempfile.TemporaryDirectory() as folder:
            short = {**settings, "train.steps": 1}
            subprocess.run(self.command(folder, short), capture_output=True, check=True)
            kept = numpy.load(Path(folder) / "run" / "data.npz")
            return {name: kept[name] for name in kept.files}


def main():
    """Parses before anything heavy is installed or imported."""
    arguments = parse()
    environment.enter()

    import torch

    import loops
    from thalweg import build

    torch.set_num_threads(arguments.threads)
    binary, bench = build("thalweg", "thalweg-bench")
    thalweg = Thalweg(binary, arguments.threads)
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads", file=sys.stderr)
    fashion, digits = loops.fashion_mnist(thalweg.files("fashion-mnist")), loops.digits(thalweg.data(DIGITS))
    works = {
        "LeNet-300-100, an epoch of Fashion-MNIST, batch 60, beside PyTorch's data loader over images": (
            lambda: thalweg.rate(FASHION),
            loops.ways("lenet_300_100", fashion, FASHION, "images"),
            3.0,
        ),
        "the same beside its data loader over rows of a tensor": (
            lambda: thalweg.rate(FASHION),
            loops.ways("lenet_300_100", fashion, FASHION, "tensors"),
            3.0,
        ),
        "the same beside a whole set preloaded in a tensor": (
            lambda: thalweg.rate(FASHION),
            loops.ways("lenet_300_100", fashion, FASHION, "preloaded"),
            1.5,
        ),
        "perceptron 64-64-64-10, 100 epochs of the digits, batch 32": (
            lambda: thalweg.rate(DIGITS),
            loops.ways("mlp", digits, DIGITS, "preloaded"),
            10.0,
        ),
    }
    found = {name: compare(name, *sides, arguments.rounds) for name, sides in works.items()}
    found["seeds"] = seeds(thalweg, arguments.rounds)
    found["storage"] = storage(bench, arguments)
    print(markdown(found))
    print(stored(found["storage"]))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def compare(name, ours, ways, target, rounds):
    """Rates of both sides by turns; of PyTorch the way that was the fastest in a first look."""
    print(name, file=sys.stderr)
    looks = {way: run() for way, run in ways.items()}
    way = max(looks, key=looks.get)
    pairs = []
    for number in range(rounds):
        sides = [("thalweg", ours), ("pytorch", ways[way])]
        # Who goes first changes, so that no side gains by its place.
        pairs.append({side: run() for side, run in (sides if number % 2 == 0 else sides[::-1])})
    return {"target": target, "way": way, "looks": looks, "rounds": pairs}


def seeds(thalweg, rounds):
    """Seconds of several seeds one after the other on one thread, and side by side."""
    print(f"{SEEDS} seeds", file=sys.stderr)
    settings = {**DIGITS, "train.epochs": SEED_EPOCHS}
    more = ["--seeds", f"0..{SEEDS}"]
    pairs = []
    for number in range(rounds):
        sides = [("one", 1), ("together", thalweg.threads)]
        order = sides if number % 2 == 0 else sides[::-1]
        pairs.append({side: thalweg.seconds(settings, *more, threads=threads) for side, threads in order})
    return {"target": 1.8, "rounds": pairs}


def storage(binary, arguments):
    """Seconds to read and check Fashion-MNIST, and to write checkpoints durably beside the disk's own rate."""
    from thalweg import Thalweg as Bench

    print("storage", file=sys.stderr)
    bench = Bench(binary, arguments.threads)
    with tempfile.TemporaryDirectory(dir=CHECKOUT / "target") as folder:
        write = {"parameters": PARAMETERS, "repetitions": arguments.rounds, "folder": folder}
        read = {"set": "fashion-mnist", "repetitions": arguments.rounds}
        asks = {"read": read, "checkpoint": write}
        return {name: bench.ask("storage " + json.dumps({name: ask})) for name, ask in asks.items()}


def stored(found):
    """The same as lines."""
    read, written = found["read"], found["checkpoint"]
    lines = [
        "",
        "| storage | s | the disk alone, s | target | met? |",
        "|---|---|---|---|---|",
        f"| Fashion-MNIST from gzip, checked and standardised | {read['seconds']['median']:.3g} | | ≤ {READ_SECONDS} "
        f"| {met(read['seconds']['median'] <= READ_SECONDS)} |",
    ]
    for part, name in (("theta", "θ"), ("theta_and_momentum", "θ and momentum")):
        ours, disk = (written[part][side]["median"] for side in ("seconds", "disk_seconds"))
        lines.append(
            f"| a checkpoint of {PARAMETERS / 1e6:.0f} million parameters, {name} ({written[part]['bytes'] / 2**20:.0f} MiB) | {ours:.3g} "
            f"| {disk:.3g} | ≤ {WRITE_SECONDS} more | {met(ours - disk <= WRITE_SECONDS)} |"
        )
    return "\n".join(lines)


def met(is_met):
    """In a table."""
    return "yes" if is_met else "**no**"


def markdown(found):
    """The table."""
    lines = ["| work | thalweg | PyTorch | ratio | rounds | target | met? |", "|---|---|---|---|---|---|---|"]
    for name, record in found.items():
        if name == "storage":
            continue
        if name == "seeds":
            name, ours, theirs = f"{SEEDS} seeds, {SEED_EPOCHS} epochs of the digits, side by side (s)", "together", "one"
            ratios = [pair[theirs] / pair[ours] for pair in record["rounds"]]
            unit = "{:.3g} s"
        else:
            ours, theirs, unit = "thalweg", "pytorch", "{:,.0f}/s"
            ratios = [pair[ours] / pair[theirs] for pair in record["rounds"]]
        medians = [statistics.median(pair[side] for pair in record["rounds"]) for side in (ours, theirs)]
        ratio = statistics.median(ratios)
        lines.append(
            f"| {name} | {unit.format(medians[0])} | {unit.format(medians[1])} | {ratio:.3g} "
            f"| {min(ratios):.3g} – {max(ratios):.3g} | ≥ {record['target']} | {met(ratio >= record['target'])} |"
        )
    lines.append("")
    for name, record in found.items():
        if "looks" in record:
            looks = ", ".join(f"{way} {rate:,.0f}/s" for way, rate in record["looks"].items())
            lines.append(f"- {name}: PyTorch's way is {record['way']} (tried: {looks})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
