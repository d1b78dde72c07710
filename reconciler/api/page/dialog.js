// The dialog of one workload: its explanation, usage, log and events, refreshed while it is open.

import { apiUrl, byId, element, setText, syncChildren } from "./dom.js";
import { bytes, integer, time, unixSeconds } from "./format.js";

const LOG_LINES = 200;
const EVENTS_MAX = 30;
const REFRESH_MS = 4_000;
const LEVELS = { trouble: "bad", held: "warn", decision: "warn", "next try": "warn", "was held": "over" };

const dialog = byId("detail");
let shownId = null;
let timer = 0;

export function setUp() {
  byId("detail-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", onClose);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** Opens the dialog on a workload; the page's URL names it, so that it can be shared. */
export function show(id) {
  shownId = id;
  setText(byId("detail-title"), id);
  for (const part of ["explanation", "events", "log", "usage"]) byId(part).replaceChildren();
  setText(byId("usage"), "…");
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  if (!dialog.open) dialog.showModal();
  refresh();
}

function onClose() {
  shownId = null;
  clearTimeout(timer);
  history.replaceState(null, "", location.pathname + location.search);
}

async function refresh() {
  clearTimeout(timer);
  const id = shownId;
  await Promise.allSettled([
    load(id, "explain", (view) => renderExplanation(view.steps),
      (error) => renderExplanation([{ step: "error", state: "", message: `${error.error}; ${error.advice}`, since: null, until: null }])),
    load(id, "metrics", renderUsage, (error) => setText(byId("usage"), error.error)),
    load(id, "events", (view) => renderEvents(view.events), () => {}),
    loadLog(id),
  ]);
  if (shownId === id) timer = setTimeout(refresh, document.hidden ? 5 * REFRESH_MS : REFRESH_MS);
}

async function load(id, what, render, renderError) {
  const response = await fetch(apiUrl(`workloads/${encodeURIComponent(id)}/${what}`));
  const view = await response.json();
  if (shownId === id) (response.ok ? render : renderError)(view);
}

async function loadLog(id) {
  const response = await fetch(apiUrl(`workloads/${encodeURIComponent(id)}/logs?tail=${LOG_LINES}`));
  const text = response.ok ? await response.text() : (await response.json()).error;
  if (shownId !== id) return;
  const log = byId("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  setText(log, text || "(empty)");
  if (atEnd) log.scrollTop = log.scrollHeight;
}

const createStep = () => element("li", {},
  element("span", { class: "step" }), element("span", { class: "state-word" }), element("span", { class: "message" }));

function renderStep(row, level, ...texts) {
  row.dataset.level = level;
  texts.forEach((text, n) => setText(row.children[n], text));
}

function renderExplanation(steps) {
  syncChildren(byId("explanation"), steps, {
    key: (step) => `${step.step} ${step.state} ${step.since} ${step.step === "address" ? step.message : ""}`,
    create: createStep,
    update: (row, step) => renderStep(row, LEVELS[step.step] ?? "", step.step, step.state, `${step.message}${when(step)}`),
  });
}

function when(step) {
  const [from, to] = [step.since, step.until].map((at) => (at ? time(unixSeconds(at)) : ""));
  if (step.step === "next try") return to && ` at ${to}`;
  if (to) return ` (${from} to ${to})`;
  return from && ` (since ${from})`;
}

function renderUsage(view) {
  const amounts = `${integer(view.cpu_milli)} millicores, ${bytes(view.memory_bytes)} of memory`;
  setText(byId("usage"), view.source === "metrics"
    ? `${amounts}, measured at ${time(unixSeconds(view.at))}`
    : `${amounts} requested; ${view.why}`);
}

function renderEvents(events) {
  syncChildren(byId("events"), events.slice(0, EVENTS_MAX), {
    key: (event) => `${event.about} ${event.reason} ${event.first_at}`,
    create: createStep,
    update: (row, event) => {
      const times = event.count > 1 ? `, ${integer(event.count)} times` : "";
      const at = event.last_at ? time(unixSeconds(event.last_at)) : "";
      renderStep(row, event.warning ? "warn" : "", at, event.reason, `${event.message} (${event.about}${times})`);
    },
  });
}
