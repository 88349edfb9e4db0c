"""Peak memory of a work, each side and each way in a process of its own (Linux).

What counts is the most that was resident during the first three repetitions, less what was resident before the first
one, when operands and parameters lay there already, and less code that was read from files meanwhile. PyTorch has done the
same on a tiny perceptron before, so what it imports when it is first asked for derivatives does not count.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

from networks import CLASSES
from problem import Problem
from report import table
from thalweg import Thalweg, read_arrays
from works import KINDS

# A step and what is like it; a bare map takes what its result takes.
KINDS_MEASURED = ["step", "gradient", "hessian_product", "ggn_product"]
REPETITIONS = 3
# Freed memory goes back to the system at once on both sides, so what an earlier step freed hides nothing.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 17), "MALLOC_TRIM_THRESHOLD_": str(1 << 17)}
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def measure(binary, names, threads):
    """By work the MiB that thalweg takes, and each way of eager PyTorch."""
    found = {}
    for name in names:
        print(f"memory of {name}", file=sys.stderr)
        ours = Thalweg(binary, threads, ENVIRONMENT).ask(f"memory {name} {REPETITIONS}")
        with tempfile.TemporaryDirectory() as folder:
            thalweg = Thalweg(binary, threads)
            path = Path(folder) / "arrays"
            described = thalweg.ask(f"arrays {name} {path}")
            ways = KINDS[thalweg.works[name]["kind"]].ways(Problem(*read_arrays(described, path)))
            theirs = {}
            for way in (way for way, (_, compiled) in ways.items() if not compiled):
                asked = {"kind": thalweg.works[name]["kind"], "way": way, "threads": threads}
                theirs[way] = in_child({**asked, "path": str(path), "described": described})
        found[name] = {"thalweg_mib": mib(ours), "ways": {way: mib(it) for way, it in theirs.items() if it}}
    return found


def mib(memory):
    """What counts, in MiB."""
    return (memory["peak_kib"] - memory["before_kib"] - memory["files_kib"]) / 1024


def in_child(asked):
    """The answer of a process of its own; None where the way does not work."""
    child = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )
    return json.loads(child.stdout) if child.returncode == 0 else None


def child():
    """One way of one work, as standard input says."""
    import torch

    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    problem = Problem(*read_arrays(asked["described"], Path(asked["path"])))
    kind = KINDS[asked["kind"]]
    tiny = kind.ways(tiny_problem())
    # The setting, which a perceptron does not have, stands in front.
    next(make for way, (make, _) in tiny.items() if asked["way"].endswith(way))()()
    run = kind.ways(problem)[asked["way"]].make()
    # Makes the highest use so far the present one.
    CLEAR.write_text("5")
    before, files = status("VmRSS"), status("RssFile")
    for _ in range(REPETITIONS):
        run()
    found = {"before_kib": before, "peak_kib": status("VmHWM"), "files_kib": status("RssFile") - files}
    print(json.dumps(found))


def tiny_problem():
    """A perceptron and two examples."""
    shapes = {"layers.0.weight": [4, 3], "layers.0.bias": [4], "layers.1.weight": [CLASSES, 4]}
    shapes["layers.1.bias"] = [CLASSES]
    n = sum(math.prod(shape) for shape in shapes.values())
    described = {
        "model": {"kind": "mlp", "widths": [4]},
        "input": [3],
        "leaves": [{"name": name, "shape": shape} for name, shape in shapes.items()],
    }
    arrays = {"inputs": numpy.ones((2, 3)), "theta": numpy.ones(n), "tangents": numpy.ones((1, n))}
    arrays = {name: array.astype(numpy.float32) for name, array in arrays.items()}
    return Problem(described, {**arrays, "labels": numpy.zeros(2, numpy.int32)})


def status(name):
    """A line of what the system says of this process, in KiB."""
    return next(
        int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:")
    )


def markdown(found):
    """A table: thalweg beside the way of PyTorch that takes least."""
    lines = []
    for name, memory in found.items():
        way = min(memory["ways"], key=memory["ways"].get)
        ours, theirs = memory["thalweg_mib"], memory["ways"][way]
        lines.append([name, f"{ours:.3g}", f"{theirs:.3g}", f"{ours / theirs:.3g}", way])
    header = ["peak memory", "thalweg MiB", "PyTorch MiB", "ratio", "of PyTorch's ways the leanest"]
    return "\n".join(table(header, lines))


if __name__ == "__main__":
    child()
