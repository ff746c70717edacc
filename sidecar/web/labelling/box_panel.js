/** What one picture shows, as lists: its boxes, its own labels, and what the model proposes. */
import { byId, element } from "../operator/element.js";

/** `on` has `select(index)`, `label(index, text)`, `remove(index)`, `unlabel(text)`, `accept(box)`. */
export class BoxPanel {
  constructor(on) {
    this.on = on;
  }

  /** Shows the boxes and labels of a picture. */
  show({ boxes, labels, selected, doubts, proposed, waiting }) {
    this.#keepingFocus(() => {
      byId("boxes").replaceChildren(...boxes.map((box, index) => this.#box(box, index, index === selected, doubts)));
      byId("whole").replaceChildren(...labels.map((label) => this.#whole(label, doubts)));
      byId("proposed").replaceChildren(...proposed.map((box) => this.#proposal(box)));
    });
    byId("boxes-hint").hidden = boxes.length > 0;
    byId("proposed-hint").hidden = proposed.length > 0;
    byId("proposed-hint").textContent = waiting ? "The model looks at the picture." : "Nothing else.";
    byId("accept-all").disabled = proposed.length === 0;
  }

  /** Puts the caret into the label of a box. */
  focus(index) {
    const field = byId("boxes").querySelector(`[data-index="${index}"]`);
    field?.focus();
    field?.select();
  }

  #box(box, index, selected, doubts) {
    const field = element("input", {
      type: "text", defaultValue: box.label, maxLength: 200, autocomplete: "off", spellcheck: false,
      "aria-label": `Label of box ${index + 1}`, "data-index": index,
    });
    field.setAttribute("list", "labels");
    field.addEventListener("focus", () => this.on.select(index));
    field.addEventListener("change", () => this.on.label(index, field.value.trim()));
    const remove = element("button", {
      type: "button", className: "quiet", textContent: "Delete", "aria-label": `Delete box ${index + 1}, ${box.label}`,
    });
    remove.addEventListener("click", () => this.on.remove(index));
    const row = element("li", { className: selected ? "selected" : "" }, field, remove);
    const doubt = doubts.find((one) => one.index === index && one.label === box.label);
    if (doubt) row.append(this.#doubt(doubt, index));
    return row;
  }

  #doubt(doubt, index) {
    const text = element("span", { textContent: doubtText(doubt) });
    if (!doubt.seen) return element("p", { className: "doubt" }, text);
    const use = element("button", {
      type: "button", className: "quiet", textContent: "Use", "aria-label": `Label box ${index + 1} ${doubt.seen}`,
    });
    use.addEventListener("click", () => this.on.label(index, doubt.seen));
    return element("p", { className: "doubt" }, text, use);
  }

  #whole(label, doubts) {
    const remove = element("button", {
      type: "button", className: "quiet", textContent: `${label} ×`, "aria-label": `Take ${label} off the picture`,
    });
    remove.addEventListener("click", () => this.on.unlabel(label));
    const row = element("li", {}, remove);
    const doubt = doubts.find((one) => one.index < 0 && one.label === label);
    if (doubt) row.append(element("p", { className: "doubt", textContent: doubtText(doubt) }));
    return row;
  }

  #proposal(box) {
    const text = `${box.label || `a ${box.part}`} · ${Math.round(100 * box.score)} %`;
    const accept = element("button", { type: "button", className: "quiet", textContent: "Accept", "aria-label": `Accept ${text}` });
    accept.addEventListener("click", () => this.on.accept(box));
    return element("li", {}, element("span", { textContent: text }), accept);
  }

  /** A list that is drawn newly keeps the caret, and what is being typed. */
  #keepingFocus(draw) {
    const active = document.activeElement;
    const index = active instanceof HTMLInputElement ? active.dataset.index : undefined;
    const typed = index !== undefined && active.value !== active.defaultValue ? active.value : null;
    draw();
    if (index === undefined) return;
    const field = byId("boxes").querySelector(`[data-index="${index}"]`);
    field?.focus();
    if (field && typed !== null) field.value = typed;
  }
}

function doubtText({ seen, score }) {
  if (!seen) return "The model doubts it: it sees none here.";
  return `The model doubts it: it sees ${seen} (${Math.round(100 * score)} %).`;
}
