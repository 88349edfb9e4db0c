#!/usr/bin/env python3
"""Times thalweg beside eager PyTorch on the same work, or checks that both compute the same.

See bench/README.md.
"""

import argparse
import json
from pathlib import Path

import environment


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="results, not times; status 1 if they differ")
    parser.add_argument(
        "--rounds", type=positive, default=7, help="blocks of each work on each side (default 7)"
    )
    parser.add_argument("--threads", type=positive, default=2, help="threads on each side (default 2)")
    parser.add_argument(
        "--work", action="append", metavar="NAME", help="only this work; may be given more than once"
    )
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


def main():
    """Parses before anything heavy is installed or imported, so that --help is cheap."""
    arguments = parse()
    environment.enter()

    import torch

    import agreement
    import machine
    import report
    import rounds
    from thalweg import Thalweg, build

    torch.set_num_threads(arguments.threads)
    thalweg = Thalweg(build(), arguments.threads)
    if arguments.check:
        raise SystemExit(0 if agreement.check(thalweg) else 1)
    described = machine.describe(thalweg, arguments.threads)
    bystanders = machine.Bystanders(thalweg.process)
    works = rounds.run(thalweg, arguments.work, arguments.rounds)
    described["cores_of_others"] = bystanders.cores()
    rows = report.rows(works)
    print(report.markdown(rows, works, described))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(
        json.dumps({"machine": described, "rows": rows, "works": works}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
