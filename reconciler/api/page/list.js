// The workload list: the most urgent ones of the overview, or those that match a state or a text.

import { show } from "./dialog.js";
import { apiUrl, byId, element, setAttribute, setText, syncChildren } from "./dom.js";
import { duration, integer, shortAddress } from "./format.js";

const ROWS_MAX = 200;
const REFRESH_MS = 5_000;

let view = null;
let state = "";
let results = { rows: null, total: 0, at: 0 };

export function setUp() {
  const search = byId("search");
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(fetchRows, 250);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
    event.preventDefault();
    search.focus();
  });
}

export function update(latest) {
  view = latest;
  renderStates();
  if (isFiltered() && Date.now() - results.at > REFRESH_MS) fetchRows();
  renderRows();
}

const searchText = () => byId("search").value.trim();
const isFiltered = () => Boolean(state || searchText());

async function fetchRows() {
  if (!isFiltered()) {
    results.rows = null;
    return renderRows();
  }
  results.at = Date.now();
  const query = new URLSearchParams({ limit: ROWS_MAX });
  if (state) query.set("state", state);
  if (searchText()) query.set("contains", searchText());
  const response = await fetch(apiUrl(`workloads?${query}`));
  if (!response.ok) return;
  const { items, total } = await response.json();
  const known = new Map(view.workloads.map((row) => [row.workload.id, row]));
  results.rows = items.map((workload) => known.get(workload.id) ?? { workload, lease: null });
  results.total = total;
  renderRows();
}

function renderStates() {
  const counts = Object.entries(view.status.counts.workloads).filter(([name, count]) => count || name === state);
  syncChildren(byId("states"), counts, {
    key: ([name]) => name,
    create: ([name]) => element("button", { type: "button", onclick: () => toggle(name) }),
    update: (chip, [name, count]) => {
      setText(chip, `${name} ${integer(count)}`);
      setAttribute(chip, "aria-pressed", name === state);
    },
  });
}

function toggle(name) {
  state = state === name ? "" : name;
  results.rows = null;
  renderStates();
  fetchRows();
}

function renderRows() {
  const rows = isFiltered() ? results.rows ?? [] : view.workloads;
  const total = isFiltered() ? results.total : view.workloads_total;
  syncChildren(byId("rows"), rows, { key: (row) => row.workload.id, create: createRow, update: renderRow });
  const truncated = rows.length < total ? `The ${integer(rows.length)} most urgent of ${integer(total)}; filter by state, or search for an id.` : "";
  setText(byId("rows-note"), rows.length ? truncated : isFiltered() ? "No workload matches." : "There are no workloads yet.");
}

function createRow({ workload }) {
  const tenant = workload.lease.split("/")[0];
  return element("tr", { class: "open", onclick: () => show(workload.id) },
    element("td", {}, element("span", { class: "state" })),
    element("td", {}, element("button", { type: "button", class: "name id" }, workload.id), element("div", { class: "why" })),
    element("td", { class: "tenant id", title: tenant }, shortAddress(tenant)),
    element("td", { class: "number ready" }), element("td", { class: "number price" }), element("td", { class: "number left" }));
}

function renderRow(row, { workload, lease }) {
  const [stateCell, name, , ready, price, left] = row.children;
  const pill = stateCell.firstChild;
  setText(pill, workload.state);
  setAttribute(pill, "data-state", workload.state);
  const reasons = [...new Set(workload.holds.map((hold) => hold.reason))].sort().join(", ");
  setText(name.lastChild, workload.trouble ? `${workload.trouble.reason}: ${workload.trouble.message}` : reasons);
  const isSilent = workload.unseen.includes(`${workload.adapter} workloads`);
  const replicas = `${workload.replicas_ready} of ${workload.replicas}`;
  setText(ready, isSilent ? (workload.replicas ? `${replicas}?` : "unknown") : workload.replicas ? replicas : "–");
  const isPriceKnown = !workload.unseen.includes("chain") || workload.lease_state !== "invalid";
  setText(price, isPriceKnown ? integer(Number(workload.price_uve)) : "unknown");
  setAttribute(row, "data-unseen", workload.unseen.join(", "));
  const funds = lease?.funding;
  setText(left, !funds ? "–" : funds.seconds_left === null ? "unlimited" : funds.seconds_left < 0 ? "run out" : duration(funds.seconds_left));
  left.className = `number left funds-${funds?.state ?? "none"}`;
}
