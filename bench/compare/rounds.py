"""Blocks of repetitions of all sides, by turns, so that a slow minute of the machine meets all of them."""

import statistics
import sys
import time
from functools import partial

from agreement import reason
from problem import Problem
from works import KINDS

BLOCK_SECONDS = 0.3
BLOCK_REPETITIONS = 20
# A block of a slow work is no longer than this, and has this many repetitions.
SLOW_BLOCK_SECONDS = 2.0
SLOW_BLOCK_REPETITIONS = 5
# A first look of this length is enough to choose by.
LOOK_SECONDS = 0.2
# What is left of the other sides' threads goes to sleep in the meantime.
PAUSE_SECONDS = 0.02


def prepare(thalweg, names, with_compiled):
    """For each work a record without rounds yet, and the function that times a block of each side.

    A record: `kind`; for a linear map `flops`; `ways`, the calibrated median of each way to write it in PyTorch in
    nanoseconds; `failed`, why, by way that does not work; and by side (`thalweg`, `pytorch`, `compiled`) `repetitions` in a block,
    `chosen`, the fastest way, and `ns`, to be filled with the median of each round's block.
    """
    return {name: prepare_one(thalweg, name, with_compiled) for name in names}


def prepare_one(thalweg, name, with_compiled):
    described = thalweg.works[name]
    print(f"preparing {name}", file=sys.stderr)
    problem = Problem(*thalweg.arrays(name))
    # By side: its fastest way, what times a block of it, and the median when it was tried.
    fastest = {"thalweg": ("thalweg", partial(thalweg.time, name), calibrate(partial(thalweg.time, name)))}
    record = {**described, "ways": {}, "failed": {}, "ns": {}}
    for way, (make, compiled) in KINDS[described["kind"]].ways(problem).items():
        if compiled and not with_compiled:
            continue
        side = "compiled" if compiled else "pytorch"
        try:
            timed = partial(block, make())
            median = calibrate(timed)
        except Exception as error:
            record["failed"][way] = reason(error)
            continue
        record["ways"][way] = median
        if side not in fastest or median < fastest[side][2]:
            fastest[side] = way, timed, median
    if "pytorch" not in fastest:
        raise RuntimeError(f"{name}: expected a way that works, found {record['failed']}")
    record["chosen"] = {side: way for side, (way, _, _) in fastest.items()}
    record["repetitions"] = {side: fill_block(median) for side, (_, _, median) in fastest.items()}
    record["ns"] = {side: [] for side in fastest}
    return record, {side: partial(timed, record["repetitions"][side]) for side, (_, timed, _) in fastest.items()}


def run(prepared, count):
    """Times all works in so many rounds; the records."""
    for number in range(count):
        print(f"round {number + 1} of {count}", file=sys.stderr)
        for record, sides in prepared.values():
            # Who goes first changes with the round, so that no side gains by its place.
            order = list(sides) if number % 2 == 0 else list(reversed(sides))
            for side in order:
                time.sleep(PAUSE_SECONDS)
                record["ns"][side].append(sides[side]())
    return {name: record for name, (record, _) in prepared.items()}


def calibrate(timed):
    """The lower median of two blocks, after a first look at how many repetitions they need."""
    look = timed(5)
    if 5 * look > LOOK_SECONDS * 1e9:
        return look
    return min(timed(fill_block(look)) for _ in range(2))


def fill_block(median_ns):
    """Repetitions that make a block."""
    seconds = max(median_ns, 1) / 1e9
    enough = min(BLOCK_REPETITIONS, round(SLOW_BLOCK_SECONDS / seconds))
    return max(SLOW_BLOCK_REPETITIONS, enough, round(BLOCK_SECONDS / seconds))


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
