// Words and numbers as the page writes them.

const theme = JSON.parse(document.getElementById("theme").textContent);
const font = { family: "thalweg-sans, Roboto, Helvetica, Arial, sans-serif", size: 13, color: theme.ink };
const words = { "NaN": NaN, "Infinity": Infinity, "-Infinity": -Infinity };
const number = (v) => (typeof v === "number" ? v : v === null ? NaN : words[v]);
const numbers = (list) => (list || []).map(number);
const finite = (v) => (Number.isFinite(v) ? v : null);

// Plotly reads a little markup in names; a name is to be seen as it was written, except that letters and digits behind
// an underscore behind a single letter are a subscript, as in the still pictures.
const subscripts = (text) => text.replace(/(?<![\p{L}\p{N}_])(\p{L})_([\p{L}\p{N}]+)(?!_|[\p{L}\p{N}])/gu, "$1<sub>$2</sub>");
const plain = (text) => subscripts(String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"));

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

// Label and unit, and where a bi-symmetric scale is linear, without which distances on it cannot be read.
function axisWords(axis, scale, least = 0) {
  const text = axis.unit ? `${axis.label} (${axis.unit})` : axis.label;
  if (!scale || scale.kind !== "sym_log") return text;
  return `${text}, linear ${least < -scale.linear ? "within ±" : "below "}${humane(scale.linear, 1)}`;
}
const axisText = (axis) => plain(axisWords(axis));

// Lines of at most so many letters.
function wrap(text, most) {
  const lines = [""];
  for (const word of String(text).replace(/(\d) %/g, "$1\u00a0%").split(/[ \n\t]+/)) {
    const joined = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${word}` : word;
    if (joined.length <= most || !lines[lines.length - 1]) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}
const broken = (text, most) => wrap(text, most).map(plain).join("<br>");

const extent = (values) => values.reduce(([a, b], v) => (Number.isFinite(v) ? [Math.min(a, v), Math.max(b, v)] : [a, b]), [Infinity, -Infinity]);

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
