/** The reaction table as a form a label, by groups, with search; saved as a whole. */
import { call } from "./api.js";
import { ask } from "./ask.js";
import { byId, counted, element, notify } from "./element.js";
import { matches } from "/static/search.js";
import { Draft, placeOf } from "./reaction_draft.js";
import { isKey, ReactionForm } from "./reaction_form.js";
import { StickerNames } from "./sticker_names.js";
import { vocabulary } from "./vocabulary.js";

const KINDS = { sticker: "sticker", event: "event only", off: "off" };

export class ReactionView {
  #scope;
  #draft = null;
  #stickers = null;
  #editable = false;
  #rows = new Map();
  #groups = [];

  constructor(scope) {
    this.#scope = scope;
    byId("find-label").oninput = () => this.#search();
    byId("undo").onclick = () => this.#undo();
    byId("save").onclick = () => this.#save();
    addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
  }

  /** Whether there are changes that are not saved. */
  get unsaved() {
    return this.#draft !== null && this.#draft.unsaved.length > 0;
  }

  allow(scopes) {
    this.#editable = scopes.includes("admin");
  }

  /** Whether the changes may be dropped; asks where there are some, and drops them. */
  async mayLeave() {
    if (!this.unsaved) return true;
    const text = `${counted(this.#draft.unsaved.length, "label")} would be as before.`;
    const dropped = await ask("Drop the unsaved changes?", text, "Drop them");
    if (dropped) this.#draft.undo();
    return dropped;
  }

  /**
   * Reads the table and the stickers of the scope; `version` changes with each upload. Changes that
   * are not saved are kept.
   */
  async load(version) {
    const { base, room } = this.#scope;
    const [view, list, all] = await Promise.all([
      call("GET", `${base}/reaction-table`),
      call("GET", `${base}/stickers`),
      room ? call("GET", "/v1/stickers") : null,
    ]);
    if (!this.unsaved) this.#draft = new Draft(view);
    this.#stickers = new StickerNames(base, list, all?.uploaded ?? [], version);
    this.#build();
    notify(byId("table-notice"), "");
    byId("saved").textContent = "";
  }

  #build() {
    const open = [...this.#rows].filter(([, row]) => row.form).map(([label]) => label);
    this.#rows.clear();
    this.#groups = [];
    const groups = Map.groupBy
      ? Map.groupBy(vocabulary.labels, (one) => one.group)
      : grouped(vocabulary.labels);
    const sections = [...groups].map(([title, labels]) => this.#section(title, labels));
    byId("table").replaceChildren(...sections);
    for (const label of open) if (this.#rows.has(label)) this.#toggle(label, true);
    this.#search();
    this.#showUnsaved();
  }

  #section(title, labels) {
    const count = element("small");
    const list = element("ul", { className: "table-rows" }, ...labels.map((one) => this.#row(one)));
    const section = element("section", {}, element("h3", { className: "group-title" }, title, count), list);
    this.#groups.push({ section, count, labels });
    return section;
  }

  #row(label) {
    const id = `row-${label.label}`;
    const parts = {
      sticker: element("img", { className: "row-sticker", alt: "", width: 40, height: 40, loading: "lazy" }),
      kind: element("span", { className: "badge" }),
      facts: element("span", { className: "row-facts" }),
      mark: element("span", { className: "row-mark" }),
    };
    const button = element(
      "button",
      {
        type: "button",
        className: "row-button",
        "aria-expanded": "false",
        onclick: () => this.#toggle(label.label),
      },
      label.pose ? element("img", { src: label.pose, alt: "", width: 48, height: 48, loading: "lazy" }) : "",
      element("span", { className: "row-title" }, label.title),
      parts.kind,
      parts.sticker,
      parts.facts,
      parts.mark,
    );
    const body = element("div", { id, hidden: true });
    const item = element("li", { className: "table-row" }, button, body);
    this.#rows.set(label.label, { label, item, button, body, parts, form: null });
    this.#showRow(label.label);
    return item;
  }

  #showRow(name) {
    const { parts, button } = this.#rows.get(name);
    const row = this.#draft.row(name);
    button.dataset.kind = row.kind;
    parts.kind.dataset.kind = row.kind;
    parts.kind.textContent = KINDS[row.kind];
    const draws = row.kind === "sticker" && row.sticker;
    parts.sticker.hidden = !draws;
    const src = draws ? this.#stickers.url(row.sticker) : null;
    if (src && parts.sticker.getAttribute("src") !== src) parts.sticker.src = src;
    const played = draws ? element("span", {}, `${[row.sticker, row.effect].filter(Boolean).join(" + ")} · `) : "";
    const times = `hold ${row.hold} s · cooldown ${row.cooldown} s`;
    parts.facts.replaceChildren(...(row.kind === "off" ? [] : [played, times]));
    const unsaved = this.#draft.unsaved.includes(name);
    const wrong = unsaved && Object.keys(this.#draft.problems(name)).length > 0;
    parts.mark.dataset.state = wrong ? "wrong" : unsaved ? "unsaved" : "";
    parts.mark.textContent = wrong ? "invalid" : unsaved ? "unsaved" : this.#draft.differs(name) ? "changed" : "";
  }

  #toggle(name, open = this.#rows.get(name).form === null) {
    const row = this.#rows.get(name);
    if (open && row.form === null) {
      row.form = new ReactionForm(row.label, vocabulary.labels, this.#draft, this.#stickers, this.#editable, () =>
        this.#changed(name),
      );
      row.body.replaceChildren(row.form.element);
    } else if (!open) {
      row.form = null;
      row.body.replaceChildren();
    }
    row.body.hidden = !open;
    row.button.setAttribute("aria-expanded", String(open));
    if (open) row.button.setAttribute("aria-controls", row.body.id);
    else row.button.removeAttribute("aria-controls");
  }

  #changed(name) {
    this.#showRow(name);
    this.#showUnsaved();
    byId("saved").textContent = "";
    notify(byId("table-notice"), "");
  }

  #showUnsaved() {
    const labels = this.#draft.unsaved;
    const wrong = this.#wrong();
    byId("save-bar").hidden = labels.length === 0;
    byId("save").disabled = wrong.length > 0;
    const names = (some) => some.map((one) => vocabulary.title(one)).join(", ");
    byId("unsaved").textContent = wrong.length
      ? `Can't be saved yet, invalid: ${names(wrong)}.`
      : labels.length
        ? `Unsaved: ${names(labels)}.`
        : "";
  }

  #wrong() {
    return this.#draft.unsaved.filter((name) => Object.keys(this.#draft.problems(name)).length > 0);
  }

  #undo() {
    const labels = this.#draft.unsaved;
    this.#draft.undo();
    for (const name of labels) {
      this.#showRow(name);
      this.#rows.get(name).form?.show();
    }
    this.#showUnsaved();
    byId("saved").textContent = `Undone: ${counted(labels.length, "label")}.`;
    byId("find-label").focus();
  }

  async #save() {
    byId("save").disabled = true;
    const path = `${this.#scope.base}/reaction-table`;
    try {
      // Another operator may have changed other labels meanwhile.
      const fresh = await call("GET", path);
      const view = await call("PUT", path, { rows: this.#draft.rows(fresh) });
      const labels = this.#draft.unsaved;
      this.#draft = new Draft(view);
      this.#build();
      byId("saved").textContent = `Saved: ${counted(labels.length, "label")}. Running rooms have it.`;
      byId("find-label").focus();
    } catch (error) {
      this.#refused(error);
    }
    byId("save").disabled = this.#wrong().length > 0;
  }

  /** Shows what the server refused, at the field that it names. */
  #refused(error) {
    const place = placeOf(error.detail);
    const row = place && this.#rows.get(place.label);
    const title = place ? `${vocabulary.title(place.label)}: ` : "";
    notify(byId("table-notice"), `Not saved. ${title}${error.message}`);
    if (!row) return;
    byId("find-label").value = "";
    this.#search();
    this.#toggle(place.label, true);
    row.form.show(isKey(place.key) ? { [place.key]: error.message } : {});
    row.form.focus(place.key);
  }

  #search() {
    const words = byId("find-label").value;
    let all = 0;
    for (const { section, count, labels } of this.#groups) {
      const shown = labels.filter((one) => {
        const found = matches(words, [one.title, one.label, one.how, one.group]);
        this.#rows.get(one.label).item.hidden = !found;
        return found;
      });
      section.hidden = shown.length === 0;
      count.textContent = String(shown.length);
      all += shown.length;
    }
    const none = "No label is found by these words.";
    byId("found-labels").textContent = words.trim() ? (all ? `${all} of ${this.#rows.size} labels` : none) : "";
  }
}

function grouped(labels) {
  const groups = new Map();
  for (const one of labels) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}
