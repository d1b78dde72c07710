// The page: one event after each cycle, and everything on it drawn from that.

import { Chart } from "./chart.js";
import { api, element, keep, mark, one, say } from "./draw.js";
import { needs, verdict } from "./needs.js";
import * as rows from "./rows.js";
import * as workload from "./workload.js";
import { bytes, clock, lasting, plural, short, unix, whole } from "./words.js";

const POINTS_MAX = 480;
const REOPEN_MS = 5_000;

const earned = new Chart("Earned, with what has accrued");
const balance = new Chart("Balance");
let view = null;
let course = [];
let ahead = 0; // how far this machine's clock is ahead of the daemon's, in seconds
let connected = false;

const now = () => Date.now() / 1000 - ahead;

function listen() {
  const stream = new EventSource(api("stream"));
  stream.addEventListener("overview", (event) => {
    connected = true;
    take(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    connected = false;
    tick();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, REOPEN_MS);
  });
}

function take(latest) {
  view = latest;
  ahead = Date.now() / 1000 - view.at;
  const fresh = view.course.length > 1 ? [] : course;
  course = [...fresh.filter((point) => !view.course.length || point.at < view.course[0].at), ...view.course];
  if (course.length > POINTS_MAX) course = course.filter((_, n) => n % 2 === 0 || n === course.length - 1);
  draw();
}

function draw() {
  say(one("provider"), view.provider);
  say(one("address"), view.address);
  say(one("height"), whole(view.chain.height));
  earned.show(course.map((point) => ({ at: point.at, value: point.earned + point.accrued })));
  balance.show(course.map((point) => ({ at: point.at, value: point.balance })));
  drawFigures();
  drawHeld();
  drawCommits("desired", view.desired_commits);
  drawCommits("published", view.published_commits);
  drawCapacity();
  rows.update(view);
  tick();
}

/** What changes with time alone. */
function tick() {
  if (!view) return;
  const found = needs(view, now());
  const [level, words] = connected ? verdict(found) : ["wait", "The daemon does not answer; shown is what it said last"];
  const told = one("verdict");
  say(told, words);
  mark(told, "data-level", level);
  mark(one("icon"), "href", `page/icon-${level}.svg`);
  document.title = `${found.length && connected ? `(${found.length}) ` : ""}${view.provider}`;
  one("needs").hidden = found.length < 2;
  keep(one("needs-list"), found, {
    key: (need) => need.key,
    make: () => element("li", {}, element("span", { class: "mark", "aria-hidden": "true" }), element("span", { class: "says" })),
    update: (row, need) => { mark(row, "data-level", need.level); say(row.lastChild, need.says); },
  });
  const chain = view.readings.find((reading) => reading.source === "chain");
  say(one("chain-age"), chain?.seen_at ? `${lasting(Math.max(now() - unix(chain.seen_at), 0))} ago` : "never");
  say(one("cycle-age"), view.cycle ? `${lasting(Math.max(now() - unix(view.cycle.finished_at), 0))} ago` : "none yet");
  drawSources();
}

function drawFigures() {
  const { counts, money, funds } = view;
  const left = funds.least_seconds_left;
  const running = counts.workloads.running;
  const live = view.workloads_total - counts.workloads.terminated;
  const figures = [
    ["Leases", whole(counts.leases), plural(counts.bids_open, "open bid")],
    ["Running", live ? `${whole(running)} of ${whole(live)}` : "0", "workloads"],
    ["Earned", short(money.earned_uve), `uve, after ${short(money.fees_uve)} of fees`],
    ["Income", short(Number(view.income_uve_a_block)), "uve a block"],
    ["Accrued", short(money.accrued_uve), "uve, not drawn yet"],
    ["Balance", short(money.balance_uve), `uve; ${short(money.deposits_uve)} in deposits`],
    ["Open orders", whole(counts.orders_open), "on the market"],
    ["Shortest escrow", left === null ? "–" : left < 0 ? "empty" : lasting(left), "until a tenant's funds end"],
  ];
  keep(one("figures"), figures, {
    key: ([name]) => name,
    make: ([name]) => element("div", {}, element("dt", {}, name), element("dd"), element("dd", { class: "more" })),
    update: (row, [, value, more]) => { say(row.children[1], value); say(row.children[2], more); },
  });
}

function drawHeld() {
  const groups = view.holds.length ? view.holds : [{ reason: "", count: 0, ours: false, examples: [] }];
  keep(one("held"), groups, {
    key: (group) => group.reason || "none",
    make: (group) => group.reason
      ? element("details", { open: group.ours },
        element("summary", {}, element("span", {}, group.reason), element("span", { class: "count quiet" })), element("ul"))
      : element("p", { class: "note" }, "Nothing is withheld."),
    update: (row, group) => {
      if (!group.reason) return;
      row.classList.toggle("theirs", !group.ours);
      say(row.querySelector(".count"), group.count);
      const more = group.count - group.examples.length;
      const listed = [...group.examples, ...(more > 0 ? [{ subject: "more", message: `and ${whole(more)} more` }] : [])];
      keep(row.lastChild, listed, {
        key: (held) => `${held.subject} ${held.message}`,
        make: (held) => element("li", {}, held.subject === "more" ? "" : element("span", { class: "id" }, held.subject || "the provider"),
          held.subject === "more" ? held.message : ` ${held.message}`),
      });
    },
  });
}

function drawCommits(id, commits) {
  const listed = commits.length ? commits : [{ id: "", subject: "None since the daemon started.", at: null, author: "" }];
  keep(one(id), listed, {
    key: (commit) => commit.id,
    make: () => element("li", {}, element("span", { class: "id quiet" }), element("span", { class: "says" }), element("span", { class: "at" })),
    update: (row, commit) => {
      const [name, says, at] = row.children;
      say(name, commit.id.slice(0, 8));
      say(says, commit.subject || "(made before this daemon started)");
      const state = id !== "desired" || !commit.id ? "" : commit.id === view.revisions.applied ? " · in force" : "";
      say(at, [commit.at ? clock(unix(commit.at)) : "", commit.author].filter(Boolean).join(" · ") + state);
    },
  });
}

function drawCapacity() {
  const kinds = [["CPU", "cpu_milli", (n) => `${whole(n / 1000)} cores`], ["Memory", "memory_bytes", bytes],
    ["Storage", "storage_bytes", bytes], ["GPUs", "gpu", whole]];
  const found = view.capacity ? kinds.filter(([, name]) => view.capacity.offered[name] > 0) : [];
  keep(one("capacity"), found, {
    key: ([name]) => name,
    make: ([name]) => element("div", {}, element("span", {}, name), element("meter", { min: 0, "aria-label": name }), element("span", { class: "note" })),
    update: (row, [, name, words]) => {
      const [promised, sellable] = [view.capacity.promised[name], view.capacity.sellable[name]];
      const meter = row.children[1];
      mark(meter, "max", Math.max(sellable, promised, 1));
      mark(meter, "value", promised);
      say(row.children[2], `${words(promised)} of ${words(sellable)} promised`);
    },
  });
  if (!view.capacity) say(one("capacity"), "The machines have not been seen yet.");
}

function drawSources() {
  keep(one("sources"), view.readings, {
    key: (reading) => reading.source,
    make: () => element("li", {}, element("span"), element("span")),
    update: (row, reading) => {
      say(row.firstChild, reading.source);
      const seen = reading.seen_at ? `seen ${lasting(Math.max(now() - unix(reading.seen_at), 0))} ago` : "never seen";
      say(row.lastChild, reading.why ? `${seen}: ${reading.why}` : seen);
      row.lastChild.className = reading.why ? "unseen" : "quiet";
    },
  });
}

one("charts").append(earned.node, balance.node);
workload.setUp();
rows.setUp();
listen();
setInterval(tick, 1_000);
if (location.hash.length > 1) workload.show(decodeURIComponent(location.hash.slice(1)));
