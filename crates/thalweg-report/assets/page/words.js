// Words beside points: each where it covers no path and no other word, as near as that goes.

// `wanted` holds { x, y, text } in pixels with y down, `busy` places that should stay free, `box` the plot's sides.
// Returns where the words' middles stand, relative to their points.
function besides(wanted, busy, box) {
  const taken = [];
  return wanted.map(({ x, y, text }) => {
    const w = 6.8 * text.length + 8, h = 18;
    let best = null;
    for (const d of [10, 15, 22]) {
      for (const [sx, sy] of [[1, 0], [-1, 0], [0, -1], [0, 1], [0.75, -0.75], [0.75, 0.75], [-0.75, -0.75], [-0.75, 0.75]]) {
        const dx = sx * d + (sx === 0 ? 0 : (Math.sign(sx) * w) / 2), dy = sy * d + (sy === 0 ? 0 : (Math.sign(sy) * h) / 2);
        const room = { l: x + dx - w / 2, r: x + dx + w / 2, t: y + dy - h / 2, b: y + dy + h / 2 };
        if (room.l < 0 || room.r > box.width || room.t < 0 || room.b > box.height) continue;
        const covers = taken.filter((o) => o.l < room.r && room.l < o.r && o.t < room.b && room.t < o.b).length;
        const hides = busy.filter(([bx, by]) => bx > room.l - 2 && bx < room.r + 2 && by > room.t - 2 && by < room.b + 2).length;
        const cost = 100 * covers + 4 * hides + d / 5;
        if (!best || cost < best.cost) best = { cost, dx, dy, room };
      }
    }
    if (!best) return { dx: 0, dy: -17, covers: true };
    taken.push(best.room);
    return best;
  });
}

// Points every few pixels along a line through places in pixels.
function along(places) {
  const points = [];
  places.forEach(([x, y], k) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    const [px, py] = k ? places[k - 1] : [NaN, NaN];
    const steps = Math.min(200, Math.ceil(Math.hypot(x - px, y - py) / 6)) || 1;
    for (let i = 1; i <= steps; i++) points.push(Number.isFinite(px) ? [px + ((x - px) * i) / steps, py + ((y - py) * i) / steps] : [x, y]);
  });
  return points;
}
