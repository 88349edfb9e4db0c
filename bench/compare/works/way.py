"""How a work may be written."""

from typing import Callable, NamedTuple

import torch


class Way(NamedTuple):
    """`make()` prepares operands and returns a function that does the work once and returns what it computed."""

    make: Callable
    compiled: bool = False


def compiled(function):
    """The function as `torch.compile` has it: all of it, or an error."""
    return torch.compile(function, fullgraph=True, dynamic=False)


def named(setting, way):
    """The name of a way in a setting."""
    return f"{setting}, {way}" if setting else way
