// A line over time: drawn by hand, read by pointer, arrow keys and screen reader.

import { element, mark, say } from "./draw.js";
import { clock, short, whole } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [HEIGHT, TOP, BOTTOM, LEFT] = [110, 8, 18, 54];

const shape = (tag, attributes = {}) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

/** A chart of one figure; `show(points)` draws `[{at, value}, …]`. */
export class Chart {
  constructor(title) {
    this.title = title;
    this.points = [];
    this.chosen = null;
    this.value = element("span");
    this.svg = shape("svg", { tabindex: "0", role: "img", preserveAspectRatio: "none" });
    this.area = shape("path", { class: "area" });
    this.line = shape("path", { class: "line" });
    this.floor = shape("line", { class: "grid" });
    this.cross = shape("line", { class: "at" });
    this.marks = [0, 1, 2, 3].map(() => shape("text"));
    this.svg.append(this.area, this.floor, this.line, this.cross, ...this.marks);
    this.node = element("figure", { class: "chart" }, element("figcaption", {}, element("span", {}, title), this.value), this.svg);
    this.svg.addEventListener("pointermove", (event) => this.choose(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.choose(null));
    this.svg.addEventListener("blur", () => this.choose(null));
    this.svg.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  show(points) {
    this.points = points;
    this.draw();
  }

  draw() {
    const { points } = this;
    const width = this.svg.clientWidth || 400;
    mark(this.svg, "viewBox", `0 0 ${width} ${HEIGHT}`);
    if (!points.length) return say(this.value, "nothing yet");
    const values = points.map((point) => point.value);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (low === high) [low, high] = [low - 1, high + 1];
    const [first, last] = [points[0].at, points.at(-1).at];
    this.x = (at) => (last === first ? width : LEFT + ((at - first) / (last - first)) * (width - LEFT));
    this.y = (value) => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const path = points.map((point, n) => `${n ? "L" : "M"}${this.x(point.at).toFixed(1)} ${this.y(point.value).toFixed(1)}`).join("");
    mark(this.line, "d", path);
    mark(this.area, "d", `${path}L${width} ${HEIGHT - BOTTOM}L${this.x(first).toFixed(1)} ${HEIGHT - BOTTOM}Z`);
    this.place(this.floor, LEFT, HEIGHT - BOTTOM, width, HEIGHT - BOTTOM);
    const corners = [[LEFT - 8, TOP + 8, short(high), "end"], [LEFT - 8, HEIGHT - BOTTOM, short(low), "end"],
      [LEFT, HEIGHT - 4, clock(first), "start"], [width, HEIGHT - 4, clock(last), "end"]];
    this.marks.forEach((text, n) => {
      const [x, y, words, anchor] = corners[n];
      mark(text, "x", x); mark(text, "y", y); mark(text, "text-anchor", anchor); say(text, words);
    });
    mark(this.svg, "aria-label", `${this.title}: ${whole(values.at(-1))} uve now, ${whole(values[0])} at ${clock(first)}`);
    this.choose(this.chosen);
  }

  choose(chosen) {
    this.chosen = chosen;
    const point = this.points[chosen ?? -1] ?? this.points.at(-1);
    if (!point) return;
    say(this.value, chosen === null ? `${whole(point.value)} uve` : `${whole(point.value)} uve at ${clock(point.at)}`);
    const x = this.x(point.at);
    this.place(this.cross, x, TOP, x, chosen === null ? TOP : HEIGHT - BOTTOM);
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.viewBox.baseVal.width;
    const far = this.points.map((point) => Math.abs(this.x(point.at) - x));
    return far.indexOf(Math.min(...far));
  }

  step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !this.points.length) return;
    event.preventDefault();
    const from = this.chosen ?? this.points.length - 1;
    this.choose(Math.max(0, Math.min(this.points.length - 1, from + by)));
  }

  place(line, x1, y1, x2, y2) {
    for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) mark(line, name, value);
  }
}
