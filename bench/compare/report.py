"""From the medians of blocks to a table."""

import statistics

# A ratio of medians, thalweg's over PyTorch's, and the most that it is meant to be.
AGAINST_PYTORCH = {
    "step_784": 1.0,
    "step_64": 0.12,
    "gradient_784": None,
    "hvp_784": 0.6,
    "hvp8_784": None,
    "ggn_784": None,
    "line_51": 0.3,
}
# Cores that other processes may keep busy while a verdict still means something. Threads that wait for each
# other lose far more to a bystander than its share, PyTorch's more than thalweg's.
CORES_OF_OTHERS_MAX = 0.1
# Thalweg's time for the first work over so many times that for the second.
WITHIN_THALWEG = [("hvp_784", 1, "gradient_784", 2.5), ("hvp8_784", 8, "hvp_784", 0.8)]


def rows(works):
    """A row for each comparison of which all works were timed; its ratio is the median over rounds."""
    found = []
    for name, target in AGAINST_PYTORCH.items():
        if name in works:
            ours, theirs = works[name]["thalweg_ns"], works[name]["pytorch_ns"]
            found.append(row(name, ours, theirs, [a / b for a, b in zip(ours, theirs)], target))
    for name, times, unit, target in WITHIN_THALWEG:
        if name in works and unit in works:
            ours, units = works[name]["thalweg_ns"], works[unit]["thalweg_ns"]
            label = f"{name} / {f'{times} × ' if times > 1 else ''}{unit}"
            found.append(row(label, ours, None, [a / (times * b) for a, b in zip(ours, units)], target))
    return found


def row(label, ours_ns, theirs_ns, ratios, target):
    """Medians over rounds, and the lowest and highest ratio of a round."""
    ratio = statistics.median(ratios)
    return {
        "work": label,
        "thalweg_ms": statistics.median(ours_ns) / 1e6,
        "pytorch_ms": statistics.median(theirs_ns) / 1e6 if theirs_ns else None,
        "ratio": ratio,
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "target": target,
        "met": None if target is None else ratio <= target,
    }


def markdown(found, works, machine):
    """The table, how each work was written in PyTorch, and the machine. No verdicts if it was not quiet."""
    others = machine["cores_of_others"]
    quiet = others is None or others <= CORES_OF_OTHERS_MAX
    lines = [
        "| work | thalweg ms | PyTorch ms | ratio | rounds | target | met? |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in found:
        met = {None: "", True: "yes", False: "**no**"}[entry["met"] if quiet else None]
        target = "" if entry["target"] is None else f"≤ {entry['target']:g}"
        pytorch = "" if entry["pytorch_ms"] is None else f"{entry['pytorch_ms']:.3g}"
        spread = f"{entry['ratio_min']:.3g} – {entry['ratio_max']:.3g}"
        ours, ratio = f"{entry['thalweg_ms']:.3g}", f"{entry['ratio']:.3g}"
        lines.append(f"| {' | '.join([entry['work'], ours, pytorch, ratio, spread, target, met])} |")
    lines.append("")
    for name, record in works.items():
        ways = ", ".join(f"{way} {ns / 1e6:.3g} ms" for way, ns in record["variants"].items())
        lines.append(f"- {name} in PyTorch: {record['variant']} (tried: {ways})")
    lines.append("")
    lines.append(
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; thalweg with "
        f"{machine['instruction_set_thalweg']}, {machine['rustc']}; PyTorch {machine['pytorch']} with "
        f"{machine['instruction_set_pytorch']}, Python {machine['python']}; {machine['system']}; "
        f"{machine['date']}; other processes: {'unknown' if others is None else f'{others:.2f} cores'}."
    )
    if not quiet:
        lines += ["", "**Other processes were running: these times are no measurement, hence no verdicts.**"]
    return "\n".join(lines)
