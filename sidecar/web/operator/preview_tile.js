/** A tile as participants see it: the pose, the ring of the hold, the sticker and the effect. */
import { element } from "./element.js";

const CIRCLE = 2 * Math.PI * 20;
const SVG = "http://www.w3.org/2000/svg";

export class PreviewTile {
  element;
  #sticker = picture("tile-sticker");
  #effect = picture("tile-effect");
  #ring = ring();
  #text = element("p", { className: "tile-text", role: "status" });
  #row = null;
  #urlOf;
  #timers = [];

  /** `pose` is the path of the picture that shows the label; `urlOf` makes a path of a sticker. */
  constructor(pose, urlOf) {
    this.#urlOf = urlOf;
    const play = element("button", { type: "button", className: "quiet", onclick: () => this.play() }, "Play");
    const screen = element("div", { className: "tile" });
    if (pose) screen.append(element("img", { className: "tile-pose", src: pose, alt: "", loading: "lazy" }));
    screen.append(this.#effect, this.#sticker, this.#ring);
    this.element = element("div", { className: "tile-part" }, screen, play, this.#text);
  }

  /** Shows what `row` plays; animations run on as long as the tile is seen. */
  show(row) {
    this.#row = row;
    this.#stop();
    const draws = row.kind === "sticker";
    set(this.#sticker, draws && row.sticker ? this.#urlOf(row.sticker) : "");
    set(this.#effect, draws && row.effect ? this.#urlOf(row.effect) : "");
    this.#text.textContent = describe(row);
  }

  /** Plays one reaction with the hold, the duration and the cooldown of the row. */
  play() {
    const row = this.#row;
    this.#stop();
    if (row.kind === "off") return;
    this.#draw(false);
    this.#ring.style.opacity = "1";
    this.#ring.lastChild.animate(
      [{ strokeDashoffset: CIRCLE }, { strokeDashoffset: 0 }],
      { duration: 1000 * row.hold, fill: "forwards" },
    );
    this.#text.textContent = `Held for ${row.hold} s …`;
    this.#after(row.hold, () => {
      this.#ring.style.opacity = "0";
      this.#draw(row.kind === "sticker");
      this.#text.textContent = row.kind === "sticker" ? `Plays for ${row.duration} s …` : "An event is sent.";
    });
    this.#after(row.hold + row.duration, () => {
      this.#draw(false);
      this.#text.textContent = `Over. It can't start again for ${row.cooldown} s.`;
    });
    this.#after(row.hold + row.duration + 2, () => this.show(row));
  }

  #after(seconds, what) {
    this.#timers.push(setTimeout(what, 1000 * seconds));
  }

  #stop() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
    this.#ring.style.opacity = "0";
    this.#draw(true);
  }

  #draw(drawn) {
    for (const each of [this.#sticker, this.#effect]) each.style.opacity = drawn ? "1" : "0";
  }
}

function describe(row) {
  if (row.kind === "off") return "Not recognised: nothing plays, and no event is sent.";
  if (row.kind === "event") return "An event is sent; nothing is drawn.";
  return "";
}

function picture(className) {
  const made = element("img", { className, alt: "", hidden: true });
  made.onerror = () => (made.hidden = true);
  return made;
}

function set(image, src) {
  image.hidden = !src;
  if (!src) image.removeAttribute("src");
  else if (image.getAttribute("src") !== src) image.src = src;
}

function ring() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("class", "tile-ring");
  svg.setAttribute("aria-hidden", "true");
  for (const kind of ["back", "fill"]) {
    const circle = document.createElementNS(SVG, "circle");
    const values = { cx: 24, cy: 24, r: 20, class: `ring-${kind}` };
    for (const [key, value] of Object.entries(values)) circle.setAttribute(key, value);
    if (kind === "fill") circle.setAttribute("stroke-dasharray", CIRCLE);
    svg.append(circle);
  }
  return svg;
}
