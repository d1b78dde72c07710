// What needs the operator: the issues of the last cycle, and that no newer one has ended.

import { duration, plural } from "./format.js";

// Age of the last cycle; `/readyz` limits the age of the chain's view instead.
const STALE_SECONDS = 120;

/** All issues, the worst first. */
export function issuesOf(view, now) {
  const age = view.status.cycle ? now - Date.parse(view.status.cycle.finished_at) / 1000 : 0;
  if (age <= STALE_SECONDS) return view.status.issues;
  return [{ level: "bad", key: "stale", message: `no cycle has ended for ${duration(age)}; see the daemon's log` }, ...view.status.issues];
}

/** The level and the sentence that summarise all issues. */
export function summary(issues) {
  if (!issues.length) return ["good", "No issues"];
  const { level, message } = issues[0];
  return [level, issues.length === 1 ? message : `${plural(issues.length, "issue")}; first: ${message}`];
}
