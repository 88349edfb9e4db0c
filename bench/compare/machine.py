"""What the timings were taken on."""

import datetime
import os
import platform
import subprocess
import time
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


class Bystanders:
    """How much of the processor others take from its making on, where the system tells (Linux)."""

    def __init__(self, process):
        """`process` is the one that counts as ours beside this one."""
        self.process = process
        self.start = self.clocks()

    def cores(self):
        """Cores that others kept busy on average, what a host withheld included; None if unknown.

        The load average will not do: it counts what is measured, too, and forgets slowly.
        """
        if self.start is None:
            return None
        seconds, others = (end - start for start, end in zip(self.start, self.clocks(), strict=True))
        return max(others / seconds, 0.0)

    def clocks(self):
        """Seconds that have passed, and seconds of processor time that others have used."""
        whole, own = Path("/proc/stat"), Path(f"/proc/{self.process.pid}/stat")
        if not (whole.exists() and own.exists()):
            return None
        tick = os.sysconf("SC_CLK_TCK")
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, whole.read_text().split()[1:9])
        busy = (user + nice + system + irq + softirq + steal) / tick
        # The name, in parentheses, may hold blanks; user and system time are fields 14 and 15.
        fields = own.read_text().rsplit(")", 1)[1].split()
        ours = (int(fields[11]) + int(fields[12])) / tick + time.process_time()
        return time.monotonic(), busy - ours
