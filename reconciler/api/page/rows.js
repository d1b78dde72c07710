// The list of workloads: the urgent ones as the overview has them, or those that are asked for by state or text.

import { api, element, keep, mark, one, say } from "./draw.js";
import { show } from "./workload.js";
import { brief, lasting, whole } from "./words.js";

const LISTED = 200;
const AGAIN_MS = 5_000;

let view = null;
let state = "";
let asked = { rows: null, total: 0, at: 0 };

export function setUp() {
  const find = one("find");
  let typing = 0;
  find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(fetchRows, 250);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
    event.preventDefault();
    find.focus();
  });
}

export function update(latest) {
  view = latest;
  drawStates();
  if (isFiltered() && Date.now() - asked.at > AGAIN_MS) fetchRows();
  drawRows();
}

const isFiltered = () => Boolean(state || one("find").value.trim());

async function fetchRows() {
  if (!isFiltered()) {
    asked.rows = null;
    return drawRows();
  }
  asked.at = Date.now();
  const query = new URLSearchParams({ limit: LISTED });
  if (state) query.set("state", state);
  if (one("find").value.trim()) query.set("contains", one("find").value.trim());
  const response = await fetch(api(`workloads?${query}`));
  if (!response.ok) return;
  const answer = await response.json();
  const tiles = new Map(view.workloads.map((tile) => [tile.id, tile]));
  asked.rows = answer.workloads.map((w) => tiles.get(w.id) ?? { ...w, tenant: w.lease.split("/")[0], funding: null, held: [] });
  asked.total = answer.total;
  drawRows();
}

function drawStates() {
  const counts = Object.entries(view.counts.workloads).filter(([name, count]) => count || name === state);
  keep(one("states"), counts, {
    key: ([name]) => name,
    make: ([name]) => element("button", { type: "button", onclick: () => choose(name) }),
    update: (chip, [name, count]) => {
      say(chip, `${name} ${whole(count)}`);
      mark(chip, "aria-pressed", name === state);
    },
  });
}

function choose(name) {
  state = state === name ? "" : name;
  asked.rows = null;
  drawStates();
  fetchRows();
}

function drawRows() {
  const rows = isFiltered() ? asked.rows ?? [] : view.workloads;
  const total = isFiltered() ? asked.total : view.workloads_total;
  keep(one("rows"), rows, { key: (tile) => tile.id, make: makeRow, update: drawRow });
  const shown = rows.length < total ? `The ${whole(rows.length)} that need looking at most, of ${whole(total)}; find others by state or id.` : "";
  say(one("rows-note"), rows.length ? shown : isFiltered() ? "None is like that." : "There are no workloads yet.");
}

function makeRow(tile) {
  return element("tr", { class: "open", onclick: () => show(tile.id) },
    element("td", {}, element("span", { class: "state" })),
    element("td", {}, element("button", { type: "button", class: "name id" }, tile.id), element("div", { class: "why" })),
    element("td", { class: "tenant id", title: tile.tenant }, brief(tile.tenant)),
    element("td", { class: "number ready" }), element("td", { class: "number price" }), element("td", { class: "number left" }));
}

function drawRow(row, tile) {
  const [stateCell, name, , ready, price, left] = row.children;
  const pill = stateCell.firstChild;
  say(pill, tile.state);
  mark(pill, "data-state", tile.state);
  say(name.lastChild, tile.trouble ? `${tile.trouble.reason}: ${tile.trouble.message}` : tile.held.join(", "));
  say(ready, tile.replicas ? `${tile.replicas_ready} of ${tile.replicas}` : "–");
  say(price, whole(Number(tile.price_uve)));
  const funds = tile.funding;
  say(left, !funds ? "–" : funds.seconds_left === null ? "for ever" : funds.seconds_left < 0 ? "no more" : lasting(funds.seconds_left));
  left.className = `number left funds-${funds?.state ?? "none"}`;
}
