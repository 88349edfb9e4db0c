"""Whether both sides compute the same thing from the same operands."""

import torch

import eager

TOLERANCE = 1e-4


def check(thalweg):
    """Prints the largest difference over the largest entry for every variant; says whether all are small."""
    worst = 0.0
    for work, variants_of in eager.WORKS.items():
        problem = eager.Problem(thalweg.arrays(work))
        ours = problem.arrays
        if variants_of is eager.step:
            variants = eager.step(problem, ours["lr"].item())
        else:
            variants = variants_of(problem)
        for name, run in variants.items():
            for what, (found, expected) in results(problem, variants_of, run).items():
                difference = (found - expected).abs().max().item() / expected.abs().max().item()
                # Not `max`, which would lose a NaN.
                worst = worst if difference <= worst else difference
                verdict = "ok" if difference <= TOLERANCE else "DIFFERENT"
                print(f"{verdict}  {difference:.1e}  {work}, {what}: {name}")
    return worst <= TOLERANCE


def results(problem, work, run):
    """What a variant computes and what thalweg computed, by name."""
    ours = problem.arrays
    if work is eager.step:
        for _ in range(int(ours["steps"].item())):
            model = run()
        # The way gone, not the place: a step is small beside the weights.
        ways = [after - ours["theta"] for after in (eager.flat(model.parameters()), ours["theta_after"])]
        return {"the way of the steps": ways}
    if work is eager.gradient:
        loss, gradient = run()
        return {"loss": (loss.detach(), ours["loss"]), "gradient": (eager.flat(gradient), ours["gradient"])}
    if work is eager.line:
        return {"losses": (torch.tensor(run()), ours["losses"])}
    return {"products": (torch.cat([eager.flat(product) for product in run()]), ours["products"])}
