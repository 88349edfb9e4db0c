"""From the medians of blocks to tables."""

import statistics

# The most that a ratio of medians, thalweg's over eager PyTorch's, is meant to be.
AGAINST_PYTORCH = {
    "step_784": 1.0,
    "step_64": 0.12,
    "hvp_784": 0.6,
    "line_51": 0.3,
    "step_lenet5": 0.5,
    "step_resnet20": 1.0,
    "step_vgg11": 1.0,
    "step_vit": 1.0,
    "step_lstm": 0.8,
    "hvp_resnet20": 0.5,
    "hvp_lenet5": 0.5,
}
# The standard architectures.
NETWORKS = ["lenet5", "vgg11", "resnet20", "vit", "lstm", "gpt"]
# The most that a Hessian-vector product is meant to be of thalweg's own gradient. By its multiplications it is 3 of them where each
# product is of two things that depend on the weights, a little less where a first layer's inputs do not.
AGAINST_GRADIENT = {"resnet20": 2.5}
# Thalweg's time for the first work over so many times that for the second.
WITHIN_THALWEG = [
    ("hvp_784", 1, "gradient_784", 2.5),
    ("hvp8_784", 8, "hvp_784", 0.8),
    *((f"hvp_{network}", 1, f"gradient_{network}", AGAINST_GRADIENT.get(network)) for network in NETWORKS),
]
# The rate of a convolution is set beside that of this work.
PRODUCT = "product_2048"
# The least part that a convolution is meant to reach of the machine's rate for a large product: the better side's.
OF_PRODUCT = 0.8
# Cores that other processes may keep busy while a verdict still means something. Threads that wait for each
# other lose far more to a bystander than its share, PyTorch's more than thalweg's.
CORES_OF_OTHERS_MAX = 0.1


def rows(works):
    """A row for each comparison of which all works were timed; its ratio is the median over rounds."""
    found = [row(name, record["ns"], AGAINST_PYTORCH.get(name)) for name, record in works.items()]
    for name, times, unit, target in WITHIN_THALWEG:
        if name in works and unit in works:
            ours, units = works[name]["ns"]["thalweg"], works[unit]["ns"]["thalweg"]
            label = f"{name} / {f'{times} × ' if times > 1 else ''}{unit}"
            found.append(row(label, {"thalweg": ours, "units": [times * unit for unit in units]}, target))
    return found


def row(label, ns, target):
    """Medians over rounds, and the lowest and highest ratio of a round."""
    ours = ns["thalweg"]
    against = {side: [a / b for a, b in zip(ours, theirs)] for side, theirs in ns.items() if side != "thalweg"}
    first = against.get("pytorch") or against["units"]
    ratio = statistics.median(first)
    return {
        "work": label,
        "ms": {side: statistics.median(times) / 1e6 for side, times in ns.items() if side != "units"},
        "ratio": ratio,
        "ratio_min": min(first),
        "ratio_max": max(first),
        "ratio_compiled": statistics.median(against["compiled"]) if "compiled" in against else None,
        "target": target,
        "met": None if target is None else ratio <= target,
    }


def rates(works):
    """For each convolution its rate and its part of that of a large product, by side, medians over rounds."""
    if PRODUCT not in works:
        return []
    large = works[PRODUCT]
    found = []
    for name, record in works.items():
        if "flops" not in record or name == PRODUCT:
            continue

        def part(side, yardstick):
            """The rate of a side over a side's rate for the large product."""
            pairs = zip(record["ns"][side], large["ns"][yardstick])
            return statistics.median(record["flops"] / ns * of / large["flops"] for ns, of in pairs)

        found.append(
            {
                "work": name,
                "gflops": {side: record["flops"] / statistics.median(ns) for side, ns in record["ns"].items()},
                "thalweg_of_own": part("thalweg", "thalweg"),
                "thalweg_of_pytorch": part("thalweg", "pytorch"),
                "pytorch_of_own": part("pytorch", "pytorch"),
            }
        )
    return found


def markdown(found, found_rates, works, machine):
    """The tables, how each work was written in PyTorch, and the machine. No verdicts if it was not quiet."""
    others = machine["cores_of_others"]
    quiet = others is None or others <= CORES_OF_OTHERS_MAX
    header = ["work", "thalweg ms", "PyTorch ms", "ratio", "rounds", "compiled ms", "ratio", "target", "met?"]
    lines = table(header, (cells(entry, quiet) for entry in found))
    if found_rates:
        header = ["GFLOP/s", "thalweg", "of its product", "of PyTorch's", "PyTorch", "of its product"]
        header += ["target", "met?"]
        large = works[PRODUCT]
        whole = {side: large["flops"] / statistics.median(ns) for side, ns in large["ns"].items()}
        first = [PRODUCT, f"{whole['thalweg']:.0f}", "", "", f"{whole['pytorch']:.0f}", "", "", ""]
        lines += ["", *table(header, [first, *(rate_cells(entry, quiet) for entry in found_rates)])]
    lines += ["", *ways(works), "", on(machine)]
    if not quiet:
        lines += ["", "**Other processes were running: these times are no measurement, hence no verdicts.**"]
    return "\n".join(lines)


def table(header, body):
    """Lines of a Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *body)]


def cells(entry, quiet):
    """A comparison of times."""
    milliseconds = entry["ms"]
    compiled = entry["ratio_compiled"]
    return [
        entry["work"],
        f"{milliseconds['thalweg']:.3g}",
        f"{milliseconds['pytorch']:.3g}" if "pytorch" in milliseconds else "",
        f"{entry['ratio']:.3g}",
        f"{entry['ratio_min']:.3g} – {entry['ratio_max']:.3g}",
        f"{milliseconds['compiled']:.3g}" if "compiled" in milliseconds else "",
        "" if compiled is None else f"{compiled:.3g}",
        "" if entry["target"] is None else f"≤ {entry['target']:g}",
        verdict(entry["met"], quiet),
    ]


def rate_cells(entry, quiet):
    """A rate beside that of a product."""
    met = min(entry["thalweg_of_own"], entry["thalweg_of_pytorch"]) >= OF_PRODUCT
    return [
        entry["work"],
        f"{entry['gflops']['thalweg']:.0f}",
        f"{entry['thalweg_of_own']:.2f}",
        f"{entry['thalweg_of_pytorch']:.2f}",
        f"{entry['gflops']['pytorch']:.0f}",
        f"{entry['pytorch_of_own']:.2f}",
        f"≥ {OF_PRODUCT:g}",
        verdict(met, quiet),
    ]


def verdict(met, quiet):
    """Whether a target was met, in a word; none if nobody can tell."""
    return {None: "", True: "yes", False: "**no**"}[met if quiet else None]


def ways(works):
    """How each work was written in PyTorch, and what does not work there."""
    lines = []
    for name, record in works.items():
        tried = ", ".join(f"{way} {ns / 1e6:.3g} ms" for way, ns in record["ways"].items())
        chosen = " and ".join(way for side, way in record["chosen"].items() if side != "thalweg")
        lines.append(f"- {name} in PyTorch: {chosen} (tried: {tried})")
        lines += [f"  - does not work: {way}: {why}" for way, why in record["failed"].items()]
    return lines


def on(machine):
    """What the timings were taken on, in a sentence."""
    others = machine["cores_of_others"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; thalweg with "
        f"{machine['instruction_set_thalweg']}, {machine['rustc']}; PyTorch {machine['pytorch']} with "
        f"{machine['instruction_set_pytorch']}, Python {machine['python']}; {machine['system']}; "
        f"{machine['date']}; other processes: {'unknown' if others is None else f'{others:.2f} cores'}."
    )
