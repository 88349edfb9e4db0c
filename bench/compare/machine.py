"""What the timings were taken on."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

import numpy
import torch


def describe(thalweg, threads):
    """Processor, instructions, versions, threads, date."""
    rustc = subprocess.run(
        ["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads,
        "instruction_set_thalweg": thalweg.machine["instruction_set"],
        "instruction_set_pytorch": torch.backends.cpu.get_cpu_capability(),
        "pytorch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "rustc": rustc,
        "system": platform.platform(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def processor():
    """The processor's name for itself."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def load():
    """Mean number of runnable processes over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
