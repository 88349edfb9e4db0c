#!/usr/bin/env python3
"""Sets thalweg beside PyTorch on the same work: times, memory, or whether both compute the same.

See bench/README.md.
"""

import argparse
import json
import sys
from pathlib import Path

import environment


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="results, not times; status 1 if they differ")
    mode.add_argument("--memory", action="store_true", help="peak memory, not times (Linux)")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[""],
        metavar="TEXT,…",
        help="only works whose names contain one of these: lenet5,vgg11 or step or hvp_784",
    )
    parser.add_argument(
        "--rounds", type=positive, default=7, help="blocks of each work on each side (default 7)"
    )
    parser.add_argument("--threads", type=positive, default=2, help="threads on each side (default 2)")
    parser.add_argument("--eager", action="store_true", help="leave out torch.compile, which takes minutes")
    default = Path(__file__).resolve().parents[2] / "target" / "compare.json"
    parser.add_argument(
        "--json", type=Path, default=default, help=f"where all numbers go (default {default})"
    )
    return parser.parse_args()


def positive(text):
    """A whole number from 1."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return int(text)


def choose(works, only):
    """The works whose names contain one of the texts, and the product that convolutions are set beside."""
    import report

    chosen = [name for name in works if any(text in name for text in only)]
    if not chosen:
        sys.exit(f"expected --only to name some of {list(works)}, found {','.join(only)}")
    convolutions = any("flops" in works[name] for name in chosen)
    return [name for name in works if name in chosen or (convolutions and name == report.PRODUCT)]


def main():
    """Parses before anything heavy is installed or imported, so that --help is cheap."""
    arguments = parse()
    environment.enter()

    import torch

    import agreement
    import memory
    import report
    from thalweg import Thalweg, build

    torch.set_num_threads(arguments.threads)
    # Every way of every work is compiled from the same few functions.
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 1000
    (binary,) = build("thalweg-bench")
    thalweg = Thalweg(binary, arguments.threads)
    names = choose(thalweg.works, arguments.only)
    if arguments.check:
        raise SystemExit(0 if agreement.check(thalweg, names, not arguments.eager) else 1)
    if arguments.memory:
        names = [name for name in names if thalweg.works[name]["kind"] in memory.KINDS_MEASURED]
        found = memory.measure(binary, names, arguments.threads)
        print(memory.markdown(found))
    else:
        found = times(thalweg, names, arguments)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def times(thalweg, names, arguments):
    """Takes the times and prints the tables; all numbers."""
    import machine
    import report
    import rounds

    described = machine.describe(thalweg, arguments.threads)
    prepared = rounds.prepare(thalweg, names, not arguments.eager)
    bystanders = machine.Bystanders(thalweg.process)
    works = rounds.run(prepared, arguments.rounds)
    described["cores_of_others"] = bystanders.cores()
    rows, rates = report.rows(works), report.rates(works)
    print(report.markdown(rows, rates, works, described))
    return {"machine": described, "rows": rows, "rates": rates, "works": works}


if __name__ == "__main__":
    main()
