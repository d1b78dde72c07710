// One workload: why it is as it is, what it uses, its log and its events, while the dialog is open.

import { api, element, keep, one, say } from "./draw.js";
import { bytes, clock, unix, whole } from "./words.js";

const LOG_LINES = 200;
const EVERY_MS = 4_000;
const LEVELS = { trouble: "bad", held: "warn", decision: "warn", "next try": "warn", "was held": "over" };

const dialog = one("detail");
let open = null;
let timer = 0;

export function setUp() {
  one("detail-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", shut);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** Opens the dialog on a workload; the address names it, so that it can be sent to somebody. */
export function show(id) {
  open = id;
  say(one("detail-title"), id);
  for (const part of ["chain", "events", "log", "uses"]) one(part).replaceChildren();
  say(one("uses"), "…");
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  if (!dialog.open) dialog.showModal();
  refresh();
}

function shut() {
  open = null;
  clearTimeout(timer);
  history.replaceState(null, "", location.pathname + location.search);
}

async function refresh() {
  clearTimeout(timer);
  const id = open;
  await Promise.allSettled([
    ask(id, "explain", (answer) => drawChain(answer.links)),
    ask(id, "metrics", drawUse),
    ask(id, "events", (answer) => drawEvents(answer.events)),
    readLog(id),
  ]);
  if (open === id) timer = setTimeout(refresh, document.hidden ? 5 * EVERY_MS : EVERY_MS);
}

async function ask(id, what, draw) {
  const response = await fetch(api(`workloads/${encodeURIComponent(id)}/${what}`));
  const answer = await response.json();
  if (open !== id) return;
  if (response.ok) draw(answer);
  else if (what === "explain") drawChain([{ step: "error", word: "", says: `${answer.error}; ${answer.advice}`, at: null, until: null }]);
  else if (what === "metrics") say(one("uses"), answer.error);
}

async function readLog(id) {
  const response = await fetch(api(`workloads/${encodeURIComponent(id)}/logs?tail=${LOG_LINES}`));
  const text = response.ok ? await response.text() : (await response.json()).error;
  if (open !== id) return;
  const log = one("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  say(log, text || "(it has written nothing)");
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function drawChain(links) {
  keep(one("chain"), links, {
    key: (link) => `${link.step} ${link.word} ${link.at}`,
    make: () => element("li", {}, element("span", { class: "step" }), element("span", { class: "word" }), element("span", { class: "says" })),
    update: (row, link) => {
      row.dataset.level = LEVELS[link.step] ?? "";
      const [step, word, says] = row.children;
      say(step, link.step); say(word, link.word);
      say(says, `${link.says}${when(link)}`);
    },
  });
}

function when(link) {
  const [from, to] = [link.at, link.until].map((at) => (at ? clock(unix(at)) : ""));
  if (link.step === "next try") return to && ` at ${to}`;
  if (to) return ` (${from} to ${to})`;
  return from && ` (since ${from})`;
}

function drawUse(answer) {
  const what = `${whole(answer.cpu_milli)} millicores, ${bytes(answer.memory_bytes)} of memory`;
  say(one("uses"), answer.source === "metrics" ? `${what}, measured at ${clock(unix(answer.at))}` : `${what} asked for; ${answer.why}`);
}

function drawEvents(events) {
  keep(one("events"), events.slice(0, 30), {
    key: (event) => `${event.about} ${event.reason} ${event.first_at}`,
    make: () => element("li", {}, element("span", { class: "step" }), element("span", { class: "word" }), element("span", { class: "says" })),
    update: (row, event) => {
      row.dataset.level = event.warning ? "warn" : "";
      const [step, word, says] = row.children;
      say(step, event.last_at ? clock(unix(event.last_at)) : ""); say(word, event.reason);
      say(says, `${event.message} (${event.about}${event.count > 1 ? `, ${whole(event.count)} times` : ""})`);
    },
  });
}
