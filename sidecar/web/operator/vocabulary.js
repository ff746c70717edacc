/** The labels: their titles, how to make them, and their groups, as the server names them. */
import { call } from "./api.js";

class Vocabulary {
  labels = [];
  #byName = new Map();

  async load() {
    this.labels = await call("GET", "/v1/labels");
    this.#byName = new Map(this.labels.map((one) => [one.label, one]));
  }

  /** What people call a label; its name's words where the server does not say. */
  title(label) {
    return this.#byName.get(label)?.title ?? label.replaceAll("_", " ");
  }
}

export const vocabulary = new Vocabulary();
