// ---- controls --------------------------------------------------------------------------------------------------

const names = { linear: "linear", log: "log", sym_log: "symmetric log" };
const kinds = {
  curves: { build: curves, start: (r) => ({ x: r.x.scale, y: r.y.scale }), choices: [["x", "x axis", Object.keys(names)], ["y", "y axis", Object.keys(names)]] },
  surface: { build: surface, start: (r) => ({ z: r.z.scale, view: "contours" }), choices: [["view", "view", ["contours", "3-D"]], ["z", "colours", ["linear", "log"]]] },
  spectrum: { build: spectrum, start: (r) => ({ x: r.axis.scale }), choices: [["x", "axis", Object.keys(names)]] },
};

function enliven(figure) {
  const data = JSON.parse(figure.querySelector("script.data").textContent), { record } = data;
  const kind = kinds[record.kind], choice = kind.start(record);
  const still = figure.querySelector(".still"), live = figure.querySelector(".live"), bar = figure.querySelector(".controls");
  const config = {
    responsive: false, displaylogo: false, displayModeBar: "hover", scrollZoom: false, doubleClick: "reset+autosize",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "tableRotation", "resetCameraLastSave3d"],
    toImageButtonOptions: { format: "svg", filename: figure.id },
  };
  let home = null, three = false, built = null, width = 0;

  function draw() {
    width = live.clientWidth;
    built = kind.build(data, choice, width);
    three = Boolean(built.three);
    const layout = { font, paper_bgcolor: "#fff", plot_bgcolor: "#fff", separators: ".\u00a0", hoverlabel: { bgcolor: "#fff", bordercolor: theme.muted, font, align: "left" }, dragmode: "zoom", ...built.layout };
    return Plotly.react(live, built.traces, layout, config).then(remark).then(() => {
      const full = live._fullLayout;
      home = three || !full.xaxis ? null : { "xaxis.range": [...full.xaxis.range], "yaxis.range": [...full.yaxis.range] };
    });
  }

  // Marks for what is in sight: after each zoom and each move.
  function remark() {
    const full = live._fullLayout, changes = {}, traces = [];
    if (three || !full || !full.xaxis) return Promise.resolve();
    for (const [name, scale] of Object.entries(built.scales || {})) {
      const axis = full[`${name}axis`], found = marks(scale, axis.range.map(Number), axis._length, name === "x" ? 46 : 26);
      for (const [key, list] of Object.entries(found)) {
        if (JSON.stringify(list) !== JSON.stringify(axis[key])) changes[`${name}axis.${key}`] = list;
      }
    }
    const shown = built.adjust ? built.adjust(full.xaxis.range.map(Number), full.xaxis._length) : [];
    for (const { trace, opacity } of shown) {
      if (JSON.stringify(live.data[trace].marker.opacity) !== JSON.stringify(opacity)) traces.push([trace, opacity]);
    }
    if (!Object.keys(changes).length && !traces.length) return Promise.resolve();
    for (const [trace, opacity] of traces) live.data[trace].marker.opacity = opacity;
    return traces.length && !Object.keys(changes).length ? Plotly.redraw(live) : Plotly.relayout(live, changes).then(() => (traces.length ? Plotly.redraw(live) : null));
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
        draw().then(listen);
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
  // A purge takes the listener away with the plot.
  function listen() {
    live.removeAllListeners("plotly_relayout");
    live.on("plotly_relayout", () => void remark());
  }

  if ("ResizeObserver" in window) {
    new ResizeObserver(() => {
      if (!live.hidden && live.clientWidth && live.clientWidth !== width) draw().then(listen);
    }).observe(live);
  }
  return draw().then(listen).then(() => { still.hidden = true; }).catch(() => { live.hidden = true; bar.hidden = true; still.hidden = false; });
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
