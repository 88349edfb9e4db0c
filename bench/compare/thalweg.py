"""The other process: the release binary of thalweg-bench and its line protocol."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

CHECKOUT = Path(__file__).resolve().parents[2]


def build(*names):
    """Builds the binaries of those names, which are their packages' too, and returns their paths."""
    command = ["cargo", "build", "--release"] + [word for name in names for word in ("--package", name)]
    # Objects on standard output, and what the compiler has to say, readable, on standard error.
    command += ["--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {built.returncode}")
    artifacts = [json.loads(line) for line in built.stdout.splitlines()]
    binaries = {
        artifact["target"]["name"]: artifact["executable"] for artifact in artifacts if artifact.get("executable")
    }
    return [binaries[name] for name in names]


class Thalweg:
    """The binary at work with a number of threads."""

    def __init__(self, binary, threads, environment={}):
        self.process = subprocess.Popen(
            [binary],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, "RAYON_NUM_THREADS": str(threads)},
        )
        self.machine = self.ask("machine")
        self.works = {work["name"]: work for work in self.machine["works"]}

    def ask(self, request):
        """The answer to one request."""
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise RuntimeError(f"{request}: expected an answer, found that the process ended with {status}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{request}: {answer['error']}")
        return answer

    def time(self, work, repetitions):
        """Median time of a repetition in nanoseconds."""
        return self.ask(f"{work} {repetitions}")["median_ns"]

    def arrays(self, work):
        """What the operands of a work are, and operands and results by name."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "arrays"
            return read_arrays(self.ask(f"arrays {work} {path}"), path)


def read_arrays(described, path):
    """An answer to `arrays`, and the arrays in the file by name."""
    data = path.read_bytes()
    return described, {
        place["name"]: numpy.frombuffer(
            data, place["dtype"], int(numpy.prod(place["shape"])), place["offset"]
        ).reshape(place["shape"])
        for place in described["arrays"]
    }
