"""Whether both sides compute the same thing from the same operands."""

from problem import Problem
from works import KINDS, step

TOLERANCE = 1e-4
# In deep networks of ReLUs and pools some of many thousand pre-activations are so near to a kink that rounding decides on
# which side they are, and each of them counts in a derivative. PyTorch's two layouts differ as much from one another.
TOLERANCES = {"vgg11": 1e-2, "resnet20": 1e-2}


def check(thalweg, names, with_compiled):
    """Prints the largest difference over the largest entry for every way; says whether all are small."""
    agreed = True
    for name in names:
        problem, kind = Problem(*thalweg.arrays(name)), KINDS[thalweg.works[name]["kind"]]
        model = problem.described.get("model", {}).get("kind")
        tolerance = TOLERANCES.get(model, TOLERANCE)
        worked = False
        of_steps = {"lr": problem.arrays["lr"].item()} if kind is step else {}
        for way, (make, compiled) in kind.ways(problem, **of_steps).items():
            if compiled and not with_compiled:
                continue
            try:
                results = kind.results(problem, make())
            except Exception as error:
                print(f"--  does not work  {name}: {way}: {reason(error)}", flush=True)
                continue
            worked = True
            for what, (found, expected) in results.items():
                difference = (found - expected).abs().max().item() / expected.abs().max().item()
                # A NaN is no less than anything.
                same = difference <= tolerance
                agreed &= same
                verdict = "ok" if same else "DIFFERENT"
                print(f"{verdict}  {difference:.1e}  {name}, {what}: {way}", flush=True)
        agreed &= worked
    return agreed


def reason(error):
    """What an error says, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
