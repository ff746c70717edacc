/** The frames of one part of the recording; each is a button that removes it. */
import { counted, element } from "../operator/element.js";

const SVG = "http://www.w3.org/2000/svg";
/** The fingers of a hand, as points from the wrist; a box has its corners in order. */
const HAND = [
  [0, 1, 2, 3, 4],
  [0, 5, 6, 7, 8],
  [5, 9, 10, 11, 12],
  [9, 13, 14, 15, 16],
  [13, 17, 18, 19, 20],
  [0, 17],
];

export class FrameList {
  #list;
  #count;
  #remove;
  #rows = new Map();

  constructor(list, countElement, remove) {
    this.#list = list;
    this.#count = countElement;
    this.#remove = remove;
  }

  /** Shows these frames and no others, `late` more being on their way. */
  show(frames, late = 0) {
    const numbers = new Set(frames.map((frame) => frame.number));
    for (const [number, row] of this.#rows) {
      if (numbers.has(number)) continue;
      row.remove();
      this.#rows.delete(number);
    }
    for (const frame of frames) {
      if (!this.#rows.has(frame.number)) this.#add(frame);
    }
    const found = frames.filter((frame) => frame.found).length;
    const waiting = late > 0 ? `, ${late} to be read` : "";
    this.#count.textContent =
      frames.length + late === 0 ? "No frames yet." : `${counted(frames.length, "frame")}, found in ${found}${waiting}.`;
  }

  #add(frame) {
    const found = frame.found ? "" : ", nothing found";
    const button = element(
      "button",
      { type: "button", className: "frame", "aria-label": `Remove frame ${frame.number}${found}`, "data-found": String(frame.found) },
      element("img", { src: `/teaching/frames/${frame.number}`, alt: "", loading: "lazy" }),
      drawing(frame.outlines),
    );
    button.addEventListener("click", () => this.#clicked(frame.number, button));
    const row = element("li", {}, button);
    this.#rows.set(frame.number, row);
    this.#list.append(row);
  }

  #clicked(number, button) {
    const row = button.parentElement;
    const next = (row.nextElementSibling ?? row.previousElementSibling)?.firstElementChild;
    if (document.activeElement === button) next?.focus();
    this.#remove(number);
  }
}

function drawing(outlines) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const points of outlines) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", points.length === 21 ? HAND.map((part) => line(part.map((at) => points[at]))).join("") : `${line(points)}Z`);
    svg.append(path);
  }
  return svg;
}

const line = (points) => `M${points.map((point) => point.join(" ")).join("L")}`;
