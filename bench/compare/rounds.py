"""Blocks of repetitions of both sides, by turns, so that a slow minute of the machine meets both."""

import statistics
import sys
import time
from functools import partial

import eager

BLOCK_SECONDS = 0.3
BLOCK_REPETITIONS = 20
# What is left of the other side's threads goes to sleep in the meantime.
PAUSE_SECONDS = 0.02


def run(thalweg, names, count):
    """Times the named works (or all) in so many rounds.

    A work's record: `thalweg_ns` and `pytorch_ns`, the median of each round's block; `variants`, the
    calibrated median of each way to write it in PyTorch; `variant`, the fastest, which is the one in the
    rounds; and the repetitions in a block.
    """
    unknown = set(names or []) - set(eager.WORKS)
    if unknown:
        sys.exit(f"expected --work to be one of {sorted(eager.WORKS)}, found {sorted(unknown)}")
    chosen = {name: prepare(thalweg, name) for name in eager.WORKS if not names or name in names}
    for number in range(count):
        print(f"round {number + 1} of {count}", file=sys.stderr)
        for name, (record, fastest) in chosen.items():
            repetitions = record["repetitions"]
            sides = [
                ("thalweg_ns", partial(thalweg.time, name, repetitions["thalweg"])),
                ("pytorch_ns", partial(block, fastest, repetitions["pytorch"])),
            ]
            # Who goes first changes with the round, so that going second favours neither side.
            for side, timed in sides if number % 2 == 0 else reversed(sides):
                time.sleep(PAUSE_SECONDS)
                record[side].append(timed())
    return {name: record for name, (record, _) in chosen.items()}


def prepare(thalweg, name):
    """A record without rounds yet, and the fastest variant."""
    variants = eager.WORKS[name](eager.Problem(thalweg.arrays(name)))
    calibrated = {variant: calibrate(partial(block, run)) for variant, run in variants.items()}
    fastest = min(calibrated, key=calibrated.get)
    ours = calibrate(partial(thalweg.time, name))
    record = {
        "thalweg_ns": [],
        "pytorch_ns": [],
        "variants": calibrated,
        "variant": fastest,
        "repetitions": {"thalweg": fill_block(ours), "pytorch": fill_block(calibrated[fastest])},
    }
    return record, variants[fastest]


def calibrate(timed):
    """The lower median of two blocks, after a first look at how many repetitions they need."""
    repetitions = fill_block(timed(5))
    return min(timed(repetitions) for _ in range(2))


def fill_block(median_ns):
    """Repetitions that make a block."""
    return max(BLOCK_REPETITIONS, round(BLOCK_SECONDS * 1e9 / median_ns))


def block(run, repetitions):
    """Median time of a repetition in nanoseconds, after the same warm-up as on the other side."""
    for _ in range(max(-(-repetitions // 10), 3)):
        run()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - start)
    return int(statistics.median(times))
