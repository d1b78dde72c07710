// Amounts, times and ids for people.

const INTEGER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DATE_TIME = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const integer = (number) => INTEGER.format(number);

/** 9 364 473 as 9.36M; small numbers in full. */
export const compact = (number) => (Math.abs(number) < 10_000 ? integer(number) : COMPACT.format(number));

/** Seconds in the two largest units: 3 h 5 min. */
export function duration(seconds) {
  const sign = seconds < 0 ? "−" : "";
  let left = Math.abs(Math.round(seconds));
  const parts = [];
  for (const [unit, size] of [["y", 31_536_000], ["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${integer(count)} ${unit}`);
    left -= count * size;
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return sign + (parts.join(" ") || "0 s");
}

/** Unix seconds of an RFC 3339 text; 0 for null. */
export const unixSeconds = (text) => (text ? Date.parse(text) / 1000 : 0);

/** A time of today without its date, an older one with it. */
export function time(seconds) {
  const when = new Date(seconds * 1000);
  return when.toDateString() === new Date().toDateString() ? TIME.format(when) : DATE_TIME.format(when);
}

export const bytes = (count) => {
  let [size, unit] = [count, 0];
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
};

/** A long address without its middle. */
export const shortAddress = (address) => (address.length > 20 ? `${address.slice(0, 10)}…${address.slice(-6)}` : address);

export const plural = (count, noun) => `${integer(count)} ${count === 1 ? noun : `${noun}s`}`;
