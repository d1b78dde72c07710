// Issues that need the operator's attention: each has a level and a sentence with what to do.

import { duration, plural } from "./format.js";

// Age of the last cycle; `/readyz` limits the age of the chain's view instead.
const STALE_SECONDS = 120;

/** All issues of an overview, the worst first. */
export function issuesOf(view, now) {
  const { status } = view;
  const found = [];
  const add = (level, key, message) => found.push({ level, key, message });
  for (const source of status.readings) {
    if (source.why) add("bad", `unseen ${source.source}`, `${source.source} is unseen: ${source.why}`);
  }
  if (status.cycle?.outcome === "failed") add("bad", "cycle", `the last cycle failed: ${status.cycle.why}`);
  const age = status.cycle ? now - Date.parse(status.cycle.finished_at) / 1000 : 0;
  if (age > STALE_SECONDS) add("bad", "stale", `no cycle has ended for ${duration(age)}; see the daemon's log`);
  if (status.spending_stopped) add("warn", "stopped", "spending is stopped; `provider-daemon stop-spending --off` resumes it");
  for (const trouble of status.troubles) {
    add(trouble.reason === "CertificateExpires" ? "warn" : "bad", `daemon ${trouble.reason}`, `${trouble.message}; ${trouble.advice}`);
  }
  if (status.draining) add("warn", "draining", "draining: no new bids, leases continue; `provider-daemon drain --off` ends it");
  if (status.observe_only) add("warn", "observing", "observe only: plans are made, nothing is signed");
  for (const { workload } of view.workloads) {
    if (workload.trouble) {
      const advice = workload.trouble.advice ? `; ${workload.trouble.advice}` : "";
      const level = workload.state === "failed" ? "bad" : "warn";
      add(level, `trouble ${workload.id}`, `${workload.id}: ${workload.trouble.message}${advice}`);
    } else if (workload.state === "failed") add("bad", `failed ${workload.id}`, `${workload.id} has failed`);
  }
  const { critical, unfunded, exhausted } = view.funds.states;
  if (exhausted) add("warn", "exhausted", `the funds of ${plural(exhausted, "lease")} have run out`);
  if (unfunded) add("warn", "unfunded", `no escrow pays for the usage of ${plural(unfunded, "lease")}`);
  if (critical) add("warn", "critical", `the funds of ${plural(critical, "lease")} will run out soon`);
  const { desired, applied } = status.revisions;
  if (desired && desired !== applied) add("warn", "revision", `commit ${desired.slice(0, 10)} is not in force; see the holds`);
  for (const group of view.hold_groups) {
    if (group.ours && group.needs_operator) add("warn", `hold ${group.reason}`, `${group.reason}: ${group.examples[0].message}`);
  }
  return found.sort((a, b) => (a.level === b.level ? 0 : a.level === "bad" ? -1 : 1));
}

/** The level and the sentence that summarise all issues. */
export function summary(issues) {
  if (!issues.length) return ["good", "No issues"];
  const { level, message } = issues[0];
  return [level, issues.length === 1 ? message : `${plural(issues.length, "issue")}; first: ${message}`];
}
