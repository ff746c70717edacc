/** Whose stickers and reactions are edited: the server's, which all rooms have, or one room's. */
import { byId, element } from "./element.js";

export class ScopeChoice {
  #select = byId("scope");
  #shown = "";

  /** `mayChange` answers a promise of whether another may be chosen now; `onChange` follows it. */
  constructor(mayChange, onChange) {
    let before = "";
    this.#select.onchange = async () => {
      const wanted = this.#select.value;
      this.#select.value = before;
      if (!(await mayChange())) return;
      this.#select.value = before = wanted;
      this.#explain();
      onChange();
    };
    this.show([]);
  }

  /** The room's id; empty for all rooms. */
  get room() {
    return this.#select.value;
  }

  /** The path of the API's part. */
  get base() {
    return this.room ? `/v1/rooms/${this.room}` : "/v1";
  }

  /** Offers `rooms`; the chosen one stays, also when it is over. */
  show(rooms) {
    const offered = rooms.filter((one) => !["ended", "failed"].includes(one.state) || one.id === this.room);
    const shown = JSON.stringify(offered.map((one) => [one.id, one.url]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const chosen = this.#select.value;
    this.#select.replaceChildren(
      element("option", { value: "" }, "All rooms"),
      ...offered.map((one) => element("option", { value: one.id }, one.url)),
    );
    this.#select.value = offered.some((one) => one.id === chosen) ? chosen : "";
    this.#explain();
  }

  #explain() {
    byId("scope-hint").textContent = this.room
      ? "What is changed here counts in this room alone, before what all rooms have. It is deleted with the room."
      : "What is changed here counts in each room, unless the room has changes of its own.";
  }
}
