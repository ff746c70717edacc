/** The stickers that a row may play, of ours and uploaded, and where their files are. */
import { element } from "./element.js";

export class StickerNames {
  #base;
  #own;
  #uploaded;
  #inherited;
  #version;

  /**
   * `base` is the API's path of the scope, `list` its stickers, `inherited` those of all rooms where
   * the scope is one room; `version` changes with each upload, so that a replaced file is read again.
   */
  constructor(base, list, inherited, version) {
    this.#base = base;
    this.#own = { sticker: list.own.filter((one) => !list.effects.includes(one)), effect: list.effects };
    this.#uploaded = list.uploaded.map((one) => one.name);
    this.#inherited = inherited.map((one) => one.name).filter((one) => !this.#uploaded.includes(one));
    this.#version = version;
  }

  /** The path of a sticker's file. */
  url(name) {
    return `${this.#base}/stickers/${encodeURIComponent(name)}?v=${this.#version}`;
  }

  /** Offers in `select` what a row's `key` may name; `value` is offered in any case. */
  fill(select, key, value) {
    const [kind, other] = key === "sticker" ? ["sticker", "effect"] : ["effect", "sticker"];
    const first = key !== "sticker" || value === null ? [element("option", { value: "" }, "none")] : [];
    const groups = [
      ["Ours", this.#own[kind]],
      ["Uploaded", this.#uploaded],
      ["Uploaded for all rooms", this.#inherited],
      [kind === "sticker" ? "Ours that fill a tile" : "Ours that are small", this.#own[other]],
    ];
    const known = groups.flatMap(([, names]) => names);
    if (value && !known.includes(value)) groups.push(["The server's own files", [value]]);
    const shown = JSON.stringify([first.length, groups]);
    if (select.dataset.shown === shown) return;
    select.dataset.shown = shown;
    const lists = groups.filter(([, names]) => names.length).map(([label, names]) =>
      element("optgroup", { label }, ...names.map((name) => element("option", { value: name }, name))),
    );
    select.replaceChildren(...first, ...lists);
  }
}
