"use strict";
// What both pages share: the key, questions to the gateway, and elements. Elements are made one by
// one and texts are set as texts, so nothing that a client wrote is ever read as markup.

const $ = (id) => document.getElementById(id);

function el(name, fields, ...inside) {
  const made = document.createElement(name);
  for (const [field, value] of Object.entries(fields ?? {})) {
    if (field === "click") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(field, value);
  }
  made.append(...inside.filter((one) => one !== null && one !== undefined));
  return made;
}

// A name as it may be shown: what would drive a terminal or turn a line around is written out.
function plain(text, most = 120) {
  const odd = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
  const shown = String(text ?? "").slice(0, most + 1);
  const written = shown.replace(odd, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  return shown.length > most ? written.slice(0, most) + "…" : written;
}

// The key lives here, in this tab's memory, and nowhere else: not in an address, not in a store.
let key = "";

async function reply(path, method = "GET", body = undefined) {
  const headers = {};
  if (key) headers.authorization = "Bearer " + key;
  if (body !== undefined) headers["content-type"] = "application/json";
  const request = { method, headers, cache: "no-store", credentials: "omit", redirect: "error" };
  if (body !== undefined) request.body = JSON.stringify(body);
  let got;
  try {
    got = await fetch(path, request);
  } catch {
    throw new Error("The gateway does not answer.");
  }
  if (got.ok) return got;
  const said = await got.json().catch(() => ({}));
  const fault = new Error(said.error?.message ?? "The gateway answered " + got.status + ".");
  fault.status = got.status;
  throw fault;
}

const ask = async (path, method, body) => (await reply(path, method, body)).json();

// Asks for the key, and begins when it opens what `begin` asks for.
function session(begin) {
  const field = $("key");
  const enter = async () => {
    $("refused").textContent = "";
    try {
      await begin();
      $("login").hidden = true;
      $("view").hidden = false;
      $("leave").hidden = !key;
      $("title").focus();
    } catch (fault) {
      key = "";
      $("refused").textContent = fault.message;
      field.focus();
    }
  };
  $("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    key = field.value.trim();
    field.value = "";
    if (/^[\x21-\x7e]+$/.test(key)) enter();
    else $("refused").textContent = "A key is one word of visible ASCII.";
  });
  $("leave").addEventListener("click", () => location.reload());
  if (document.body.dataset.mode === "development" || document.body.dataset.filled) enter();
}
