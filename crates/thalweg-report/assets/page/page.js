// Brings the still pictures of a page to life. Everything comes from the records that stand beside them as JSON; where
// a plot cannot be brought to life (no WebGL, an old browser), its still picture stays.
(() => {
  "use strict";

  const theme = JSON.parse(document.getElementById("theme").textContent);
  const font = { family: "thalweg-sans, Roboto, Helvetica, Arial, sans-serif", size: 13, color: theme.ink };
  const words = { "NaN": NaN, "inf": Infinity, "-inf": -Infinity };
  const number = (v) => (typeof v === "number" ? v : v === null ? NaN : words[v]);
  const numbers = (list) => (list || []).map(number);
  const finite = (v) => (Number.isFinite(v) ? v : null);
  // Plotly reads a little markup in names; a name is to be seen as it was written.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const axisText = (axis) => plain(axis.unit ? `${axis.label} (${axis.unit})` : axis.label);

  // ---- scales ----------------------------------------------------------------------------------------------------

  const superscript = (n) => String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
  const minus = (text) => text.replace("-", "−");

  function humane(v, digits = 4) {
    if (!Number.isFinite(v)) return Number.isNaN(v) ? "not a number" : v > 0 ? "∞" : "−∞";
    if (v === 0) return "0";
    const [mantissa, exponent] = v.toExponential(digits - 1).split("e");
    const e = Number(exponent);
    if (e < -4 || e > 5) {
      const short = String(Number(mantissa));
      return minus(short === "1" ? `10${superscript(e)}` : short === "-1" ? `-10${superscript(e)}` : `${short}×10${superscript(e)}`);
    }
    const [whole, part] = String(Number(v.toPrecision(digits))).split(".");
    const grouped = whole.replace("-", "").length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u00a0") : whole;
    return minus(part ? `${grouped}.${part}` : grouped);
  }

  // The bi-symmetric scale sign(v) log10(1 + |v|/c) of the still pictures, with the same rule for c.
  function linearWithin(values) {
    const sizes = values.map(Math.abs).filter((v) => Number.isFinite(v) && v > 0);
    if (!sizes.length) return 1;
    const least = sizes.reduce((a, b) => Math.min(a, b));
    const most = sizes.reduce((a, b) => Math.max(a, b));
    const decade = (v) => Math.floor(Math.log10(v));
    return 10 ** Math.min(300, Math.max(-300, decade(least), decade(most) - 5));
  }

  // What plotly is given for a scale: positions, how to write them, and the axis's layout.
  function scaled(kind, values) {
    if (kind !== "sym_log") {
      const shown = kind === "log" ? (v) => (v > 0 ? finite(v) : null) : finite;
      const position = kind === "log" ? (v) => (v > 0 ? Math.log10(v) : NaN) : (v) => v;
      return { kind, shown, position, layout: { type: kind } };
    }
    const c = linearWithin(values);
    const position = (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / c);
    const most = values.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    const decades = [];
    for (let d = Math.round(Math.log10(c)); d <= Math.ceil(Math.log10(most)) + 1; d++) decades.push(10 ** d);
    const stride = Math.max(1, Math.ceil(decades.length / 7));
    const marked = decades.filter((_, k) => (decades.length - 1 - k) % stride === 0 && position(decades[k]) > 0.5);
    const ticks = [...marked.map((v) => -v).reverse(), 0, ...marked];
    const layout = { type: "linear", tickvals: ticks.map(position), ticktext: ticks.map((v) => humane(v, 1)), zeroline: true };
    return { kind, shown: (v) => finite(position(v)), position, layout };
  }

  const extent = (values) => values.reduce(([a, b], v) => (Number.isFinite(v) ? [Math.min(a, v), Math.max(b, v)] : [a, b]), [Infinity, -Infinity]);

  function axisLayout(axis, scale, values) {
    const layout = {
      title: { text: axisText(axis), standoff: 10, font }, automargin: true, gridcolor: theme.grid, linecolor: theme.muted,
      showline: true, ticks: "outside", tickcolor: theme.muted, zerolinecolor: "#b9bec4", zerolinewidth: 1,
      zeroline: false, exponentformat: "power", minexponent: 4, ticklabeloverflow: "allow", ...scale.layout,
    };
    const range = axis.range && axis.range.map((v) => scale.position(number(v)));
    if (range && range.every(Number.isFinite)) layout.range = range;
    else if (scale.kind === "sym_log" || scale.kind === "log") {
      const [a, b] = extent(values.map(scale.position));
      const rim = a < b ? 0.04 * (b - a) : 0.5;
      if (Number.isFinite(a)) layout.range = [a - rim, b + rim];
    }
    return layout;
  }

  // ---- the three kinds of figures --------------------------------------------------------------------------------

  // Runs of consecutive indices for which a test holds.
  function runs(n, holds) {
    const found = [];
    for (let k = 0, open = false; k < n; k++) {
      if (!holds(k)) open = false;
      else if (open) found[found.length - 1].push(k);
      else { found.push([k]); open = true; }
    }
    return found;
  }

  function curves(record, looks, choice) {
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
      xaxis: axisLayout(record.x, x, xs), yaxis: axisLayout(record.y, y, ys), hovermode: "closest",
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1 + (8 + 16 * reach) / 330, yanchor: "bottom", font },
      showlegend: record.series.length > 0,
    };
    return { traces, layout };
  }

  function wrap(text, most) {
    const lines = [""];
    for (const word of String(text).split(/\s+/)) {
      const joined = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${word}` : word;
      if (joined.length <= most || !lines[lines.length - 1]) lines[lines.length - 1] = joined;
      else lines.push(word);
    }
    return lines;
  }

  // The height at any place of a grid, bilinear; NaN outside.
  function heightAt(xs, ys, z, x, y) {
    const cell = (axis, v) => {
      if (!(v >= axis[0] && v <= axis[axis.length - 1])) return null;
      let k = 0;
      while (k < axis.length - 2 && v > axis[k + 1]) k++;
      return axis.length < 2 ? [0, 0, 0] : [k, k + 1, (v - axis[k]) / (axis[k + 1] - axis[k])];
    };
    const a = cell(xs, x), b = cell(ys, y);
    if (!a || !b) return NaN;
    const row = (j) => z[j][a[0]] * (1 - a[2]) + z[j][a[1]] * a[2];
    return row(b[0]) * (1 - b[2]) + row(b[1]) * b[2];
  }

  function logTicks(low, high) {
    const ticks = [], span = high - low;
    const steps = span > 5 ? [1] : span > 2.2 ? [1, 3] : span > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
    const stride = span > 8 ? Math.ceil(span / 8) : 1;
    for (let d = Math.floor(low); d <= Math.ceil(high); d++) {
      if (d % stride) continue;
      for (const m of steps) {
        const t = d + Math.log10(m);
        if (t >= low && t <= high) ticks.push(t);
      }
    }
    return ticks;
  }

  function surface(record, looks, choice, room) {
    const xs = numbers(record.xs), ys = numbers(record.ys), flat = numbers(record.heights);
    const z = ys.map((_, j) => flat.slice(j * xs.length, (j + 1) * xs.length));
    const scale = scaled(choice.z, flat);
    const place = z.map((row) => row.map((v) => finite(scale.position(v))));
    const asked = (record.z.range || []).map((v) => scale.position(number(v)));
    const [least, most] = extent(place.flat().filter((v) => v !== null));
    const low = Number.isFinite(asked[0]) ? asked[0] : least, high = Number.isFinite(asked[1]) ? asked[1] : most;
    const bar = { title: { text: axisText(record.z), side: "right", font }, thickness: 16, len: 1, outlinewidth: 0.5, exponentformat: "power" };
    if (choice.z === "log" && low < high) {
      bar.tickvals = logTicks(low, high);
      bar.ticktext = bar.tickvals.map((t) => humane(10 ** t, 2));
    } else if (choice.z === "sym_log") {
      bar.tickvals = scale.layout.tickvals;
      bar.ticktext = scale.layout.ticktext;
    }
    const told = z.map((row, j) => row.map((v, i) =>
      `${axisText(record.x)}: <b>${humane(xs[i])}</b><br>${axisText(record.y)}: <b>${humane(ys[j])}</b><br>${axisText(record.z)}: <b>${humane(v, 5)}</b>`));
    const flatAxis = (axis) => axisLayout({ ...axis, scale: "linear" }, scaled("linear", []), []);
    const paths = record.paths.map((p) => ({ ...p, xs: numbers(p.xs), ys: numbers(p.ys), labels: p.labels || [] }));
    const points = record.points.map((p) => ({ name: p.name, x: number(p.x), y: number(p.y) }));
    const value = (x, y) => heightAt(xs, ys, z, x, y);
    const label = (name, x, y) => `${name ? `${plain(name)}<br>` : ""}${axisText(record.x)}: <b>${humane(x)}</b><br>${axisText(record.y)}: <b>${humane(y)}</b>`
      + (Number.isFinite(value(x, y)) ? `<br>${axisText(record.z)} on the grid: <b>${humane(value(x, y), 4)}</b>` : "");
    const legend = { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font, bgcolor: "#e4e7eb" };
    const spanX = xs.length > 1 ? xs[xs.length - 1] - xs[0] : 1, spanY = ys.length > 1 ? ys[ys.length - 1] - ys[0] : 1;
    const ratio = record.equal_aspect && spanX / spanY < 3.5 && spanY / spanX < 3.5 ? spanX / spanY : null;

    if (choice.view === "3-D") {
      const lift = 0.012 * (high - low || 1);
      const raised = (x, y) => finite(scale.position(value(x, y)) + lift);
      const traces = [{
        type: "surface", x: xs, y: ys, z: place, text: told, hovertemplate: "%{text}<extra></extra>", colorscale: theme.viridis,
        cmin: low, cmax: high, colorbar: { ...bar, len: 0.8 }, showscale: true,
        contours: { z: { show: true, usecolormap: false, color: "rgba(255,255,255,0.35)", width: 1, highlight: false } },
        lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.05, roughness: 0.9 },
      }];
      paths.forEach((p, k) => {
        for (const [color, width, shown] of [[theme.ink, 9, false], [theme.paths[k % theme.paths.length], 5, true]]) {
          traces.push({
            type: "scatter3d", mode: "lines", name: plain(p.name) || " ", legendgroup: `p${k}`, showlegend: shown, connectgaps: false,
            x: p.xs.map(finite), y: p.ys.map(finite), z: p.xs.map((x, i) => raised(x, p.ys[i])), line: { color, width },
            text: p.xs.map((x, i) => label(p.labels[i], x, p.ys[i])), hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
            ...(shown ? {} : { hoverinfo: "skip", hovertemplate: undefined }),
          });
        }
      });
      if (points.length) {
        traces.push({
          type: "scatter3d", mode: "markers+text", showlegend: false, x: points.map((p) => finite(p.x)), y: points.map((p) => finite(p.y)),
          z: points.map((p) => raised(p.x, p.y)), text: points.map((p) => p.name), textposition: "top center", textfont: font,
          marker: { symbol: "diamond", size: 5, color: "#fff", line: { color: theme.ink, width: 2 } },
          customdata: points.map((p) => label(p.name, p.x, p.y)), hovertemplate: "%{customdata}<extra></extra>",
        });
      }
      const small = { ...font, size: 12 };
      // Words along an edge in space are cut off where the canvas ends: long ones go on two lines.
      const broken = (axis) => wrap(axis.unit ? `${axis.label} (${axis.unit})` : axis.label, 22).map(plain).join("<br>");
      const edge = { gridcolor: "#d4d7db", zerolinecolor: "#d4d7db", showbackground: false, color: theme.ink, tickfont: { ...font, size: 11 } };
      const up = choice.z === "linear" ? {} : { tickvals: bar.tickvals, ticktext: bar.ticktext };
      const layout = {
        height: 560, margin: { l: 0, r: 10, t: 36, b: 0 }, legend: { ...legend, y: 0.98 },
        scene: {
          xaxis: { ...edge, title: { text: broken(record.x), font: small } }, yaxis: { ...edge, title: { text: broken(record.y), font: small } },
          zaxis: { ...edge, ...up, title: { text: broken(record.z), font: small }, ...(low < high ? { range: [low, high + 0.03 * (high - low)] } : {}) },
          aspectmode: "manual", aspectratio: { x: 1.15 * Math.min(1.5, Math.sqrt(ratio || 1.2)), y: 1.15 / Math.min(1.5, Math.sqrt(ratio || 1.2)), z: 0.75 },
          camera: { eye: { x: 1.3, y: -1.55, z: 1.0 }, center: { x: 0, y: 0, z: -0.16 } }, dragmode: "orbit",
        },
      };
      return { traces, layout, three: true };
    }

    const traces = [{
      type: "contour", x: xs, y: ys, z: place, text: told, hovertemplate: "%{text}<extra></extra>", hoverongaps: false,
      colorscale: theme.viridis, zmin: low, zmax: high, colorbar: bar, connectgaps: false, showscale: Number.isFinite(low),
      contours: { coloring: "heatmap", showlines: true }, line: { color: "rgba(255,255,255,0.45)", width: 0.8 }, ncontours: 18,
    }];
    paths.forEach((p, k) => {
      const color = theme.paths[k % theme.paths.length];
      const common = { type: "scatter", x: p.xs.map(finite), y: p.ys.map(finite), legendgroup: `p${k}`, connectgaps: false };
      traces.push({ ...common, mode: "lines", line: { color: theme.ink, width: 4.4 }, hoverinfo: "skip", showlegend: false });
      const last = p.xs.length - 1, few = p.xs.length <= 60;
      traces.push({
        ...common, name: plain(p.name) || " ", mode: "lines+markers", showlegend: false, line: { color, width: 2.2 },
        marker: {
          size: p.xs.map((_, i) => (i === 0 || i === last ? 10 : few ? 6 : 0)), opacity: 1,
          color: p.xs.map((_, i) => (i === 0 ? theme.ink : color)), line: { color: p.xs.map((_, i) => (i === 0 ? color : theme.ink)), width: 1.4 },
        },
        text: p.xs.map((x, i) => label(p.labels[i], x, p.ys[i])), hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
      });
      // The legend's own sign: the line's first marker, which plotly would take, is the ring of its start.
      traces.push({
        type: "scatter", x: [null], y: [null], name: plain(p.name) || " ", legendgroup: `p${k}`, mode: "lines+markers", hoverinfo: "skip",
        line: { color, width: 3 }, marker: { size: 9, color, line: { color: theme.ink, width: 1.4 } },
      });
    });
    if (points.length) {
      traces.push({
        type: "scatter", mode: "markers", showlegend: false, x: points.map((p) => finite(p.x)), y: points.map((p) => finite(p.y)),
        marker: { symbol: "diamond", size: 12, color: "#fff", line: { color: theme.ink, width: 1.8 } },
        text: points.map((p) => label(p.name, p.x, p.y)), hovertemplate: "%{text}<extra></extra>",
      });
    }
    const annotations = points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y)).map((p) => ({
      x: p.x, y: p.y, text: plain(p.name), showarrow: false, yshift: 17, font: { ...font, size: 12 }, bgcolor: "rgba(255,255,255,0.82)", borderpad: 2,
    }));
    const layout = { height: 560, margin: { l: 56, r: 20, t: 40, b: 48 }, xaxis: flatAxis(record.x), yaxis: flatAxis(record.y), annotations, legend, hovermode: "closest", showlegend: paths.length > 0 };
    // The plot shows the grid and no more: a path must not make room for itself where nothing is known.
    const edges = (axis, values) => {
      const range = (axis.range || []).map(number);
      if (range.length === 2 && range.every(Number.isFinite)) return range;
      return values.length > 1 ? [values[0], values[values.length - 1]] : undefined;
    };
    layout.plot_bgcolor = "#e4e7eb";
    layout.xaxis.range = edges(record.x, xs);
    layout.yaxis.range = edges(record.y, ys);
    for (const axis of [layout.xaxis, layout.yaxis]) Object.assign(axis, { showgrid: false, constrain: "domain" });
    if (ratio) {
      Object.assign(layout.yaxis, { scaleanchor: "x", scaleratio: 1 });
      // What equal lengths leave free goes to both sides, so that the colour bar stands beside the plot.
      const spare = room - 56 - 110 - (layout.height - 88) * ratio;
      if (spare > 0) { layout.margin.l += spare / 2; layout.margin.r += spare / 2 + 90; }
    }
    return { traces, layout };
  }

  function spectrum(record, looks, choice) {
    const groups = record.groups.map((g) => ({ name: g.name, values: numbers(g.values), bounds: g.residuals && numbers(g.residuals) }));
    const values = groups.flatMap((g) => g.values).concat(record.marks.map((m) => number(m.value)));
    const x = scaled(choice.x, values);
    const n = groups.length, traces = [];
    groups.forEach((g, k) => {
      const base = n - 1 - k, look = looks[k];
      const order = g.values.map((_, i) => i).sort((a, b) => g.values[b] - g.values[a]);
      const rank = [];
      order.forEach((i, r) => (rank[i] = r + 1));
      const stem = { x: [], y: [] };
      for (const v of g.values) { stem.x.push(x.shown(v), x.shown(v), null); stem.y.push(base, base + 0.6, null); }
      traces.push({ type: "scatter", mode: "lines", ...stem, line: { color: look.color, width: 1.6 }, opacity: 0.75, hoverinfo: "skip", showlegend: false, legendgroup: `g${k}` });
      const shown = g.values.map(x.shown);
      traces.push({
        type: "scatter", mode: "markers", name: plain(g.name) || " ", legendgroup: `g${k}`, x: shown, y: g.values.map(() => base + 0.6),
        marker: { symbol: look.sign, size: 8, color: look.color, line: { color: "#fff", width: 1 } },
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
      height: 130 + 92 * Math.max(1, n), margin: { l: 60, r: 32, t: 56, b: 48 }, shapes, annotations, hovermode: "closest",
      xaxis: axisLayout(record.axis, x, values),
      yaxis: {
        range: [-0.15, n - 0.1], fixedrange: true, tickvals: groups.map((_, k) => n - 1 - k + 0.3),
        ticktext: groups.map((g) => wrap(g.name, 20).map(plain).join("<br>")), automargin: true, showgrid: false, zeroline: false, ticks: "",
      },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1 + 22 / (30 + 92 * Math.max(1, n)), yanchor: "bottom", font }, showlegend: n > 0,
    };
    return { traces, layout };
  }

  // ---- controls --------------------------------------------------------------------------------------------------

  const names = { linear: "linear", log: "log", sym_log: "symmetric log" };
  const kinds = {
    curves: { build: curves, start: (r) => ({ x: r.x.scale, y: r.y.scale }), choices: [["x", "x axis", Object.keys(names)], ["y", "y axis", Object.keys(names)]] },
    surface: { build: surface, start: (r) => ({ z: r.z.scale, view: "contours" }), choices: [["view", "view", ["contours", "3-D"]], ["z", "colours", ["linear", "log"]]] },
    spectrum: { build: spectrum, start: (r) => ({ x: r.axis.scale }), choices: [["x", "axis", Object.keys(names)]] },
  };

  function enliven(figure) {
    const { record, looks } = JSON.parse(figure.querySelector("script.data").textContent);
    const kind = kinds[record.kind], choice = kind.start(record);
    const still = figure.querySelector(".still"), live = figure.querySelector(".live"), bar = figure.querySelector(".controls");
    const config = {
      responsive: true, displaylogo: false, displayModeBar: "hover", scrollZoom: false, doubleClick: "reset+autosize",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "tableRotation", "resetCameraLastSave3d"],
      toImageButtonOptions: { format: "svg", filename: figure.id },
    };
    let home = null, three = false;

    function draw() {
      const built = kind.build(record, looks, choice, live.clientWidth);
      three = Boolean(built.three);
      const layout = { font, paper_bgcolor: "#fff", plot_bgcolor: "#fff", separators: ".\u00a0", hoverlabel: { bgcolor: "#fff", bordercolor: theme.muted, font, align: "left" }, dragmode: "zoom", ...built.layout };
      return Plotly.react(live, built.traces, layout, config).then(() => {
        const full = live._fullLayout;
        home = three || !full.xaxis ? null : { "xaxis.range": [...full.xaxis.range], "yaxis.range": [...full.yaxis.range] };
      });
    }

    for (const [key, label, options] of kind.choices) {
      const group = document.createElement("span");
      group.className = "choice";
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", label);
      const said = document.createElement("span");
      said.textContent = label;
      said.setAttribute("aria-hidden", "true");
      const box = document.createElement("span");
      for (const option of options) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = names[option] || option;
        button.setAttribute("aria-pressed", String(choice[key] === option));
        button.addEventListener("click", () => {
          choice[key] = option;
          for (const other of box.children) other.setAttribute("aria-pressed", String(other === button));
          if (key === "view") Plotly.purge(live);
          draw();
        });
        box.append(button);
      }
      group.append(said, box);
      bar.append(group);
    }
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = "save data (JSON)";
    save.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(record)], { type: "application/json" }));
      link.download = `${figure.id}.json`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    bar.append(save);

    // Arrows move, + and − zoom, 0 goes home; in three dimensions they turn and approach.
    live.addEventListener("keydown", (event) => {
      const key = event.key;
      const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
      const zoom = { "+": 0.8, "=": 0.8, "-": 1.25 }[key];
      if (event.ctrlKey || event.metaKey || event.altKey || !(turn || zoom || key === "0")) return;
      event.preventDefault();
      const full = live._fullLayout;
      if (three) {
        const eye = { ...full.scene.camera.eye };
        if (key === "0") return void draw();
        const r = Math.hypot(eye.x, eye.y, eye.z) * (zoom || 1);
        const around = Math.atan2(eye.y, eye.x) + (turn ? 0.1 * turn[0] : 0);
        const rise = Math.min(1.5, Math.max(-1.5, Math.atan2(eye.z, Math.hypot(eye.x, eye.y)) + (turn ? 0.1 * turn[1] : 0)));
        const to = { x: r * Math.cos(rise) * Math.cos(around), y: r * Math.cos(rise) * Math.sin(around), z: r * Math.sin(rise) };
        return void Plotly.relayout(live, { "scene.camera.eye": to });
      }
      if (key === "0") return void (home && Plotly.relayout(live, home));
      const change = {};
      for (const [name, step] of [["xaxis", turn ? turn[0] : 0], ["yaxis", turn ? turn[1] : 0]]) {
        if (full[name].fixedrange) continue;
        const [a, b] = full[name].range.map(Number), middle = (a + b) / 2 + 0.1 * step * (b - a), half = ((b - a) / 2) * (zoom || 1);
        change[`${name}.range`] = [middle - half, middle + half];
      }
      Plotly.relayout(live, change);
    });

    live.hidden = false;
    bar.hidden = false;
    return draw().then(() => { still.hidden = true; }).catch(() => { live.hidden = true; bar.hidden = true; still.hidden = false; });
  }

  function begin(figure) {
    try {
      enliven(figure);
    } catch (error) {
      console.error(`${figure.id} stays still:`, error);
      figure.querySelector(".live").hidden = true;
      figure.querySelector(".controls").hidden = true;
    }
  }

  const figures = document.querySelectorAll("figure");
  if (typeof Plotly === "undefined") return;
  if (!("IntersectionObserver" in window)) return void figures.forEach(begin);
  const watcher = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      begin(entry.target);
    }
  }, { rootMargin: "600px" });
  figures.forEach((figure) => watcher.observe(figure));
})();
