// A line chart over time, usable by pointer, arrow keys and screen reader.

import { element, setAttribute, setText } from "./dom.js";
import { compact, integer, time } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const [HEIGHT, TOP, BOTTOM, LEFT] = [110, 8, 18, 54];

const svgElement = (tag, attributes = {}) => {
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
};

/** A chart of one value; `show(points)` draws `[{at, value}, …]`, `at` in unix seconds. */
export class Chart {
  constructor(title) {
    this.title = title;
    this.points = [];
    this.selected = null;
    this.value = element("span");
    this.svg = svgElement("svg", { tabindex: "0", role: "img", preserveAspectRatio: "none" });
    this.area = svgElement("path", { class: "area" });
    this.line = svgElement("path", { class: "line" });
    this.baseline = svgElement("line", { class: "grid" });
    this.cursor = svgElement("line", { class: "at" });
    this.labels = [0, 1, 2, 3].map(() => svgElement("text"));
    this.svg.append(this.area, this.baseline, this.line, this.cursor, ...this.labels);
    this.node = element("figure", { class: "chart" }, element("figcaption", {}, element("span", {}, title), this.value), this.svg);
    this.svg.addEventListener("pointermove", (event) => this.select(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.select(null));
    this.svg.addEventListener("blur", () => this.select(null));
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
    setAttribute(this.svg, "viewBox", `0 0 ${width} ${HEIGHT}`);
    if (!points.length) return setText(this.value, "no data yet");
    const values = points.map((point) => point.value);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (low === high) [low, high] = [low - 1, high + 1];
    const [first, last] = [points[0].at, points.at(-1).at];
    this.x = (at) => (last === first ? width : LEFT + ((at - first) / (last - first)) * (width - LEFT));
    this.y = (value) => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const path = points.map((point, n) => `${n ? "L" : "M"}${this.x(point.at).toFixed(1)} ${this.y(point.value).toFixed(1)}`).join("");
    setAttribute(this.line, "d", path);
    setAttribute(this.area, "d", `${path}L${width} ${HEIGHT - BOTTOM}L${this.x(first).toFixed(1)} ${HEIGHT - BOTTOM}Z`);
    this.moveLine(this.baseline, LEFT, HEIGHT - BOTTOM, width, HEIGHT - BOTTOM);
    const corners = [[LEFT - 8, TOP + 8, compact(high), "end"], [LEFT - 8, HEIGHT - BOTTOM, compact(low), "end"],
      [LEFT, HEIGHT - 4, time(first), "start"], [width, HEIGHT - 4, time(last), "end"]];
    this.labels.forEach((text, n) => {
      const [x, y, label, anchor] = corners[n];
      setAttribute(text, "x", x); setAttribute(text, "y", y); setAttribute(text, "text-anchor", anchor); setText(text, label);
    });
    setAttribute(this.svg, "aria-label", `${this.title}: ${integer(values.at(-1))} uve now, ${integer(values[0])} at ${time(first)}`);
    this.select(this.selected);
  }

  select(selected) {
    this.selected = selected;
    const point = this.points[selected ?? -1] ?? this.points.at(-1);
    if (!point) return;
    setText(this.value, selected === null ? `${integer(point.value)} uve` : `${integer(point.value)} uve at ${time(point.at)}`);
    const x = this.x(point.at);
    this.moveLine(this.cursor, x, TOP, x, selected === null ? TOP : HEIGHT - BOTTOM);
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.viewBox.baseVal.width;
    const distances = this.points.map((point) => Math.abs(this.x(point.at) - x));
    return distances.indexOf(Math.min(...distances));
  }

  step(event) {
    const offset = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!offset || !this.points.length) return;
    event.preventDefault();
    const from = this.selected ?? this.points.length - 1;
    this.select(Math.max(0, Math.min(this.points.length - 1, from + offset)));
  }

  moveLine(line, x1, y1, x2, y2) {
    for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) setAttribute(line, name, value);
  }
}
