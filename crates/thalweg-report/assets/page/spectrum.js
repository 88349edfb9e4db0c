// Heads of stems that are nearer than this many pixels would cover each other: such a row is a rug.
const HEADS_APART = 8;

// Rows of eigenvalues over one axis.
function spectrum({ record, looks }, choice, room) {
  const groups = record.groups.map((g) => ({ name: g.name, values: numbers(g.values), bounds: g.residuals && numbers(g.residuals) }));
  const values = groups.flatMap((g) => g.values).concat(record.marks.map((m) => number(m.value)));
  const x = scaled(choice.x, values);
  const n = groups.length, traces = [], heads = [];
  groups.forEach((g, k) => {
    const base = n - 1 - k, look = looks[k];
    const order = g.values.map((_, i) => i).sort((a, b) => g.values[b] - g.values[a]);
    const rank = [];
    order.forEach((i, r) => (rank[i] = r + 1));
    const stem = { x: [], y: [] };
    for (const v of g.values) { stem.x.push(x.shown(v), x.shown(v), null); stem.y.push(base, base + 0.6, null); }
    traces.push({ type: "scatter", mode: "lines", ...stem, line: { color: look.color, width: 1.2 }, opacity: 0.75, hoverinfo: "skip", showlegend: false, legendgroup: `g${k}` });
    const shown = g.values.map(x.shown);
    heads.push({ trace: traces.length, places: g.values.map(x.position) });
    traces.push({
      type: "scatter", mode: "markers", name: plain(g.name) || " ", legendgroup: `g${k}`, x: shown, y: g.values.map(() => base + 0.6), showlegend: false,
      marker: { symbol: look.sign, size: 7, color: look.color },
      text: g.values.map((v, i) => `λ = <b>${humane(v, 6)}</b>` + (g.bounds ? `<br>residual bound ${humane(g.bounds[i], 3)}` : "") + `<br>${rank[i]}. largest of ${g.values.length}`),
      hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
    });
  });
  groups.forEach((g, k) => {
    if (!g.bounds) return;
    const reach = (sign) => g.values.map((v, i) => {
      const end = x.position(v + sign * Math.abs(g.bounds[i]));
      return choice.x !== "log" && Number.isFinite(end) ? Math.abs(end - x.position(v)) : Math.abs(g.bounds[i]);
    });
    // Bounds that are narrower than a line is wide would be a mark without meaning.
    const [low, high] = extent(values.map(x.position)), up = reach(1), down = reach(-1);
    const seen = (v, i) => (choice.x === "log" || up[i] + down[i] > 0.004 * (high - low) ? x.shown(v) : null);
    const bars = { type: "data", symmetric: false, array: up, arrayminus: down, color: looks[k].color, thickness: 1.2, width: 4 };
    traces.push({ type: "scatter", mode: "markers", x: g.values.map(seen), y: g.values.map(() => n - 1 - k + 0.73), marker: { opacity: 0 }, error_x: bars, hoverinfo: "skip", showlegend: false, legendgroup: `g${k}` });
  });
  const shapes = [], annotations = [];
  for (const mark of record.marks) {
    const v = number(mark.value), place = x.position(v);
    if (!Number.isFinite(place)) continue;
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: x.shown(v), x1: x.shown(v), y0: 0, y1: 1, line: { color: theme.muted, width: 1.2, dash: "4px,3px" }, layer: "between" });
    annotations.push({ xref: "x", yref: "paper", x: place, y: 1, yanchor: "bottom", text: plain(mark.label), showarrow: false, font: { ...font, size: 12, color: theme.muted } });
  }
  const layout = {
    height: 110 + 92 * Math.max(1, n), margin: { l: 60, r: 32, t: 48, b: 48 }, shapes, annotations, hovermode: "closest",
    xaxis: axisLayout(record.axis, x, values, (room - 60) / 6.6),
    yaxis: {
      range: [-0.15, n - 0.1], fixedrange: true, tickvals: groups.map((_, k) => n - 1 - k + 0.3),
      ticktext: groups.map((g) => wrap(g.name, 20).map(plain).join("<br>")), automargin: true, showgrid: false, zeroline: false, ticks: "",
    },
    showlegend: false,
  };
  // Whether all stems of a row stand apart depends on what is in sight.
  const adjust = ([low, high], pixels) => heads.map(({ trace, places }) => {
    const at = places.map((t) => ((t - low) / (high - low)) * pixels);
    const seen = at.filter((a) => a >= 0 && a <= pixels).sort((a, b) => a - b);
    return { trace, opacity: seen.every((a, k) => !k || a - seen[k - 1] >= HEADS_APART) ? 1 : 0 };
  });
  return { traces, layout, scales: { x }, adjust };
}
