// What an operator should know first: each with its level, and a sentence that says what to do.

import { lasting, plural } from "./words.js";

const STALE_SECONDS = 120;

/** Everything that needs somebody, the worst first. */
export function needs(view, now) {
  const found = [];
  const add = (level, key, says) => found.push({ level, key, says });
  for (const source of view.readings) {
    if (source.why) add("bad", `unseen ${source.source}`, `${source.source} is not seen: ${source.why}`);
  }
  if (view.cycle?.outcome === "failed") add("bad", "cycle", `the last cycle failed: ${view.cycle.why}`);
  const silent = view.cycle ? now - Date.parse(view.cycle.finished_at) / 1000 : 0;
  if (silent > STALE_SECONDS) add("bad", "silent", `no cycle has ended for ${lasting(silent)}; see the daemon's log`);
  if (view.spending_stopped) add("warn", "stopped", "spending is stopped; `provider-daemon stop-spending --off` lets it go on");
  for (const trouble of view.troubles) add(trouble.reason === "CertificateExpires" ? "warn" : "bad", `daemon ${trouble.reason}`, `${trouble.message}; ${trouble.advice}`);
  if (view.draining) add("warn", "draining", "nothing is bid on, leases go on; `provider-daemon drain --off` ends that");
  if (view.observe_only) add("warn", "observing", "it only observes: everything is planned, nothing is signed");
  for (const tile of view.workloads) {
    if (tile.trouble) {
      const advice = tile.trouble.advice ? `; ${tile.trouble.advice}` : "";
      add(tile.state === "failed" ? "bad" : "warn", `trouble ${tile.id}`, `${tile.id}: ${tile.trouble.message}${advice}`);
    } else if (tile.state === "failed") add("bad", `failed ${tile.id}`, `${tile.id} has failed`);
  }
  const { critical, exhausted } = view.funds.states;
  if (exhausted) add("warn", "exhausted", `${plural(exhausted, "lease")} ran out of funds`);
  if (critical) add("warn", "critical", `${plural(critical, "lease")} will soon be out of funds`);
  if (view.revisions.desired && view.revisions.desired !== view.revisions.applied) {
    add("warn", "revision", `commit ${view.revisions.desired.slice(0, 10)} is not in force; see what is withheld`);
  }
  for (const group of view.holds) {
    if (group.ours && LOUD.has(group.reason)) add("warn", `hold ${group.reason}`, `${group.reason}: ${group.examples[0].message}`);
  }
  return found.sort((a, b) => (a.level === b.level ? 0 : a.level === "bad" ? -1 : 1));
}

/** Holds that no waiting ends. */
const LOUD = new Set(["NoBalance", "NotRegistered", "RewrittenHistory", "Unsigned", "PriceJump",
  "FileFaulty", "NoWorkloadFile", "AsksTooMuch", "ClockSkew", "AdapterUnknown", "Suspended", "ImageDenied"]);

/** One level and one sentence for all of it. */
export function verdict(found) {
  if (!found.length) return ["good", "All is well; nothing needs you"];
  const level = found[0].level;
  return [level, found.length === 1 ? found[0].says : `${plural(found.length, "thing")} need you; first: ${found[0].says}`];
}
