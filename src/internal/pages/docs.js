// Renders the description of the interface.

const given = JSON.parse($("document").textContent);
if (given) document.body.dataset.filled = "yes";
let described = given;

const lookup = (reference) =>
  reference.slice(2).split("/").reduce((at, name) => at?.[name], described);
const resolved = (value) => (value?.$ref ? lookup(value.$ref) : value) ?? {};
const named = (value) => value?.$ref?.split("/").pop();

// A shape in a few words.
function kind(schema) {
  if (schema.$ref) return named(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(kind).join(" | ");
  if (schema.type === "array") return "list of " + kind(schema.items ?? {});
  return [schema.type ?? "anything"].flat().join(" | ");
}

// The fields of a shape as rows; those of shapes within it are indented.
function rows(schema, depth = 0) {
  const inner = resolved(schema);
  if (inner.type === "array") return rows(inner.items ?? {}, depth);
  const needed = inner.required ?? [];
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
    const row = el("tr", {},
      el("td", { class: "mono" }, "\u00a0\u00a0".repeat(depth) + name),
      el("td", {}, kind(field) + (needed.includes(name) ? "" : ", may be missing")),
      el("td", {}, field.description ?? ""));
    const deeper = depth < 3 ? rows(field, depth + 1) : [];
    return [row, ...deeper];
  });
}

function shape(schema) {
  const all = rows(schema);
  if (!all.length) return el("p", { class: "soft" }, kind(schema));
  const heads = ["Field", "Type", ""].map((text) => el("th", { scope: "col" }, text));
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...all));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Fields" }, table);
}

function body(operation) {
  return Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) => {
    const examples = (resolved(schema).examples ?? []).map((one) =>
      el("pre", { tabindex: "0" }, JSON.stringify(one, null, 2)));
    const name = named(schema);
    return [el("h3", {}, "Body: " + type + (name ? ": " + name : "")), shape(schema), ...examples];
  });
}

function answers(operation) {
  return Object.entries(operation.responses).flatMap(([status, answer]) => {
    const { description, content } = resolved(answer);
    const types = Object.entries(content ?? {}).map(([type, { schema }]) => type +
      (named(schema) ? ": " + named(schema) : ""));
    const line = el("p", {}, el("code", {}, status), " " + description + " ",
      el("span", { class: "soft" }, types.join("; ")));
    const fine = status === "200" && content?.["application/json"]?.schema;
    return fine ? [line, shape(fine)] : [line];
  });
}

function shown(path, method, operation) {
  const parameters = (operation.parameters ?? []).map(resolved).map((one) =>
    el("p", {}, el("code", {}, one.name), " (" + one.in + (one.required ? "" : ", may be missing") +
      ") " + (one.description ?? "")));
  return el("details", { "data-words": (method + " " + path + " " + operation.summary).toLowerCase() },
    el("summary", {}, el("span", { class: "verb" }, method.toUpperCase()),
      el("code", {}, path), " " + operation.summary),
    el("div", {}, el("p", { class: "soft" }, operation.description ?? ""),
      ...parameters, ...body(operation), el("h3", {}, "Answers"), ...answers(operation)));
}

function render() {
  $("title").textContent = described.info.title + " " + described.info.version;
  const groups = described.tags.map(({ name, description }) => {
    const all = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([, one]) => one.tags.includes(name))
        .map(([method, one]) => shown(path, method, one)));
    return el("section", {}, el("h2", {}, name), el("p", { class: "soft" }, description), ...all);
  });
  const schemes = Object.keys(described.components.securitySchemes).join(", ");
  $("operations").replaceChildren(
    el("p", {}, described.info.description + " A key is sent as one of: " + schemes + ". "),
    ...groups);
}

$("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll("details")) {
    one.hidden = !one.dataset.words.includes(wanted);
  }
});

session(async () => {
  described ??= await ask("/internal/openapi.json");
  render();
});
