/** One picture with its boxes: zoom, pan, draw, select, move and resize. */
import { boxAt, boxBetween, clamp, moved, resized } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLES = ["left top", "top", "right top", "right", "right bottom", "bottom", "left bottom", "left"];
const GRIP = 9;
const MOST = 32;
const PADDING = 16;

/**
 * Shows a picture in `stage`. `on` has `draw(box)`, `select(index)` and `change(index, box, ended)`:
 * what is done with the pointer; the owner keeps the boxes and calls `show`.
 */
export class PictureView {
  #image = null;
  #size = { width: 1, height: 1 };
  #boxes = [];
  #proposed = [];
  #selected = -1;
  #fit = true;
  #gesture = null;
  #pointer = null;

  constructor(stage, on) {
    this.stage = stage;
    this.on = on;
    this.zoom = 1;
    this.offset = { x: 0, y: 0 };
    this.drawing = false;
    this.overlay = svg("svg", { class: "boxes", "aria-hidden": "true" });
    stage.append(this.overlay);
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", () => this.cancel());
    stage.addEventListener("pointerleave", () => this.#leave());
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => (this.#fit ? this.fit() : this.#redraw())).observe(stage);
  }

  /** Shows another picture: an image that is decoded, and its size as the data set has it. */
  open(image, size) {
    this.#image?.remove();
    this.#image = image;
    this.#size = size;
    this.#gesture = null;
    this.stage.prepend(image);
    this.fit();
  }

  /** The boxes, the index of the selected one (-1), and proposals that are drawn dashed. */
  show(boxes, selected, proposed) {
    this.#boxes = boxes;
    this.#selected = selected;
    this.#proposed = proposed;
    this.#redraw();
  }

  draw(on) {
    this.drawing = on;
    this.stage.classList.toggle("drawing", on);
    this.#redraw();
  }

  /** Ends a gesture without what it would have done. */
  cancel() {
    const gesture = this.#gesture;
    this.#gesture = null;
    if (gesture?.before !== undefined) this.on.change(this.#selected, gesture.before, true);
    this.#redraw();
  }

  /** The whole picture, as large as the stage has room for. */
  fit() {
    const { clientWidth, clientHeight } = this.stage;
    const across = (clientWidth - 2 * PADDING) / this.#size.width;
    const down = (clientHeight - 2 * PADDING) / this.#size.height;
    this.zoom = Math.max(Math.min(across, down, 8), 0.01);
    this.offset = {
      x: (clientWidth - this.#size.width * this.zoom) / 2,
      y: (clientHeight - this.#size.height * this.zoom) / 2,
    };
    this.#fit = true;
    this.#redraw();
  }

  /** Zooms by a factor; the point of the stage, its middle by default, stays where it is. */
  zoomBy(factor, at = { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 }) {
    const zoom = clamp(this.zoom * factor, 0.02, MOST);
    const ratio = zoom / this.zoom;
    this.offset = { x: at.x - (at.x - this.offset.x) * ratio, y: at.y - (at.y - this.offset.y) * ratio };
    this.zoom = zoom;
    this.#fit = false;
    this.#redraw();
  }

  panBy(dx, dy) {
    this.offset = { x: this.offset.x + dx, y: this.offset.y + dy };
    this.#fit = false;
    this.#redraw();
  }

  /** A box in the middle of what is in sight, for drawing without a pointer. */
  middleBox(label) {
    const { clientWidth, clientHeight } = this.stage;
    const middle = this.#toPicture({ x: clientWidth / 2, y: clientHeight / 2 });
    const half = { x: clientWidth / 8 / this.zoom, y: clientHeight / 8 / this.zoom };
    const one = { x: middle.x - half.x, y: middle.y - half.y };
    return boxBetween(one, { x: middle.x + half.x, y: middle.y + half.y }, label, this.#size);
  }

  #down(event) {
    if (this.#image === null || this.#gesture !== null || event.button > 1) return;
    const at = this.#place(event);
    const point = this.#toPicture(at);
    if (event.button === 1) this.#gesture = { kind: "pan", at };
    else if (this.drawing) this.#gesture = { kind: "draw", from: point, to: point };
    else this.#grab(at, point);
    this.stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
  }

  #grab(at, point) {
    const handle = this.#handleAt(at);
    const index = handle ? this.#selected : boxAt(this.#boxes, point);
    if (index < 0) {
      this.on.select(-1);
      this.#gesture = { kind: "pan", at };
      return;
    }
    if (index !== this.#selected) this.on.select(index);
    this.#gesture = { kind: handle || "move", from: point, before: this.#boxes[index] };
  }

  #move(event) {
    const at = this.#place(event);
    this.#pointer = at;
    const gesture = this.#gesture;
    if (gesture === null) {
      if (this.drawing) this.#redraw();
      else this.stage.dataset.handle = this.#handleAt(at).replace(" ", "-");
      return;
    }
    const point = this.#toPicture(at);
    if (gesture.kind === "pan") {
      this.panBy(at.x - gesture.at.x, at.y - gesture.at.y);
      gesture.at = at;
    } else if (gesture.kind === "draw") {
      gesture.to = point;
      this.#redraw();
    } else {
      gesture.after = this.#changed(gesture, point);
      this.on.change(this.#selected, gesture.after, false);
    }
  }

  #up(event) {
    const gesture = this.#gesture;
    this.#gesture = null;
    if (gesture === null) return;
    const point = this.#toPicture(this.#place(event));
    if (gesture.kind === "draw") {
      const box = boxBetween(gesture.from, point, "", this.#size);
      if (box !== null) this.on.draw(box);
    } else if (gesture.after !== undefined) {
      this.on.change(this.#selected, gesture.after, true);
    }
    this.#redraw();
  }

  #leave() {
    this.#pointer = null;
    if (this.drawing) this.#redraw();
  }

  #changed({ kind, from, before }, point) {
    if (kind === "move") return moved(before, point.x - from.x, point.y - from.y, this.#size);
    return resized(before, kind, point, this.#size);
  }

  #wheel(event) {
    event.preventDefault();
    if (event.shiftKey) this.panBy(-event.deltaY, 0);
    else this.zoomBy(Math.exp(-clamp(event.deltaY, -240, 240) / 400), this.#place(event));
  }

  #place(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #toPicture({ x, y }) {
    return { x: (x - this.offset.x) / this.zoom, y: (y - this.offset.y) / this.zoom };
  }

  #rectangle(box) {
    return {
      x: box.left * this.zoom + this.offset.x,
      y: box.top * this.zoom + this.offset.y,
      width: (box.right - box.left) * this.zoom,
      height: (box.bottom - box.top) * this.zoom,
    };
  }

  #handleAt(at) {
    const box = this.#boxes[this.#selected];
    if (box === undefined || this.drawing) return "";
    const near = ({ x, y }) => Math.abs(x - at.x) <= GRIP && Math.abs(y - at.y) <= GRIP;
    return HANDLES.find((handle) => near(handlePlace(this.#rectangle(box), handle))) ?? "";
  }

  #redraw() {
    if (this.#image !== null) {
      const { style } = this.#image;
      style.width = `${this.#size.width}px`;
      style.height = `${this.#size.height}px`;
      style.transform = `translate(${this.offset.x}px, ${this.offset.y}px) scale(${this.zoom})`;
      style.imageRendering = this.zoom > 3 ? "pixelated" : "auto";
    }
    const parts = this.#proposed.map((box) => this.#drawn(box, "proposed", box.label || box.part));
    this.#boxes.forEach((box, index) => {
      const kind = index === this.#selected ? "box selected" : box.doubted ? "box doubted" : "box";
      parts.push(this.#drawn(box, kind, box.label || "no label"));
    });
    const selected = this.#boxes[this.#selected];
    if (selected !== undefined && !this.drawing) parts.push(...this.#handles(selected));
    if (this.drawing) parts.push(...this.#crosshair());
    this.overlay.replaceChildren(...parts);
  }

  #drawn(box, kind, text) {
    const { x, y, width, height } = this.#rectangle(box);
    const label = svg("text", { x: x + 5, y: y > 20 ? y - 6 : y + 15 });
    label.textContent = text;
    return svg("g", { class: kind }, svg("rect", { x, y, width, height }), label);
  }

  #handles(box) {
    return HANDLES.map((handle) => {
      const { x, y } = handlePlace(this.#rectangle(box), handle);
      return svg("rect", { class: "handle", x: x - 4, y: y - 4, width: 8, height: 8 });
    });
  }

  #crosshair() {
    const { clientWidth, clientHeight } = this.stage;
    const parts = [];
    if (this.#gesture?.kind === "draw") {
      const box = boxBetween(this.#gesture.from, this.#gesture.to, "", this.#size);
      if (box !== null) parts.push(this.#drawn(box, "box selected", ""));
    }
    if (this.#pointer !== null) {
      const { x, y } = this.#pointer;
      parts.push(svg("line", { class: "cross", x1: 0, x2: clientWidth, y1: y, y2: y }));
      parts.push(svg("line", { class: "cross", x1: x, x2: x, y1: 0, y2: clientHeight }));
    }
    return parts;
  }
}

function handlePlace({ x, y, width, height }, handle) {
  return {
    x: handle.includes("left") ? x : handle.includes("right") ? x + width : x + width / 2,
    y: handle.includes("top") ? y : handle.includes("bottom") ? y + height : y + height / 2,
  };
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
