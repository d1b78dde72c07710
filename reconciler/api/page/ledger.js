// The ledger: what was earned by tenant, lease or day, and how the balance comes about.

import { apiUrl, byId, element, setAttribute, setText, syncChildren } from "./dom.js";
import { compact, integer, shortAddress } from "./format.js";

const ROWS_MAX = 20;
const REFRESH_MS = 300_000; // the daemon reads all entries for it
const KEYS = ["tenant", "lease", "day"];
const COLUMNS = ["leases_uve", "usage_uve", "fees_uve", "earned_uve"];

let shown = KEYS[0];

export function setUp() {
  const choices = KEYS.map((key) => element("button", { type: "button", "data-by": key, onclick: () => choose(key) }, `by ${key}`));
  byId("ledger-keys").append(...choices);
  choose(shown);
  setInterval(fetchSums, REFRESH_MS);
}

function choose(key) {
  shown = key;
  for (const choice of byId("ledger-keys").children) setAttribute(choice, "aria-pressed", choice.dataset.by === key);
  setText(byId("ledger-key"), key[0].toUpperCase() + key.slice(1));
  fetchSums();
}

async function fetchSums() {
  const key = shown;
  const response = await fetch(apiUrl(`ledger?by=${key}`)).catch(() => null);
  if (key !== shown) return;
  if (!response?.ok) return setText(byId("ledger-note"), "The ledger cannot be read now.");
  render(await response.json(), key);
}

function render({ opening_uve, balance_uve, sums, total }, key) {
  const ordered = key === "day" ? sums.toReversed() : [...sums].sort((one, other) => other.earned_uve - one.earned_uve);
  const rows = [...ordered.slice(0, ROWS_MAX), ...(sums.length ? [{ ...total, key: "total" }] : [])];
  syncChildren(byId("ledger-rows"), rows, {
    key: (row) => row.key,
    create: (row) => element("tr", {}, element("th", { scope: "row", class: "id", title: row.key }, nameOf(row.key)),
      ...COLUMNS.map((name) => element("td", { class: `number ${name === "earned_uve" ? "" : "part"}` }))),
    update: (line, row) => COLUMNS.forEach((name, n) => setText(line.children[n + 1], integer(row[name]))),
  });
  const parts = [["earned", total.earned_uve], ["deposits", total.deposits_uve], ["payouts", total.payouts_uve],
    ["transfers", total.external_uve], ["unexplained", total.unexplained_uve]].filter(([, amount]) => amount);
  const changes = parts.map(([name, amount]) => `${amount < 0 ? "−" : "+"} ${compact(Math.abs(amount))} ${name}`);
  const hidden = ordered.length > ROWS_MAX ? `${ROWS_MAX} of ${integer(ordered.length)} rows. ` : "";
  setText(byId("ledger-note"), `${hidden}Balance ${compact(balance_uve)} = ${[`${compact(opening_uve)} at the beginning`, ...changes].join(" ")} (uve).`);
}

/** Ids and addresses without their middle; a sum of no lease has an empty key. */
function nameOf(key) {
  const [owner, ...rest] = key.split("/");
  return key ? [shortAddress(owner), ...rest.slice(0, 3)].join("/") : "of no lease";
}
