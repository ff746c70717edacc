/** The list of pictures: only the rows in sight are in the page, however many pictures there are. */
import { element } from "../operator/element.js";

const ROW = 76;
const BEYOND = 4;

/** Shows `pictures` in `box`; `onChoose(file)` is called for one that is clicked. */
export class PictureList {
  #rows = new Map();
  #pictures = [];
  #chosen = null;
  #due = false;

  constructor(box, onChoose) {
    this.box = box;
    this.onChoose = onChoose;
    this.list = element("ul", { className: "picture-rows" });
    box.append(this.list);
    box.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(box);
  }

  /** Shows these pictures from now on, the one called `chosen` marked. */
  show(pictures, chosen) {
    this.#pictures = pictures;
    this.#chosen = chosen;
    this.list.style.height = `${pictures.length * ROW}px`;
    this.#rows.forEach((row) => row.remove());
    this.#rows.clear();
    this.#draw();
  }

  /** Marks another picture, and scrolls to it where it is out of sight. */
  choose(file) {
    this.#chosen = file;
    const index = this.#pictures.findIndex((picture) => picture.file === file);
    if (index >= 0) {
      const top = index * ROW;
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop) this.box.scrollTop = top - ROW;
      else if (top + ROW > scrollTop + clientHeight) this.box.scrollTop = top + 2 * ROW - clientHeight;
    }
    this.refresh();
  }

  /** Draws one picture's row newly, or all of them. */
  refresh(file = null) {
    for (const [index, row] of this.#rows) {
      if (file === null || this.#pictures[index].file === file) this.#fill(row, index);
    }
    this.#draw();
  }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - BEYOND);
    const last = Math.min(
      this.#pictures.length,
      Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + BEYOND,
    );
    for (const [index, row] of this.#rows) {
      if (index >= first && index < last) continue;
      row.remove();
      this.#rows.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      if (!this.#rows.has(index)) this.#add(index);
    }
  }

  #add(index) {
    const { file } = this.#pictures[index];
    const image = element("img", { alt: "", width: 88, height: 64, src: `/labelling/thumbnails/${file}` });
    const button = element(
      "button",
      { type: "button", className: "picture-row" },
      image,
      element("span", { className: "picture-name" }),
      element("span", { className: "picture-labels" }),
    );
    button.addEventListener("click", () => this.onChoose(this.#pictures[index].file));
    const row = element("li", { "aria-posinset": index + 1, "aria-setsize": this.#pictures.length }, button);
    row.style.top = `${index * ROW}px`;
    this.#rows.set(index, row);
    this.#fill(row, index);
    // In order, so that Tab goes from row to row.
    const after = [...this.#rows].filter(([other]) => other > index).sort(([a], [b]) => a - b)[0];
    this.list.insertBefore(row, after?.[1] ?? null);
  }

  #fill(row, index) {
    const picture = this.#pictures[index];
    const button = row.firstChild;
    button.toggleAttribute("aria-current", false);
    if (picture.file === this.#chosen) button.setAttribute("aria-current", "true");
    button.dataset.doubted = picture.doubts.length > 0;
    const [, name, labels] = button.children;
    name.textContent = picture.name;
    labels.textContent = labelsOf(picture).join(", ") || "no label";
    if (picture.doubts.length > 0) labels.textContent += " · doubted";
  }
}

/** The labels of a picture, each once. */
export function labelsOf(picture) {
  return [...new Set([...picture.boxes.map((box) => box.label), ...picture.labels])];
}
