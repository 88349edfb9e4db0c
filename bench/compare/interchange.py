#!/usr/bin/env python3
"""Sends the weights of every architecture from thalweg to PyTorch and back, and compares what the networks answer.

See docs/interchange.md. Exit status 1 if anything differs.
"""

import argparse
import platform
import re
import sys
import tempfile
import warnings
from pathlib import Path

import environment

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "interchange.md"
BEGIN, END = "<!-- begin table -->\n", "<!-- end table -->\n"
TOLERANCES = {"f32": 1e-5, "f64": 1e-12}


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        metavar="TEXT,…",
        help="only networks whose names contain one of these: mlp,resnet20",
    )
    parser.add_argument("--threads", type=int, default=2, help="threads on each side (default 2)")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT.name}")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("expected --write with all networks, found --only")
    if arguments.threads < 1:
        parser.error(f"expected --threads from 1, found {arguments.threads}")
    return arguments


def kinds(bench):
    """The kinds of models that thalweg knows, as its error for another one lists them."""
    try:
        bench.ask('logits {"model": {"kind": ""}}')
    except RuntimeError as error:
        return set(re.findall(r"`([a-z0-9_]+)`", str(error)))
    raise RuntimeError("expected an error for a model without a name, found an answer")


def exchanged(case, folder, command, bench, threads):
    """Every way of a case: the distances by precision and direction, what the network is, and what failed."""
    from exchange import Differs, Exchange

    distances, described, failures = {}, None, []
    for precision, tolerance in TOLERANCES.items():
        exchange = Exchange(case, precision, folder / precision, command, bench, threads)
        ways = {"→": exchange.to_pytorch, "←": exchange.to_thalweg}
        if not case.both_ways:
            del ways["→"]
        for way, go in ways.items():
            try:
                distances[precision, way], described = go()
                if not distances[precision, way] <= tolerance:
                    failures.append(f"{precision} {way}: {distances[precision, way]:.1e} > {tolerance:.0e}")
            except (Differs, RuntimeError) as error:
                failures.append(f"{precision} {way}: {error}")
    return distances, described or {"parameters": "?", "statistics": "?"}, failures


def row(case, distances, described):
    """A line of the table."""
    columns = [(precision, way) for precision in TOLERANCES for way in "→←"]
    # `{:.0e}` of nothing is 0e+00.
    number = lambda distance: f"{distance:.0e}" if distance else "0"
    numbers = [number(distances[column]) if column in distances else "–" for column in columns]
    counts = [f"{described[what]:,}" if described[what] != "?" else "?" for what in ("parameters", "statistics")]
    return "| " + " | ".join([case.name, *counts, *numbers]) + " |"


def header():
    """The first lines of the table."""
    import torch
    import torchvision
    from safetensors import __version__ as safetensors

    versions = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, safetensors {safetensors}"
    names = ["network", "parameters", "running statistics", "f32 →", "f32 ←", "f64 →", "f64 ←"]
    rule = "|---|" + "--:|" * (len(names) - 1)
    about = f"{versions}, Python {platform.python_version()}, {platform.system()} {platform.machine()}."
    return [about, "", "| " + " | ".join(names) + " |", rule]


def main():
    """Parses before anything heavy is installed or imported, so that --help is cheap."""
    arguments = parse()
    environment.enter()

    import torch

    from architectures.cases import CASES
    from thalweg import Thalweg, build

    torch.set_num_threads(arguments.threads)
    # It is slow with windows of even length, and says so.
    warnings.filterwarnings("ignore", message="Using padding='same'")
    chosen = [case for case in CASES if any(text in case.name for text in arguments.only or [""])]
    if not chosen:
        sys.exit(f"expected --only to name some of {[case.name for case in CASES]}, found {arguments.only}")
    command, binary = build("thalweg", "thalweg-bench")
    bench = Thalweg(binary, arguments.threads)
    lines, failed = header(), []
    missing = kinds(bench) - {case.model["kind"] for case in CASES}
    if missing:
        failed.append(f"expected a network of every kind, found none of {sorted(missing)}")
    print("\n".join(lines), flush=True)
    for number, case in enumerate(chosen):
        with tempfile.TemporaryDirectory() as folder:
            found = exchanged(case, Path(folder) / str(number), command, bench, arguments.threads)
        *of_row, failures = found
        failed += [f"{case.name}, {failure}" for failure in failures]
        lines.append(row(case, *of_row))
        print(lines[-1], flush=True)
    for failure in failed:
        print(f"DIFFERENT  {failure}", file=sys.stderr)
    if failed:
        sys.exit(1)
    if arguments.write:
        before, rest = DOCUMENT.read_text().split(BEGIN)
        _, after = rest.split(END)
        DOCUMENT.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    main()
