/** The form of one label: what it leads to, with a preview of the pose and of the animation. */
import { element } from "./element.js";
import { PreviewTile } from "./preview_tile.js";
import { CROWD_NUMBERS, KEYS, NUMBERS, same } from "./reaction_draft.js";

const KINDS = { sticker: "Sticker", event: "Event only", off: "Off" };

export class ReactionForm {
  element;
  #label;
  #draft;
  #stickers;
  #tile;
  #onChange;
  #fields = new Map();
  #buttons;
  #crowd;

  /**
   * `label` is one of the vocabulary, `labels` all of them, `stickers` a `StickerNames`;
   * `onChange` is called after each change of `draft`.
   */
  constructor(label, labels, draft, stickers, editable, onChange) {
    this.#label = label;
    this.#draft = draft;
    this.#stickers = stickers;
    this.#onChange = onChange;
    this.#tile = new PreviewTile(label.pose, (name) => stickers.url(name));
    const fields = element(
      "fieldset",
      { className: "row-fields", disabled: !editable },
      element("legend", { className: "unseen" }, label.title),
      this.#kindField(),
      this.#nameField("sticker", "Sticker"),
      this.#nameField("effect", "Effect, fills the tile"),
      ...Object.entries(NUMBERS).map(([key, limits]) => this.#numberField(key, limits)),
      this.#outranksField(labels),
      this.#crowdFields(),
    );
    this.#buttons = {
      undo: this.#button("Undo", () => draft.undo(label.label)),
      reset: this.#button("Reset to defaults", () => draft.reset(label.label)),
    };
    const actions = element("div", { className: "actions" }, this.#buttons.undo, this.#buttons.reset);
    this.element = element(
      "div",
      { className: "row-form" },
      this.#pictures(),
      element("div", {}, fields, editable ? actions : ""),
    );
    this.show();
  }

  /** Shows the draft's row, and what is wrong with it; `refused` are texts by key of a refusal. */
  show(refused = {}) {
    const name = this.#label.label;
    const row = this.#draft.row(name);
    const base = this.#draft.base(name);
    const problems = { ...this.#draft.problems(name), ...refused };
    for (const [key, field] of this.#fields) {
      if (document.activeElement !== field.control) field.set(row[key]);
      field.showBase(same(row[key], base[key]) ? undefined : base[key]);
      field.error.textContent = problems[key] ?? "";
      field.error.hidden = !problems[key];
      if (key !== "outranks") field.control.setAttribute("aria-invalid", String(Boolean(problems[key])));
    }
    for (const key of ["sticker", "effect"]) this.#fields.get(key).place.hidden = row.kind !== "sticker";
    for (const key of Object.keys(NUMBERS)) this.#fields.get(key).place.hidden = row.kind === "off";
    this.#crowd.hidden = row.kind === "off";
    if (["crowd", ...Object.keys(CROWD_NUMBERS)].some((key) => problems[key])) this.#crowd.open = true;
    this.#buttons.undo.disabled = !this.#draft.unsaved.includes(name);
    this.#buttons.reset.disabled = !this.#draft.differs(name);
    this.#tile.show(row);
  }

  /** Puts the focus on the control of `key`. */
  focus(key) {
    (this.#fields.get(key) ?? this.#fields.get("kind")).control.focus();
  }

  #pictures() {
    const { how, pose, title } = this.#label;
    const figures = element("div", { className: "row-pictures" });
    if (pose) {
      figures.append(
        element(
          "figure",
          {},
          element("img", { src: pose, alt: `How to pose: ${how}`, width: 288, height: 288, loading: "lazy" }),
          element("figcaption", {}, how),
        ),
      );
    }
    figures.append(this.#tile.element);
    this.#tile.element.setAttribute("role", "group");
    this.#tile.element.setAttribute("aria-label", `Preview of ${title}`);
    return figures;
  }

  #change(key, value) {
    this.#draft.set(this.#label.label, key, value);
    this.show();
    this.#onChange();
  }

  #button(text, action) {
    const onclick = () => {
      action();
      this.show();
      this.#onChange();
      // The button is of no more use, and a disabled one can't keep the focus.
      this.focus("kind");
    };
    return element("button", { type: "button", className: "quiet", onclick }, text);
  }

  /** A field with its error and the value without changes; `set` shows a value in its control. */
  #field(key, control, label, set, write = String) {
    const id = `${this.#label.label}-${key}`;
    const error = element("p", { className: "field-error", id: `${id}-error`, hidden: true });
    const base = element("small", { className: "base", id: `${id}-base` });
    control.setAttribute("aria-describedby", `${id}-error ${id}-base`);
    const place = element("div", { className: `row-field field-${key}` }, label, base, error);
    const showBase = (value) => {
      base.textContent = value === undefined ? "" : `Changed from ${write(value)}`;
    };
    this.#fields.set(key, { control, error, place, set, showBase });
    return place;
  }

  #kindField() {
    const name = `${this.#label.label}-kind`;
    const { moderated } = this.#draft.row(this.#label.label);
    const radios = Object.keys(KINDS).map((kind) =>
      element("input", {
        type: "radio",
        name,
        value: kind,
        disabled: kind === "sticker" && moderated,
        onchange: () => this.#change("kind", kind),
      }),
    );
    const group = element(
      "div",
      { className: "kinds", role: "radiogroup", "aria-label": "Kind" },
      ...radios.map((radio) => element("label", {}, radio, KINDS[radio.value])),
    );
    const label = element("div", { className: "field" }, element("span", {}, "Kind"), group);
    const notes = [
      moderated ? "For moderators alone: it is never drawn." : "",
      this.#label.scored ? "" : "Not looked for yet: turning it on loads what it needs, which takes some seconds.",
    ];
    for (const note of notes.filter(Boolean)) label.append(element("small", { className: "base" }, note));
    const set = (value) => radios.forEach((radio) => (radio.checked = radio.value === value));
    const place = this.#field("kind", group, label, set, (value) => KINDS[value].toLowerCase());
    this.#fields.get("kind").control = focusable(group, radios);
    return place;
  }

  #nameField(key, text) {
    const select = element("select", {
      onchange: () => this.#change(key, select.value || null),
    });
    const label = element("label", { className: "field" }, element("span", {}, text), select);
    const set = (value) => {
      this.#stickers.fill(select, key, value);
      select.value = value ?? "";
    };
    return this.#field(key, select, label, set, (value) => value ?? "none");
  }

  #crowdFields() {
    const fields = element(
      "div",
      { className: "row-fields inner" },
      this.#nameField("crowd", "Effect over all tiles"),
      ...Object.entries(CROWD_NUMBERS).map(([key, limits]) => this.#numberField(key, limits)),
    );
    const summary = element("summary", {}, "When many people show it at once");
    this.#crowd = element("details", { className: "field-crowd-all" }, summary, fields);
    return this.#crowd;
  }

  #numberField(key, { text, hint, least, most, above, step }) {
    const input = element("input", {
      type: "number",
      inputMode: "decimal",
      min: least ?? above,
      max: most,
      step,
      oninput: () => this.#change(key, input.value === "" ? null : input.valueAsNumber),
      onblur: () => this.show(),
    });
    const label = element(
      "label",
      { className: "field" },
      element("span", {}, text, element("small", {}, ` (${hint})`)),
      input,
    );
    return this.#field(key, input, label, (value) => (input.value = value ?? ""));
  }

  #outranksField(labels) {
    const summary = element("summary");
    const boxes = labels
      .filter((one) => one.label !== this.#label.label)
      .map((one) => ({
        box: element("input", { type: "checkbox", value: one.label, onchange: () => this.#outrank(boxes) }),
        title: one.title,
      }));
    const list = element(
      "div",
      { className: "boxes" },
      ...boxes.map(({ box, title }) => element("label", {}, box, title)),
    );
    const details = element("details", {}, summary, list);
    const titles = new Map(labels.map((one) => [one.label, one.title]));
    const write = (value) => value.map((one) => titles.get(one) ?? one).join(", ") || "none";
    const set = (value) => {
      for (const { box } of boxes) box.checked = value.includes(box.value);
      summary.textContent = `Outranks: ${write(value)}`;
    };
    const place = this.#field("outranks", details, details, set, write);
    this.#fields.get("outranks").control = summary;
    return place;
  }

  #outrank(boxes) {
    const row = this.#draft.row(this.#label.label);
    const chosen = new Set(boxes.filter(({ box }) => box.checked).map(({ box }) => box.value));
    // In their order as long as they are there: an order alone is no change.
    const kept = row.outranks.filter((one) => chosen.has(one));
    this.#change("outranks", [...kept, ...[...chosen].filter((one) => !kept.includes(one))]);
  }
}

/** The group itself, with the focus on the radio that is chosen. */
function focusable(group, radios) {
  group.focus = () => (radios.find((radio) => radio.checked) ?? radios[0]).focus();
  return group;
}

/** Whether a key of a refusal is one that the form shows. */
export const isKey = (key) => KEYS.includes(key);
