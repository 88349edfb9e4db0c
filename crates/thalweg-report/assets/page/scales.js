// Scales, and the marks on them for whatever is in sight.

// The bi-symmetric scale sign(v) log10(1 + |v|/c) of the still pictures, with the same rule for c.
function linearWithin(values) {
  const sizes = values.map(Math.abs).filter((v) => Number.isFinite(v) && v > 0);
  if (!sizes.length) return 1;
  const [least, most] = extent(sizes);
  const decade = (v) => Math.floor(Math.log10(v));
  return 10 ** Math.min(300, Math.max(-300, decade(least), decade(most) - 5));
}

// What plotly is given for a scale: `shown` is a value as plotly takes it, `position` where it stands in plotly's range.
function scaled(kind, values) {
  if (kind === "sym_log") {
    const c = linearWithin(values);
    const position = (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / c);
    const inverse = (t) => Math.sign(t) * c * (10 ** Math.abs(t) - 1);
    return { kind, linear: c, shown: (v) => finite(position(v)), position, inverse, type: "linear" };
  }
  if (kind === "log") {
    return { kind, shown: (v) => (v > 0 ? finite(v) : null), position: (v) => (v > 0 ? Math.log10(v) : NaN), inverse: (t) => 10 ** t, type: "log" };
  }
  return { kind, shown: finite, position: (v) => v, inverse: (t) => t, type: "linear" };
}

// Powers of ten in sight, with steps between them where there is room: the finest of these that fits.
const LADDERS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

// Values to be marked where positions from `low` to `high` take `room` pixels and a mark needs `each` of them.
function marked(scale, low, high, room, each) {
  const pixels = room / (high - low);
  const inside = (v) => scale.position(v) >= low - 1e-9 && scale.position(v) <= high + 1e-9;
  const ends = [scale.inverse(low), scale.inverse(high)];
  const most = Math.max(Math.abs(ends[0]), Math.abs(ends[1]));
  const first = Math.floor(Math.log10(scale.kind === "log" ? ends[0] : scale.linear)), last = Math.ceil(Math.log10(most));
  const fits = (list) => list.every((v, k) => !k || (scale.position(v) - scale.position(list[k - 1])) * pixels >= each);
  for (let stride = 1; stride <= Math.max(1, last - first); stride++) {
    for (const ladder of stride === 1 ? LADDERS : [[1]]) {
      let sizes = [];
      for (let d = first; d <= last; d++) if (d % stride === 0) sizes.push(...ladder.map((m) => Number(`${m}e${d}`)));
      if (scale.kind === "sym_log") {
        sizes = sizes.filter((v) => scale.position(v) * pixels >= each);
        sizes = [...sizes.map((v) => -v).reverse(), 0, ...sizes];
      }
      const list = sizes.filter(inside);
      if (list.length < 2) break;
      if (fits(list)) return list;
    }
  }
  // Within a step of the finest ladder: equal steps.
  const raw = ((ends[1] - ends[0]) * each * 1.6) / room, decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * ([1, 2, 5].find((m) => m * decade >= raw) || 10), list = [];
  for (let k = Math.ceil(ends[0] / step); k * step <= ends[1] && list.length < 50; k++) list.push(k * step);
  return list;
}

// The layout of the marks of an axis; linear ones are plotly's own.
function marks(scale, [low, high], room, each) {
  if (scale.kind === "linear" || !(high > low)) return {};
  const list = marked(scale, low, high, room, each);
  const text = (v) => {
    const size = Math.abs(v), e = Math.floor(Math.log10(size) + 1e-12), mantissa = humane(Math.sign(v) * Number((size / 10 ** e).toPrecision(6)), 6);
    if (v === 0 || (size > 0.0099 && size < 9001)) return humane(v, 6);
    return mantissa === "1" || mantissa === "−1" ? `${mantissa.replace("1", "10")}${superscript(e)}` : `${mantissa}×10${superscript(e)}`;
  };
  return { tickvals: list.map(scale.shown), ticktext: list.map(text) };
}

function axisLayout(axis, scale, values, letters = 90) {
  const [least] = extent(values);
  const layout = {
    title: { text: broken(axisWords(axis, scale, least), letters), standoff: 10, font }, automargin: true, gridcolor: theme.grid, linecolor: theme.muted,
    showline: true, ticks: "outside", tickcolor: theme.muted, zerolinecolor: "#b9bec4", zerolinewidth: 1,
    zeroline: scale.kind === "sym_log", exponentformat: "power", minexponent: 4, ticklabeloverflow: "allow", type: scale.type,
  };
  const range = axis.range && axis.range.map((v) => scale.position(number(v)));
  if (range && range.every(Number.isFinite)) layout.range = range;
  else if (scale.kind !== "linear") {
    const [a, b] = extent(values.map(scale.position));
    const rim = a < b ? 0.04 * (b - a) : 0.5;
    if (Number.isFinite(a)) layout.range = [a - rim, b + rim];
  }
  return layout;
}
