// Lines over common axes.
function curves({ record, looks, has_legend }, choice, room) {
  const series = record.series.map((s) => ({ ...s, x: numbers(s.x), y: numbers(s.y), lower: s.band && numbers(s.band.lower), upper: s.band && numbers(s.band.upper) }));
  const at = (axis) => record.marks.filter((m) => axis in m.at).map((m) => number(m.at[axis]));
  const xs = series.flatMap((s) => s.x).concat(at("x"));
  const ys = series.flatMap((s) => s.y.concat(s.lower || [], s.upper || [])).concat(at("y"));
  const x = scaled(choice.x, xs), y = scaled(choice.y, ys);
  const traces = [];
  series.forEach((s, k) => {
    if (!s.lower) return;
    const px = [], py = [];
    const bottom = choice.y === "log" ? (v) => (v <= 0 ? 1e-300 : y.shown(v)) : y.shown;
    for (const run of runs(s.x.length, (i) => x.shown(s.x[i]) !== null && bottom(s.lower[i]) !== null && y.shown(s.upper[i]) !== null)) {
      if (run.length < 2) continue;
      if (px.length) { px.push(null); py.push(null); }
      for (const i of run) { px.push(x.shown(s.x[i])); py.push(y.shown(s.upper[i])); }
      for (const i of run.reverse()) { px.push(x.shown(s.x[i])); py.push(bottom(s.lower[i])); }
    }
    traces.push({ type: "scatter", mode: "none", x: px, y: py, fill: "toself", fillcolor: `${looks[k].color}2e`, hoverinfo: "skip", showlegend: false, legendgroup: `s${k}` });
  });
  series.forEach((s, k) => {
    const look = looks[k], many = s.x.length > 200;
    const drawn = s.x.map((v, i) => x.shown(v) !== null && y.shown(s.y[i]) !== null);
    const alone = drawn.some((d, i) => d && !drawn[i - 1] && !drawn[i + 1]);
    const signs = look.sign || alone;
    traces.push({
      type: "scatter", name: plain(s.name) || " ", legendgroup: `s${k}`, connectgaps: false,
      x: s.x.map(x.shown), y: s.y.map(y.shown),
      mode: look.dash === null ? "markers" : signs ? "lines+markers" : "lines",
      line: { color: look.color, width: 2, dash: look.dash && look.dash.length ? look.dash.map((d) => `${d}px`).join(",") : "solid", simplify: many },
      marker: { symbol: look.sign || "circle", size: look.sign ? 8 : drawn.map((d, i) => (d && !drawn[i - 1] && !drawn[i + 1] ? 5 : 0)), color: look.color, line: { color: "#fff", width: 1 } },
      text: s.x.map((v, i) => `${axisText(record.x)}: <b>${humane(v, 6)}</b><br>${axisText(record.y)}: <b>${humane(s.y[i], 6)}</b>`
        + (s.lower ? `<br>band: ${humane(s.lower[i])} … ${humane(s.upper[i])}` : "")),
      hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
    });
  });
  const shapes = [], annotations = [];
  let reach = 0;
  const above = record.marks.filter((m) => "x" in m.at).sort((a, b) => number(a.at.x) - number(b.at.x));
  const [low, high] = extent(xs.map(x.position));
  let row = 0, last = -Infinity;
  for (const mark of above) {
    const place = x.position(number(mark.at.x));
    if (!Number.isFinite(place)) continue;
    const share = high > low ? (place - low) / (high - low) : 0.5;
    row = share - last < 0.012 * (mark.label.length + 3) ? row + 1 : 0;
    reach = Math.max(reach, row + 1);
    last = share;
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: x.shown(number(mark.at.x)), x1: x.shown(number(mark.at.x)), y0: 0, y1: 1, line: { color: theme.muted, width: 1.2, dash: "4px,3px" }, layer: "between" });
    annotations.push({ xref: "x", yref: "paper", x: place, y: 1, yanchor: "bottom", yshift: 15 * row, text: plain(mark.label), showarrow: false, font: { ...font, size: 12, color: theme.muted } });
  }
  let right = 32;
  for (const mark of record.marks.filter((m) => "y" in m.at)) {
    const v = number(mark.at.y), place = y.position(v);
    if (!Number.isFinite(place)) continue;
    const text = wrap(mark.label, 18);
    right = Math.max(right, 14 + 7 * Math.max(...text.map((t) => t.length)));
    shapes.push({ type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: y.shown(v), y1: y.shown(v), line: { color: theme.muted, width: 1.2, dash: "4px,3px" }, layer: "between" });
    annotations.push({ xref: "paper", yref: "y", x: 1, y: place, xanchor: "left", align: "left", xshift: 6, text: text.map(plain).join("<br>"), showarrow: false, font: { ...font, size: 12, color: theme.muted } });
  }
  const layout = {
    height: 420, margin: { l: 56, r: right, t: 34 + 15 * reach, b: 48 }, shapes, annotations,
    xaxis: axisLayout(record.x, x, xs, (room - 60) / 6.6), yaxis: axisLayout(record.y, y, ys, 46), hovermode: "closest",
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1 + (8 + 16 * reach) / 330, yanchor: "bottom", font },
    showlegend: has_legend,
  };
  return { traces, layout, scales: { x, y } };
}
