// The page: receives an overview after each cycle and renders it.

import { Chart } from "./chart.js";
import * as dialog from "./dialog.js";
import { apiUrl, byId, element, setAttribute, setText, syncChildren } from "./dom.js";
import { bytes, compact, duration, integer, plural, time, unixSeconds } from "./format.js";
import { issuesOf, summary } from "./issues.js";
import * as ledger from "./ledger.js";
import * as list from "./list.js";

const POINTS_MAX = 480;
const RECONNECT_MS = 5_000;

const earned = new Chart("Earned, including accrued");
const balance = new Chart("Balance");
let view = null;
let history = [];
let clockOffset = 0; // this machine's clock minus the daemon's, in seconds
let connected = false;

const now = () => Date.now() / 1000 - clockOffset;
const ageOf = (text) => duration(Math.max(now() - unixSeconds(text), 0));

function listen() {
  const stream = new EventSource(apiUrl("stream"));
  stream.addEventListener("overview", (event) => {
    connected = true;
    receive(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    connected = false;
    tick();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RECONNECT_MS);
  });
}

function receive(latest) {
  view = latest;
  clockOffset = Date.now() / 1000 - unixSeconds(view.at);
  const points = view.money_history.map((point) => ({ ...point, at: unixSeconds(point.at) }));
  const known = points.length > 1 ? [] : history;
  history = [...known.filter((point) => !points.length || point.at < points[0].at), ...points];
  if (history.length > POINTS_MAX) history = history.filter((_, n) => n % 2 === 0 || n === history.length - 1);
  render();
}

function render() {
  const { status } = view;
  setText(byId("provider"), status.provider);
  setText(byId("address"), status.address);
  setText(byId("height"), integer(status.chain.height));
  earned.show(history.map((point) => ({ at: point.at, value: point.earned_uve + point.accrued_uve })));
  balance.show(history.map((point) => ({ at: point.at, value: point.balance_uve })));
  renderFigures();
  renderHolds();
  renderCommits("desired", view.desired_commits);
  renderCommits("published", view.published_commits);
  renderCapacity();
  list.update(view);
  tick();
}

/** Updates what changes with time alone. */
function tick() {
  if (!view) return;
  const { status } = view;
  const issues = issuesOf(view, now());
  const [level, message] = connected ? summary(issues) : ["wait", "The daemon does not respond; this is its last known state"];
  setText(byId("summary"), message);
  setAttribute(byId("summary"), "data-level", level);
  setAttribute(byId("icon"), "href", `page/icon-${level}.svg`);
  document.title = `${issues.length && connected ? `(${issues.length}) ` : ""}${status.provider}`;
  byId("issues").hidden = issues.length < 2;
  syncChildren(byId("issue-list"), issues, {
    key: (issue) => issue.key,
    create: () => element("li", {}, element("span", { class: "mark", "aria-hidden": "true" }), element("span", { class: "message" })),
    update: (row, issue) => { setAttribute(row, "data-level", issue.level); setText(row.lastChild, issue.message); },
  });
  const chain = status.readings.find((reading) => reading.source === "chain");
  setText(byId("chain-age"), chain?.seen_at ? `${ageOf(chain.seen_at)} ago` : "never");
  setText(byId("cycle-age"), status.cycle ? `${ageOf(status.cycle.finished_at)} ago` : "none yet");
  renderSources();
}

function lasting(money) {
  if (money.is_balance_falling === null) return "; how long it lasts is not known yet";
  return money.is_balance_falling ? `; lasts ${duration(money.balance_seconds_left)}` : "";
}

function renderFigures() {
  const { counts, money } = view.status;
  const left = view.funds.min_seconds_left;
  const total = view.workloads_total - counts.workloads.terminated;
  const figures = [
    ["Leases", integer(counts.leases), plural(counts.bids_open, "open bid")],
    ["Running", total ? `${integer(counts.workloads.running)} of ${integer(total)}` : "0", "workloads"],
    ["Earned", compact(money.earned_uve), `uve, after ${compact(money.fees_uve)} of fees`],
    ["Income", compact(Number(view.income_uve_per_block)), "uve per block"],
    ["Accrued", compact(money.accrued_uve), "uve, not withdrawn yet"],
    ["Balance", compact(money.balance_uve), `uve; ${compact(money.deposits_uve)} in deposits${lasting(money)}`],
    ["Open orders", integer(counts.orders_open), "on the market"],
    ["Lowest funds", left === null ? "–" : left < 0 ? "run out" : duration(left), "left of a lease"],
  ];
  syncChildren(byId("figures"), figures, {
    key: ([name]) => name,
    create: ([name]) => element("div", {}, element("dt", {}, name), element("dd"), element("dd", { class: "more" })),
    update: (row, [, value, more]) => { setText(row.children[1], value); setText(row.children[2], more); },
  });
}

function renderHolds() {
  const groups = view.hold_groups.length ? view.hold_groups : [{ reason: "", count: 0, ours: false, examples: [] }];
  syncChildren(byId("hold-groups"), groups, {
    key: (group) => group.reason || "none",
    create: (group) => group.reason
      ? element("details", { open: group.ours },
        element("summary", {}, element("span", {}, group.reason), element("span", { class: "count quiet" })), element("ul"))
      : element("p", { class: "note" }, "There are no holds."),
    update: (row, group) => {
      if (!group.reason) return;
      row.classList.toggle("foreign", !group.ours);
      setText(row.querySelector(".count"), group.count);
      const more = group.count - group.examples.length;
      const holds = [...group.examples, ...(more > 0 ? [{ subject: null, message: `and ${integer(more)} more` }] : [])];
      syncChildren(row.lastChild, holds, {
        key: (hold) => `${hold.subject} ${hold.message}`,
        create: (hold) => hold.subject === null
          ? element("li", {}, hold.message)
          : element("li", {}, element("span", { class: "id" }, hold.subject || "the provider"), ` ${hold.message}`),
      });
    },
  });
}

function renderCommits(id, commits) {
  const rows = commits.length ? commits : [{ id: "", subject: "No commit since the daemon started.", at: null, author: "" }];
  syncChildren(byId(id), rows, {
    key: (commit) => commit.id,
    create: () => element("li", {}, element("span", { class: "id quiet" }), element("span", { class: "message" }), element("span", { class: "at" })),
    update: (row, commit) => {
      const [name, subject, at] = row.children;
      setText(name, commit.id.slice(0, 8));
      setText(subject, commit.subject || "(made before the daemon started)");
      const inForce = id === "desired" && commit.id && commit.id === view.status.revisions.applied;
      setText(at, [commit.at ? time(unixSeconds(commit.at)) : "", commit.author, inForce ? "in force" : ""].filter(Boolean).join(" · "));
    },
  });
}

function renderCapacity() {
  const kinds = [["CPU", "cpu_milli", (n) => `${integer(n / 1000)} cores`], ["Memory", "memory_bytes", bytes],
    ["Storage", "storage_bytes", bytes], ["GPUs", "gpu", integer]];
  const offered = view.capacity ? kinds.filter(([, name]) => view.capacity.offered[name] > 0) : [];
  syncChildren(byId("capacity"), offered, {
    key: ([name]) => name,
    create: ([name]) => element("div", {}, element("span", {}, name), element("meter", { min: 0, "aria-label": name }), element("span", { class: "note" })),
    update: (row, [, name, format]) => {
      const [promised, sellable] = [view.capacity.promised[name], view.capacity.sellable[name]];
      const meter = row.children[1];
      setAttribute(meter, "max", Math.max(sellable, promised, 1));
      setAttribute(meter, "value", promised);
      setText(row.children[2], `${format(promised)} of ${format(sellable)} promised`);
    },
  });
  if (!view.capacity) setText(byId("capacity"), "Capacity is not known yet.");
}

function renderSources() {
  syncChildren(byId("sources"), view.status.readings, {
    key: (reading) => reading.source,
    create: () => element("li", {}, element("span"), element("span")),
    update: (row, reading) => {
      setText(row.firstChild, reading.source);
      const seen = reading.seen_at ? `seen ${ageOf(reading.seen_at)} ago` : "never seen";
      setText(row.lastChild, reading.why ? `${seen}: ${reading.why}` : seen);
      row.lastChild.className = reading.why ? "unseen" : "quiet";
    },
  });
}

byId("charts").append(earned.node, balance.node);
dialog.setUp();
ledger.setUp();
list.setUp();
listen();
setInterval(tick, 1_000);
if (location.hash.length > 1) dialog.show(decodeURIComponent(location.hash.slice(1)));
