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

// Heights counted in levels: level k stands at k, what lies between in proportion on the scale. Plotly's contours are
// equally spaced, those of the still picture are at round numbers.
function counted(scale, levels) {
  const places = levels.map(([v]) => scale.position(v)), last = places.length - 1;
  return (v) => {
    const t = scale.position(v);
    if (!Number.isFinite(t)) return null;
    if (last < 1) return t - (places[0] || 0);
    let k = 0;
    while (k < last - 1 && t > places[k + 1]) k++;
    return k + (t - places[k]) / (places[k + 1] - places[k]);
  };
}

// A height over a plane.
function surface({ record, bands }, choice, room) {
  const xs = numbers(record.xs), ys = numbers(record.ys), flat = numbers(record.heights);
  const z = ys.map((_, j) => flat.slice(j * xs.length, (j + 1) * xs.length));
  const scale = scaled(choice.z, flat), { levels, colors } = bands[choice.z];
  const bar = { title: { text: axisText(record.z), side: "right", font }, thickness: 16, outlinewidth: 0.5, ypad: 0, xpad: 8, ticktext: levels.map(([, text]) => text) };
  const told = z.map((row, j) => row.map((v, i) =>
    `${axisText(record.x)}: <b>${humane(xs[i])}</b><br>${axisText(record.y)}: <b>${humane(ys[j])}</b><br>${axisText(record.z)}: <b>${humane(v, 5)}</b>`));
  const flatAxis = (axis, letters) => axisLayout({ ...axis, range: null }, scaled("linear", []), [], letters);
  const paths = record.paths.map((p) => ({ ...p, xs: numbers(p.xs), ys: numbers(p.ys), labels: p.labels || [] }));
  const points = record.points.map((p) => ({ name: p.name, x: number(p.x), y: number(p.y) }));
  const value = (x, y) => heightAt(xs, ys, z, x, y);
  const label = (name, x, y) => `${name ? `${plain(name)}<br>` : ""}${axisText(record.x)}: <b>${humane(x)}</b><br>${axisText(record.y)}: <b>${humane(y)}</b>`
    + (Number.isFinite(value(x, y)) ? `<br>${axisText(record.z)} on the grid: <b>${humane(value(x, y), 4)}</b>` : "");
  const legend = { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", font };
  const spanX = xs.length > 1 ? xs[xs.length - 1] - xs[0] : 1, spanY = ys.length > 1 ? ys[ys.length - 1] - ys[0] : 1;
  const ratio = record.equal_aspect && spanX / spanY < 3.5 && spanY / spanX < 3.5 ? spanX / spanY : null;

  if (choice.view === "3-D") {
    const place = z.map((row) => row.map((v) => finite(scale.position(v))));
    const [low, high] = extent(place.flat().filter((v) => v !== null));
    bar.tickvals = levels.map(([v]) => scale.position(v));
    const lift = 0.012 * (high - low || 1);
    const raised = (x, y) => finite(scale.position(value(x, y)) + lift);
    const traces = [{
      type: "surface", x: xs, y: ys, z: place, text: told, hovertemplate: "%{text}<extra></extra>", colorscale: theme.viridis,
      cmin: low, cmax: high, colorbar: { ...bar, len: 0.8 }, showscale: true,
      contours: { z: { show: true, usecolormap: false, color: "rgba(255,255,255,0.35)", width: 1, highlight: false } },
      lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.05, roughness: 0.9 },
    }];
    paths.forEach((p, k) => {
      const own = theme.paths[k % theme.paths.length], isWhite = own === "#ffffff";
      // On the legend's white ground a white path is shown by its dark casing.
      for (const [color, width, shown] of [[theme.ink, 9, false], [own, 5, true]]) {
        traces.push({
          type: "scatter3d", mode: "lines", name: plain(p.name) || " ", legendgroup: `p${k}`, showlegend: shown !== isWhite, connectgaps: false,
          x: p.xs.map(finite), y: p.ys.map(finite), z: p.xs.map((x, i) => raised(x, p.ys[i])), line: { color, width },
          text: p.xs.map((x, i) => label(p.labels[i], x, p.ys[i])), hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
          ...(shown ? {} : { hoverinfo: "skip", hovertemplate: undefined }),
        });
      }
    });
    if (points.length) {
      traces.push({
        type: "scatter3d", mode: "markers+text", showlegend: false, x: points.map((p) => finite(p.x)), y: points.map((p) => finite(p.y)),
        z: points.map((p) => raised(p.x, p.y)), text: points.map((p) => plain(p.name)), textposition: "top center", textfont: font,
        marker: { symbol: "diamond", size: 5, color: "#fff", line: { color: theme.ink, width: 2 } },
        customdata: points.map((p) => label(p.name, p.x, p.y)), hovertemplate: "%{customdata}<extra></extra>",
      });
    }
    const small = { ...font, size: 12 };
    // Words along an edge in space are cut off where the canvas ends: long ones go on two lines.
    const edgeText = (axis) => broken(axisWords(axis), 22);
    const edge = { gridcolor: "#d4d7db", zerolinecolor: "#d4d7db", showbackground: false, color: theme.ink, tickfont: { ...font, size: 11 } };
    const up = { tickvals: bar.tickvals, ticktext: bar.ticktext };
    const layout = {
      height: 560, margin: { l: 0, r: 10, t: 36, b: 0 }, legend: { ...legend, y: 0.98 },
      scene: {
        xaxis: { ...edge, title: { text: edgeText(record.x), font: small } }, yaxis: { ...edge, title: { text: edgeText(record.y), font: small } },
        zaxis: { ...edge, ...up, title: { text: edgeText(record.z), font: small }, ...(low < high ? { range: [low, high + 0.03 * (high - low)] } : {}) },
        aspectmode: "manual", aspectratio: { x: 1.15 * Math.min(1.5, Math.sqrt(ratio || 1.2)), y: 1.15 / Math.min(1.5, Math.sqrt(ratio || 1.2)), z: 0.75 },
        camera: { eye: { x: 1.3, y: -1.55, z: 1.0 }, center: { x: 0, y: 0, z: -0.16 } }, dragmode: "orbit",
      },
    };
    return { traces, layout, three: true };
  }

  // The plot's sides in pixels are fixed here, so that equal lengths leave nothing blank and the bar is as tall as the plot.
  const edges = (axis, values) => {
    const range = (axis.range || []).map(number);
    if (range.length === 2 && range.every(Number.isFinite)) return range;
    return values.length > 1 ? [values[0], values[values.length - 1]] : [(values[0] || 0) - 0.5, (values[0] || 0) + 0.5];
  };
  const [x0, x1] = edges(record.x, xs), [y0, y1] = edges(record.y, ys);
  const left = 62, right = 62 + 7 * Math.max(1, ...levels.map(([, text]) => text.length)), top = paths.length ? 40 : 30;
  const free = Math.max(80, room - left - right), tall = Math.min(440, 90 + free);
  // Equal lengths would leave a sliver on a narrow screen: there the axes are stretched, and the words below say so.
  const isEqual = ratio && Math.min(free, tall * ratio) / ratio >= 130;
  const width = isEqual ? Math.min(free, tall * ratio) : free, height = isEqual ? width / ratio : ratio ? 220 : tall;
  const spare = Math.max(0, free - width) / 2;
  const px = (x) => ((x - x0) / (x1 - x0)) * width, py = (y) => ((y1 - y) / (y1 - y0)) * height;
  const inside = (x, y) => x >= x0 && x <= x1 && y >= y0 && y <= y1;

  const traces = [{
    type: "contour", x: xs, y: ys, z: z.map((row) => row.map(counted(scale, levels))), text: told, hovertemplate: "%{text}<extra></extra>",
    hoverongaps: false, connectgaps: false, showscale: levels.length > 0,
    colorscale: colors.length > 1 ? colors.map((color, k) => [k / (colors.length - 1), color]) : [[0, colors[0]], [1, colors[0]]],
    colorbar: { ...bar, tickvals: levels.map((_, k) => k), lenmode: "pixels", len: height, y: 0.5 },
    autocontour: false, line: { color: "rgba(255,255,255,0.55)", width: 0.9, smoothing: 0 },
    contours: { coloring: "fill", start: 0, end: Math.max(0, levels.length - 1), size: 1, showlines: true, showlabels: levels.length > 0, labelfont: { ...font, size: 11 } },
  }];
  const wanted = points.filter((p) => inside(p.x, p.y)).map((p) => ({ at: p, text: p.name }));
  const busy = wanted.map(({ at }) => [px(at.x), py(at.y)]);
  paths.forEach((p, k) => {
    const color = theme.paths[k % theme.paths.length];
    const common = { type: "scatter", x: p.xs.map(finite), y: p.ys.map(finite), legendgroup: `p${k}`, connectgaps: false };
    traces.push({ ...common, mode: "lines", line: { color: theme.ink, width: 4.4 }, hoverinfo: "skip", showlegend: false });
    const last = p.xs.length - 1, dot = last < 60 ? 6 : last < 200 ? 5 : 0;
    const places = new Set(points.map((point) => `${point.x} ${point.y}`));
    const isNamed = (i) => places.has(`${p.xs[i]} ${p.ys[i]}`);
    const isEnd = p.xs.map((_, i) => (i === 0 || i === last) && !(isNamed(0) && isNamed(last)));
    traces.push({
      ...common, name: plain(p.name) || " ", mode: "lines+markers", showlegend: false, line: { color, width: 2.2 },
      marker: {
        size: p.xs.map((_, i) => (isEnd[i] ? 10 : (p.labels[i] || "").trim() ? 8 : dot)), opacity: 1,
        color: p.xs.map((_, i) => (isEnd[i] && i === 0 ? theme.ink : color)), line: { color: p.xs.map((_, i) => (isEnd[i] && i === 0 ? color : theme.ink)), width: 1.2 },
      },
      text: p.xs.map((x, i) => label(p.labels[i], x, p.ys[i])), hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
    });
    // The legend's own sign, on a white ground: a dark line with the dots of the path.
    traces.push({
      type: "scatter", x: [null], y: [null], name: plain(p.name) || " ", legendgroup: `p${k}`, mode: dot ? "lines+markers" : "lines", hoverinfo: "skip",
      line: { color: dot || color !== "#ffffff" ? (color === "#ffffff" ? theme.ink : color) : theme.ink, width: 3 }, marker: { size: 8, color, line: { color: theme.ink, width: 1.4 } },
    });
    busy.push(...along(p.xs.map((x, i) => [px(x), py(p.ys[i])])));
    p.labels.forEach((text, i) => text.trim() && inside(p.xs[i], p.ys[i]) && wanted.push({ at: { x: p.xs[i], y: p.ys[i] }, text, optional: true }));
  });
  if (points.length) {
    traces.push({
      type: "scatter", mode: "markers", showlegend: false, x: points.map((p) => finite(p.x)), y: points.map((p) => finite(p.y)),
      marker: { symbol: "diamond", size: 12, color: "#fff", line: { color: theme.ink, width: 1.8 } },
      text: points.map((p) => label(p.name, p.x, p.y)), hovertemplate: "%{text}<extra></extra>",
    });
  }
  const stands = besides(wanted.map(({ at, text }) => ({ x: px(at.x), y: py(at.y), text })), busy, { width, height });
  const annotations = wanted.flatMap(({ at, text, optional }, k) => (optional && stands[k].covers ? [] : [{
    x: at.x, y: at.y, text: plain(text), showarrow: false, xanchor: "center", yanchor: "middle", xshift: stands[k].dx, yshift: -stands[k].dy,
    font: { ...font, size: 12 }, bgcolor: "rgba(255,255,255,0.8)", borderpad: 1,
  }]));
  const layout = {
    height: height + top + 50, margin: { l: left + spare, r: right + spare, t: top, b: 50, autoexpand: false }, annotations, legend, hovermode: "closest", showlegend: paths.length > 0,
    xaxis: flatAxis(record.x, (width + 60) / 6.6), yaxis: flatAxis(record.y, (height + 40) / 6.6), plot_bgcolor: "#e4e7eb",
  };
  // The plot shows the grid and no more: a path must not make room for itself where nothing is known.
  Object.assign(layout.xaxis, { range: [x0, x1], showgrid: false, constrain: "domain", automargin: false });
  Object.assign(layout.yaxis, { range: [y0, y1], showgrid: false, constrain: "domain", automargin: false });
  if (ratio && !isEqual) {
    annotations.push({ xref: "paper", yref: "paper", x: 0.5, y: 0, yshift: -64, text: "The axes are not to one scale here.", showarrow: false, font: { ...font, size: 12, color: theme.muted } });
    Object.assign(layout, { height: layout.height + 24, margin: { ...layout.margin, b: 74 } });
  }
  if (isEqual) Object.assign(layout.yaxis, { scaleanchor: "x", scaleratio: 1 });
  return { traces, layout };
}
