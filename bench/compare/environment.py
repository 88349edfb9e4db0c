"""A Python environment with PyTorch and what goes with it, outside the checkout and kept between runs.

It is the folder that THALWEG_BENCH_ENV names, or thalweg-bench in the user's cache folder. It is made when it
is missing, or mended when an earlier making was cut short.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

# torchvision for its networks and safetensors for its files: interchange.py loads them.
PACKAGES = ["torch", "numpy", "safetensors", "torchvision"]


def folder():
    """Where the environment is."""
    named = os.environ.get("THALWEG_BENCH_ENV")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named or f"{cache}/thalweg-bench").expanduser().absolute()


def enter():
    """Goes on in the environment: returns in its interpreter, and replaces the process in any other."""
    if Path(sys.prefix).resolve() == folder().resolve():
        return
    python = folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not complete(python):
        print(f"Installing {', '.join(PACKAGES)} into {folder()} (once; some gigabytes)", file=sys.stderr)
        venv.create(folder(), with_pip=True)
        # Standard output is for the table.
        subprocess.run([python, "-m", "pip", "install", *PACKAGES], check=True, stdout=sys.stderr)
        if not complete(python):
            sys.exit(f"{folder()}: expected {PACKAGES} after the installation, found that they do not import")
    os.execv(python, [str(python), *sys.argv])


def complete(python):
    """Whether that interpreter exists and has the packages."""
    if not python.exists():
        return False
    imports = "import " + ", ".join(PACKAGES)
    return subprocess.run([python, "-c", imports], stderr=subprocess.DEVNULL).returncode == 0
