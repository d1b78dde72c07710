// Amounts, times and ids as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const whole = (number) => WHOLE.format(number);

/** 9 364 473 as 9.36M; small numbers whole. */
export const short = (number) => (Math.abs(number) < 10_000 ? whole(number) : SHORT.format(number));

/** Seconds in the two largest units: 3 h 5 min. */
export function lasting(seconds) {
  const sign = seconds < 0 ? "−" : "";
  let left = Math.abs(Math.round(seconds));
  const parts = [];
  for (const [unit, size] of [["y", 31_536_000], ["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${whole(count)} ${unit}`);
    left -= count * size;
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return sign + (parts.join(" ") || "0 s");
}

export const unix = (text) => (text ? Date.parse(text) / 1000 : 0);

/** A time of today as a clock shows it, an older one with its day. */
export function clock(seconds) {
  const when = new Date(seconds * 1000);
  return when.toDateString() === new Date().toDateString() ? CLOCK.format(when) : DAY.format(when);
}

export const bytes = (count) => {
  let [size, unit] = [count, 0];
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
};

/** The middle of a long address left out. */
export const brief = (address) => (address.length > 20 ? `${address.slice(0, 10)}…${address.slice(-6)}` : address);

export const plural = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;
