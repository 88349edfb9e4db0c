"""Every architecture of thalweg's as a module of PyTorch, written from its description: interchange.py loads weights into it.

A module is made from a model's configuration, the shape of an example and the number of outputs. Nothing here reads thalweg's
programs, and names are those that the documentation promises. Of a field that is not given holds what the documentation says.
"""

from architectures import dense, images, lists, recurrent, residual, transformers

MODULES = {
    **dense.MODULES,
    **images.MODULES,
    **lists.MODULES,
    **recurrent.MODULES,
    **residual.MODULES,
    **transformers.MODULES,
}


def module(model, input, outputs):
    """The module of that configuration."""
    return MODULES[model["kind"]](model, input, outputs)
