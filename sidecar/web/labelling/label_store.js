/** The data set: what the server knows of each picture, and what is to be saved. */
import { call } from "../operator/api.js";

const DELAY = 300;
const AGAIN = 2000;

/** Holds every picture; `onChange(file)` is called after news of one, `onSaved(state, text)` of saving. */
export class LabelStore {
  #byFile = new Map();
  #details = new Map();
  #unsaved = new Map();
  #timer = null;
  #saving = null;
  #sent = null;

  constructor({ onChange, onSaved, onConflict }) {
    this.onChange = onChange;
    this.onSaved = onSaved;
    this.onConflict = onConflict;
    this.pictures = [];
    this.labels = [];
  }

  async open() {
    const listing = await call("GET", "/labelling/pictures");
    this.name = listing.name;
    this.labels = listing.labels;
    this.looks = listing.looks;
    this.pictures = listing.pictures;
    this.pictures.forEach((picture, order) => {
      picture.order = order;
      this.#byFile.set(picture.file, picture);
    });
    if (this.looks) this.#follow();
    return this;
  }

  /** The newest labels of a picture, unsaved ones included, and what is proposed if it is known. */
  picture(file) {
    return this.#byFile.get(file);
  }

  /** Asks for what is proposed for a picture; the server looks at it next. */
  async detail(file) {
    if (!this.looks || this.#details.has(file)) return;
    const answer = await call("GET", `/labelling/pictures/${file}`);
    this.#take(answer);
  }

  /** Proposals of a picture; null while the recogniser has not looked at it. */
  proposed(file) {
    return this.#details.get(file) ?? null;
  }

  /** New labels of a picture, saved soon. */
  change(file, boxes, labels) {
    const picture = this.#byFile.get(file);
    picture.boxes = boxes;
    picture.labels = labels;
    for (const label of [...labels, ...boxes.map((box) => box.label)]) {
      if (!this.labels.includes(label)) this.labels.push(label);
    }
    this.#unsaved.set(file, { boxes, labels });
    this.onSaved("connecting", "saving");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), DELAY);
    this.onChange(file);
  }

  get unsaved() {
    return this.#unsaved.size > 0 || this.#saving !== null;
  }

  /** Saves all that is unsaved now, one picture after another; resolves when that is done. */
  async flush() {
    clearTimeout(this.#timer);
    while (this.#saving !== null) await this.#saving;
    this.#saving = this.#saveAll();
    let again = true;
    try {
      again = await this.#saving;
    } finally {
      this.#saving = null;
    }
    if (again && this.#unsaved.size > 0) this.#timer = setTimeout(() => this.flush(), AGAIN);
  }

  /** Whether what is left is to be sent again soon: what the server refuses waits for the next change. */
  async #saveAll() {
    let refused = null;
    for (const [file, edit] of [...this.#unsaved]) {
      const picture = this.#byFile.get(file);
      this.#unsaved.delete(file);
      this.#sent = file;
      try {
        const answer = await call("PUT", `/labelling/pictures/${file}`, { revision: picture.revision, ...edit });
        this.#sent = null;
        this.#take(answer);
      } catch (error) {
        this.#sent = null;
        if (!this.#unsaved.has(file)) this.#unsaved.set(file, edit);
        if (error.status === 409 && (await this.#reload(file))) continue;
        this.onSaved("waiting", `not saved: ${error.message}`);
        if (!isFinal(error)) return true;
        refused = error;
      }
    }
    if (this.#unsaved.size === 0) this.onSaved("live", "saved");
    else if (refused !== null) this.onSaved("waiting", `not saved: ${refused.message}`);
    return false;
  }

  /** Takes what another page has saved in place of what is unsaved here; false where it can't be had. */
  async #reload(file) {
    try {
      const answer = await call("GET", `/labelling/pictures/${file}`);
      this.#unsaved.delete(file);
      this.#take(answer);
    } catch {
      return false;
    }
    this.onConflict(file);
    return true;
  }

  /** News of one picture; labels that are unsaved here stay. */
  #take(answer) {
    const { proposed, ...fields } = answer;
    const picture = this.#byFile.get(answer.file);
    if (answer.revision < picture.revision) return;
    if (this.#unsaved.has(answer.file) || this.#sent === answer.file) {
      delete fields.boxes;
      delete fields.labels;
    }
    Object.assign(picture, fields);
    if (proposed !== undefined && answer.looked_at) this.#details.set(answer.file, proposed);
    this.onChange(answer.file);
  }

  async #follow() {
    let after = 0;
    for (;;) {
      try {
        const news = await call("GET", `/labelling/opinions?after=${after}`);
        after = news.next;
        for (const { boxes, labels, revision, ...fields } of news.pictures) {
          Object.assign(this.#byFile.get(fields.file), fields);
          this.onChange(fields.file);
        }
        if (news.done) return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
  }
}

/** Whether the same request would be refused again. */
const isFinal = ({ status }) => status >= 400 && status < 500 && ![408, 409, 429].includes(status);
