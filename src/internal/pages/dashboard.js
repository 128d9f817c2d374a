// The dashboard: asks every two seconds, draws what has changed, and sends orders that were
// confirmed.

const EVERY = 2000;
const LOOKS = 31; // a minute of them
const looks = [];
const drawn = new Map();

// Draws a part anew where its data has changed; a button keeps the focus that it had.
function draw(id, data, make) {
  const text = JSON.stringify(data);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  const focus = document.activeElement?.dataset?.focus;
  const made = data.map(make);
  const nothing = $(id).tagName === "TBODY"
    ? el("tr", {}, el("td", { class: "soft", colspan: "7" }, "nothing"))
    : el("li", { class: "soft" }, "nothing");
  $(id).replaceChildren(...(made.length ? made : [nothing]));
  if (focus) $(id).querySelector("[data-focus=\"" + CSS.escape(focus) + "\"]")?.focus();
}

const cell = (text, css) => el("td", css ? { class: css } : {}, text);
const row = (...cells) => el("tr", {}, ...cells);
const clock = (text) => (text ? new Date(text).toLocaleTimeString() : "");
const ending = (text) => (text ? new Date(text).toLocaleString() : "undone");

function tell(words) {
  $("told").textContent = words;
  setTimeout(() => { if ($("told").textContent === words) $("told").textContent = ""; }, 6000);
}

// Asks whether it is meant; answers what was filled in, or nothing.
function confirmed({ title, words, yes, duration }) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-words").textContent = words;
  $("confirm-yes").textContent = yes;
  $("confirm-duration").hidden = duration === undefined;
  $("duration").value = duration ?? "";
  $("reason").value = "";
  dialog.showModal();
  return new Promise((settle) => {
    const end = (answer) => {
      settle(answer);
      dialog.close();
    };
    $("confirm-form").onsubmit = (event) => {
      event.preventDefault();
      const order = {};
      if ($("reason").value) order.reason = $("reason").value;
      if (duration !== undefined && $("duration").value) order.duration = $("duration").value;
      end(order);
    };
    $("confirm-no").onclick = () => end(null);
    dialog.oncancel = () => settle(null);
  });
}

async function act(question, path, method, more, done) {
  const order = await confirmed(question);
  if (!order) return;
  try {
    await ask(path, method, method === "DELETE" ? undefined : { ...order, ...more });
    tell(done);
  } catch (fault) {
    tell("Refused: " + fault.message);
  }
  await look().catch(() => {});
}

const block = (ip) => act({
  title: "Block " + plain(ip, 60) + "?",
  words: "Its requests get 403, or are dropped at accept, from the next one on.",
  yes: "Block", duration: "1h",
}, "/internal/security/block-ip", "POST", { ip }, plain(ip, 60) + " is blocked.");

const unblock = (ip) => act({
  title: "Unblock " + plain(ip, 60) + "?", words: "It may call again from the next request on.",
  yes: "Unblock",
}, "/internal/security/unblock-ip", "POST", { ip }, plain(ip, 60) + " is let in again.");

const undo = (measure) => act({
  title: "Undo " + plain(measure.kind) + "?", words: plain(measure.effect, 400), yes: "Undo",
}, "/internal/security/measures/" + encodeURIComponent(measure.id), "DELETE", {}, "It is undone.");

$("emergency").addEventListener("click", () => act({
  title: "Emergency mode?",
  words: "Prompt injection, code, web attacks and secrets are refused, and texts cleaned strictly.",
  yes: "Switch on", duration: "15m",
}, "/internal/security/emergency-mode", "POST", {}, "Emergency mode is on."));

$("reset").addEventListener("click", () => act({
  title: "Undo every measure?",
  words: "All emergency measures and all blocks by operators end. What the gateway blocked by itself stays.",
  yes: "Undo all",
}, "/internal/security/reset-config", "POST", {}, "Every measure is undone."));

$("block-form").addEventListener("submit", (event) => {
  event.preventDefault();
  block($("block-ip").value.trim());
});

function traffic(metrics) {
  // Those who look at the gateway are no traffic, and this page is one of them.
  const counts = ({ endpoint }) => !/^\/(internal|metrics|health|ready)/.test(endpoint);
  const refused = (labels) => counts(labels) && Number(labels.status_code) >= 400;
  looks.push({
    at: performance.now(),
    requests: total(metrics, "requests_total", counts),
    refused: total(metrics, "requests_total", refused),
    whole: buckets(metrics, "request_duration_seconds"),
    own: buckets(metrics, "overhead_seconds"),
  });
  if (looks.length > LOOKS) looks.shift();
  const [first, now] = [looks[0], looks.at(-1)];
  const rates = looks.slice(1).map((one, place) =>
    Math.max(0, one.requests - looks[place].requests) * 1000 / (one.at - looks[place].at));
  $("requests").textContent = now.requests.toLocaleString();
  $("active").textContent = total(metrics, "active_requests");
  $("rate").textContent = rates.length ? rates.at(-1).toFixed(1) : "–";
  $("errors").textContent = now.requests
    ? (100 * now.refused / now.requests).toFixed(1) + " %" : "–";
  chart($("traffic"), [{ values: rates }],
    "Requests a second over the last minute, now " + (rates.at(-1) ?? 0).toFixed(1));
  const parts = [["Whole request", "whole"], ["The gateway’s own part", "own"]];
  // Until a minute has passed, of all that has been since the start.
  const since = looks.length >= LOOKS && quantile(0.5, now.whole, first.whole) !== null ? first : null;
  draw("latency", parts.map(([name, part]) => [name,
    ...[0.5, 0.95, 0.99].map((share) => seconds(quantile(share, now[part], since?.[part])))]),
  ([name, ...values]) => row(el("th", { scope: "row" }, name), ...values.map((one) => cell(one, "count"))));
  const medians = (part) => looks.slice(1).map((one, place) =>
    quantile(0.5, one[part], looks[place][part]) ?? 0);
  chart($("latencies"), [{ values: medians("whole") }, { values: medians("own"), css: "own" }],
    "Median latency over the last minute; the gateway’s own part apart");
}

function refusals(metrics) {
  const reasons = ["blocked_requests_total", "failed_auth_attempts_total"].flatMap((name) =>
    series(metrics, name).map(({ labels, value }) =>
      [name.startsWith("failed") ? "credential: " + labels.reason : labels.reason, value]));
  const limits = series(metrics, "rate_limited_total").map(({ labels, value }) =>
    ["limit: " + labels.scope, value]);
  const all = [...reasons.filter(([reason]) => !/limit/.test(reason)), ...limits]
    .filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]).slice(0, 12);
  const most = Math.max(1, ...all.map(([, count]) => count));
  draw("reasons", all, ([reason, count]) => el("li", {},
    el("span", {}, plain(reason)), el("span", { class: "mono" }, String(count)),
    el("meter", { min: "0", max: String(most), value: String(count), "aria-label": plain(reason) })));
}

const button = (label, text, click) => el("td", {},
  el("button", { type: "button", class: "small danger", "data-focus": label, "aria-label": label, click }, text));

const drain = (provider, endpoint) => act({
  title: "Drain " + plain(endpoint) + "?",
  words: "It gets no new calls; those in flight go on. Calls go to the other endpoints, or to the next provider of the route.",
  yes: "Drain", duration: "30m",
}, "/internal/providers/order", "POST", { provider, endpoint, action: "drain" }, plain(endpoint) + " is drained.");

const release = (provider, endpoint) => act({
  title: "Release " + plain(endpoint) + "?", words: "Its health alone decides again whether it is called.",
  yes: "Release",
}, "/internal/providers/order", "POST", { provider, endpoint, action: "release" }, plain(endpoint) + " is released.");

function providers(told) {
  const all = (told.providers ?? []).flatMap(({ name, endpoints }) =>
    (endpoints ?? []).map((one) => ({ ...one, name, latency_ms: Math.round(one.latency_ms ?? 0) })));
  draw("providers", all.slice(0, 200), (one) => row(
    el("th", { scope: "row" }, plain(one.name)), cell(plain(one.endpoint, 60)),
    one.healthy ? cell("healthy", "good") : cell(one.order === "drain" ? "drained" : "unhealthy", "bad"),
    cell(plain(one.circuit), one.circuit === "closed" ? "" : "bad"),
    cell(String(one.in_flight), "count"), cell(one.latency_ms + " ms", "count"),
    ["drain", "force"].includes(one.order)
      ? button("Release " + one.name + " " + one.endpoint, "Release", () => release(one.name, one.endpoint))
      : button("Drain " + one.name + " " + one.endpoint, "Drain", () => drain(one.name, one.endpoint))));
}

function clients(limits, stats, blocks) {
  const out = new Set(blocks.map(({ ip }) => ip));
  const top = (limits.top_clients ?? []).slice(0, 10);
  draw("clients", top.map((one) => [one.id, one.requests_today, one.failures, out.has(one.id)]),
    ([id, requests, failures, blocked]) => row(
      el("th", { scope: "row", class: "mono" }, plain(id)), cell(String(requests), "count"),
      cell(String(failures), "count"),
      blocked ? cell("blocked", "bad") : button("Block " + plain(id), "Block", () => block(id))));
  draw("keys", (stats.keys ?? []).slice(0, 10).map((one) =>
    [one.id, one.requests_today, one.failures, one.request_bytes]),
  ([id, requests, failures, bytes]) => row(el("th", { scope: "row" }, plain(id)),
    cell(String(requests), "count"), cell(String(failures), "count"),
    cell((bytes / 1024).toFixed(0) + " KiB", "count")));
}

function measures(taken, blocks) {
  const rows = [
    ...taken.map((one) => ({ what: one.kind + ": " + one.effect, by: one.by, until: one.until, measure: one })),
    ...blocks.map((one) => ({ what: one.ip + " blocked: " + one.reason, by: one.by, until: one.until, ip: one.ip })),
  ];
  draw("measures", rows.slice(0, 200), ({ what, by, until, measure, ip }) => row(
    cell(plain(what, 300)), cell(plain(by, 60)), cell(ending(until)),
    measure ? button("Undo " + plain(measure.id), "Undo", () => undo(measure))
      : button("Unblock " + plain(ip), "Unblock", () => unblock(ip))));
}

function events(told, alerts) {
  draw("alerts", (alerts.alerts ?? []).slice(0, 30), (one) => el("li", {},
    el("strong", { class: /critical|high/.test(one.severity) ? "bad" : "warn" }, plain(one.severity)),
    " " + plain(one.message, 300) + " ", el("span", { class: "soft" },
      clock(one.last_seen) + (one.count > 1 ? ", " + one.count + " times" : ""))));
  draw("events", (told.events ?? []).slice(0, 50), (one) => el("li", {},
    el("span", { class: "soft" }, clock(one.at) + " "), el("strong", {}, String(one.status)),
    " " + plain([one.reason, ...one.events].filter(Boolean).join(", "), 200) + " ",
    el("span", { class: "mono soft" },
      plain([one.endpoint, one.ip, one.key, one.request_id].filter(Boolean).join(" "), 260))));
}

// One look at everything.
async function look() {
  const monitoring = (name) => ask("/internal/monitoring/" + name);
  const [status, limits, stats, told, recent, alerts, taken, blocks, text] = await Promise.all([
    ...["security-status", "rate-limiting", "api-key-stats", "providers", "events", "alerts"].map(monitoring),
    ask("/internal/security/measures"), ask("/internal/security/blocks"),
    reply("/metrics").then((got) => got.text()),
  ]);
  const metrics = parsed(text);
  const css = { normal: "good", elevated: "warn", critical: "bad" };
  $("status").textContent = plain(status.status);
  $("status").className = css[status.status] ?? "";
  $("policy").textContent = (status.mode === "development" ? "development mode, " : "") +
    "policy " + plain(status.policy) + ", " + new Date().toLocaleTimeString();
  traffic(metrics);
  refusals(metrics);
  providers(told);
  clients(limits, stats, blocks.blocks ?? []);
  measures(taken.measures ?? [], blocks.blocks ?? []);
  events(recent, alerts);
}

async function watch() {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, EVERY));
    if (document.hidden) continue;
    try {
      await look();
    } catch (fault) {
      if (fault.status === 401 || fault.status === 403) return location.reload();
      $("status").textContent = plain(fault.message);
      $("status").className = "bad";
    }
  }
}

session(async () => {
  await look();
  watch();
});
