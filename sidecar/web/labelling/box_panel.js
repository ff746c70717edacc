/** What one picture shows, as lists: its boxes, its own labels, and what the model proposes. */
import { byId, element } from "../operator/element.js";

/** `on` has `select(index)`, `label(index, text)`, `remove(index)`, `unlabel(text)`, `accept(box)`. */
export class BoxPanel {
  #drawing = false;

  constructor(on) {
    this.on = on;
  }

  /** Shows the boxes and labels of a picture. */
  show({ boxes, labels, selected, doubts, proposed, waiting }) {
    this.#keepingFocus(() => {
      byId("boxes").replaceChildren(...boxes.map((box, index) => this.#box(box, index, index === selected, doubts)));
      byId("whole").replaceChildren(...labels.map((label, index) => this.#whole(label, index, doubts)));
      byId("proposed").replaceChildren(...proposed.map((box, index) => this.#proposal(box, index)));
    });
    byId("boxes-hint").hidden = boxes.length > 0;
    byId("proposed-hint").hidden = proposed.length > 0;
    byId("proposed-hint").textContent = waiting ? "The model looks at the picture." : "Nothing else.";
    byId("accept-all").disabled = proposed.length === 0;
  }

  /** Puts the caret into the label of a box. */
  focus(index) {
    const field = byId("boxes").querySelector(`[data-key="label-${index}"]`);
    field?.focus();
    field?.select();
  }

  #box(box, index, selected, doubts) {
    const field = element("input", {
      type: "text", defaultValue: box.label, maxLength: 200, autocomplete: "off", spellcheck: false,
      "aria-label": `Label of box ${index + 1}`, "data-key": `label-${index}`,
    });
    field.setAttribute("list", "labels");
    field.addEventListener("focus", () => this.on.select(index));
    const keep = () => {
      const text = field.value.trim();
      if (!this.#drawing && field.isConnected && text !== field.defaultValue) this.on.label(index, text);
    };
    field.addEventListener("change", keep);
    // What a script puts into a field is no change of it.
    field.addEventListener("blur", keep);
    const remove = element("button", {
      type: "button", className: "quiet", textContent: "Delete", "aria-label": `Delete box ${index + 1}, ${box.label}`,
      "data-key": `delete-${index}`,
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
      "data-key": `use-${index}`,
    });
    use.addEventListener("click", () => this.on.label(index, doubt.seen));
    return element("p", { className: "doubt" }, text, use);
  }

  #whole(label, index, doubts) {
    const remove = element("button", {
      type: "button", className: "quiet", textContent: `${label} ×`, "aria-label": `Take ${label} off the picture`,
      "data-key": `unlabel-${index}`,
    });
    remove.addEventListener("click", () => this.on.unlabel(label));
    const row = element("li", {}, remove);
    const doubt = doubts.find((one) => one.index < 0 && one.label === label);
    if (doubt) row.append(element("p", { className: "doubt", textContent: doubtText(doubt) }));
    return row;
  }

  #proposal(box, index) {
    const text = `${box.label || `a ${box.part}`} · ${Math.round(100 * box.score)} %`;
    const accept = element("button", {
      type: "button", className: "quiet", textContent: "Accept", "aria-label": `Accept ${text}`, "data-key": `accept-${index}`,
    });
    accept.addEventListener("click", () => this.on.accept(box));
    return element("li", {}, element("span", { textContent: text }), accept);
  }

  /** Lists that are drawn newly keep the focus, and what is being typed; the stage gets it from a row that is gone. */
  #keepingFocus(draw) {
    const active = document.activeElement;
    const { key } = active?.dataset ?? {};
    const typed = active instanceof HTMLInputElement && active.value !== active.defaultValue ? active.value : null;
    const outer = this.#drawing;
    this.#drawing = true;
    draw();
    if (key !== undefined) {
      const again = document.querySelector(`[data-key="${key}"]`);
      // Before the focus, which may select the box, and so draw once more.
      if (typed !== null && again !== null) again.value = typed;
      (again ?? byId("stage")).focus({ preventScroll: again === null });
    }
    this.#drawing = outer;
  }
}

function doubtText({ seen, score }) {
  if (!seen) return "The model doubts it: it sees none here.";
  return `The model doubts it: it sees ${seen} (${Math.round(100 * score)} %).`;
}
