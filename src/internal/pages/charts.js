// Prometheus text, figures made of it, and one small chart.

function parsed(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#")) continue;
    const [, name, inside, value] = line.match(/^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/) ?? [];
    if (!name) continue;
    const labels = {};
    for (const [, label, text] of (inside ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label] = text.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    }
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ labels, value: Number(value) });
  }
  return found;
}

const series = (metrics, name) => metrics.get("proxy_api_" + name) ?? [];
const total = (metrics, name, wanted = () => true) =>
  series(metrics, name).filter(({ labels }) => wanted(labels))
    .reduce((sum, { value }) => sum + value, 0);

// The upper bounds of a histogram with how many lie below each.
function buckets(metrics, name) {
  const all = series(metrics, name + "_bucket").map(({ labels, value }) =>
    ({ most: labels.le === "+Inf" ? Infinity : Number(labels.le), count: value }));
  return all.sort((a, b) => a.most - b.most);
}

// Below which value such a share of what came between two looks lies.
function quantile(share, now, before) {
  const counts = now.map(({ most, count }, place) =>
    ({ most, count: count - (before?.[place]?.count ?? 0) }));
  const all = counts.at(-1)?.count ?? 0;
  if (!all) return null;
  const wanted = share * all;
  const place = counts.findIndex(({ count }) => count >= wanted);
  const { most, count } = counts[place];
  const below = place ? counts[place - 1] : { most: 0, count: 0 };
  if (most === Infinity) return below.most;
  const within = count > below.count ? (wanted - below.count) / (count - below.count) : 1;
  return below.most + (most - below.most) * within;
}

function seconds(value) {
  if (value === null) return "–";
  if (value < 0.001) return (value * 1e6).toFixed(0) + " µs";
  if (value < 1) return (value * 1e3).toFixed(value < 0.01 ? 2 : 0) + " ms";
  return value.toFixed(2) + " s";
}

const NS = "http://www.w3.org/2000/svg";

function shape(name, fields) {
  const made = document.createElementNS(NS, name);
  for (const [field, value] of Object.entries(fields)) made.setAttribute(field, value);
  return made;
}

// Draws lines over each other, each scaled to the largest of all.
function chart(svg, lines, words) {
  const most = Math.max(1e-9, ...lines.flatMap(({ values }) => values));
  const drawn = lines.map(({ values, css }) => {
    const step = 100 / Math.max(1, values.length - 1);
    const points = values.map((value, place) =>
      (place * step).toFixed(2) + "," + (38 - 36 * value / most).toFixed(2));
    return shape("polyline", { class: "line " + (css ?? ""), points: points.join(" ") });
  });
  const floor = shape("line", { class: "floor", x1: 0, x2: 100, y1: 39, y2: 39 });
  svg.replaceChildren(floor, ...drawn);
  svg.setAttribute("aria-label", words);
}
