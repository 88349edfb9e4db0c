"""The works in PyTorch, by kind.

A kind is a module with two functions. `ways(problem)` gives the ways in which a careful user would write it, by name;
the fastest one counts. `results(problem, run)` says what a way computes, and what thalweg computed.
"""

from functools import partial
from types import SimpleNamespace

from works import bare, derivative, line, products, step

KINDS = {
    "step": step,
    "gradient": derivative,
    "hessian_product": SimpleNamespace(ways=products.hessian_product, results=products.results),
    "hessian_products": SimpleNamespace(ways=products.hessian_products, results=products.results),
    "ggn_product": SimpleNamespace(ways=products.ggn_product, results=products.results),
    "line": line,
    **{
        kind: SimpleNamespace(ways=partial(bare.ways, kind), results=bare.results)
        for kind in ("product", "forward", "input_adjoint", "weight_adjoint")
    },
}
