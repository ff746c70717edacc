/** Stickers: ours and uploaded ones, with what plays them; upload by button or by drop, delete. */
import { call, upload } from "./api.js";
import { ask } from "./ask.js";
import { byId, counted, element, notify } from "./element.js";
import { StickerNames } from "./sticker_names.js";
import { vocabulary } from "./vocabulary.js";

const SHOWN = 8;
const ENDING = /\.(gif|webp|png|apng)$/i;

export class StickerView {
  version = 0;
  #scope;
  #editable = false;
  #names = new Set();
  #playedBy = new Map();

  constructor(scope) {
    this.#scope = scope;
    const drop = byId("drop");
    byId("files").onchange = async (event) => {
      await this.#uploadAll([...event.target.files]);
      event.target.value = "";
    };
    const over = (event, state) => {
      event.preventDefault();
      drop.classList.toggle("over", state);
    };
    drop.ondragenter = drop.ondragover = (event) => over(event, true);
    drop.ondragleave = (event) => over(event, false);
    drop.ondrop = (event) => {
      over(event, false);
      return this.#uploadAll([...event.dataTransfer.files]);
    };
  }

  allow(scopes) {
    this.#editable = scopes.includes("admin");
    byId("drop").hidden = !this.#editable;
  }

  /** Reads the stickers of the scope, and which labels play them. */
  async load() {
    const { base, room } = this.#scope;
    const [list, view, all] = await Promise.all([
      call("GET", `${base}/stickers`),
      call("GET", `${base}/reaction-table`),
      room ? call("GET", "/v1/stickers") : null,
    ]);
    const inherited = all?.uploaded ?? [];
    const names = new StickerNames(base, list, inherited, this.version);
    this.#names = new Set(list.uploaded.map((one) => one.name));
    this.#playedBy = playedBy(view.table);
    const hint = room ? "None for this room." : "None for all rooms.";
    const how = this.#editable ? " Drop a file above to add one." : " Uploads need a token with the scope admin.";
    notify(byId("uploaded-hint"), list.uploaded.length ? "" : hint + how);
    byId("uploaded").replaceChildren(...list.uploaded.map((one) => this.#uploaded(one, names)));
    byId("inherited-part").hidden = inherited.length === 0;
    byId("inherited").replaceChildren(...inherited.map((one) => this.#card(one.name, names, about(one))));
    const own = list.own.filter((one) => !list.effects.includes(one));
    byId("own").replaceChildren(...own.map((one) => this.#card(one, names)));
    byId("effects").replaceChildren(...list.effects.map((one) => this.#card(one, names)));
  }

  #card(name, names, text = "", ...more) {
    const labels = this.#playedBy.get(name) ?? [];
    const picture = element("img", { src: names.url(name), alt: "", loading: "lazy", width: 96, height: 96 });
    return element(
      "li",
      { className: "sticker-card" },
      element("div", { className: "sticker-picture" }, picture),
      element("b", { title: name }, name),
      text ? element("span", {}, text) : "",
      labels.length ? element("span", {}, `played by ${labels.map((one) => vocabulary.title(one)).join(", ")}`) : "",
      ...more,
    );
  }

  #uploaded(one, names) {
    if (!this.#editable) return this.#card(one.name, names, about(one));
    const button = element(
      "button",
      {
        type: "button",
        className: "quiet danger",
        "aria-label": `Delete ${one.name}`,
        onclick: () => this.#delete(one.name),
      },
      "Delete",
    );
    return this.#card(one.name, names, about(one), button);
  }

  async #delete(name) {
    const labels = this.#playedBy.get(name) ?? [];
    const text = labels.length
      ? `It is played by ${labels.map((one) => vocabulary.title(one)).join(", ")}: change those labels first.`
      : "The file is removed from the server.";
    if (!(await ask(`Delete ${name}?`, text, "Delete"))) return;
    try {
      await call("DELETE", `${this.#scope.base}/stickers/${encodeURIComponent(name)}`);
      this.#say(`${name}: deleted.`);
    } catch (error) {
      this.#say(`Not deleted. ${error.message}`, true);
    }
    await this.load();
    byId("files").focus();
  }

  async #uploadAll(files) {
    for (const file of files) await this.#upload(file);
    this.version += 1;
    await this.load();
  }

  async #upload(file) {
    const name = nameOf(file.name);
    if (!ENDING.test(file.name)) {
      this.#say(`${file.name}: is no GIF, WebP, PNG or APNG by its name. To do: export it as one of them.`, true);
      return;
    }
    if (this.#names.has(name)) {
      const text = "A sticker of this name is there. Rooms that play it show the new one at once.";
      if (!(await ask(`Replace ${name}?`, text, "Replace"))) return;
    }
    const line = this.#say(`${file.name}: uploading …`);
    try {
      const added = await upload(`${this.#scope.base}/stickers/${encodeURIComponent(name)}`, file);
      line.textContent = `${name}: uploaded, ${about(added)}.`;
    } catch (error) {
      line.className = "wrong";
      line.textContent = `${file.name}: not uploaded. ${error.message}`;
    }
  }

  #say(text, wrong = false) {
    const line = element("li", { className: wrong ? "wrong" : "" }, text);
    byId("uploads").prepend(line);
    while (byId("uploads").children.length > SHOWN) byId("uploads").lastChild.remove();
    return line;
  }
}

/** The name under which the server keeps a file: letters, digits, - and _ alone. */
export function nameOf(file) {
  const dot = file.lastIndexOf(".");
  const ending = dot < 0 ? "" : file.slice(dot).toLowerCase();
  const plain = file.slice(0, dot < 0 ? undefined : dot).normalize("NFD").replace(/\p{M}/gu, "");
  const words = plain.replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^[_-]+|_+$/g, "");
  return (words.slice(0, 64) || "sticker") + ending;
}

function playedBy(table) {
  const found = new Map();
  for (const [label, row] of Object.entries(table)) {
    for (const name of [row.sticker, row.effect]) {
      if (name) found.set(name, [...(found.get(name) ?? []), label]);
    }
  }
  return found;
}

function about(one) {
  const size = one.bytes < 1024 ? `${one.bytes} B` : `${Math.ceil(one.bytes / 1024)} KiB`;
  return `${one.kind}, ${one.width}x${one.height}, ${counted(one.frames, "frame")}, ${size}`;
}
