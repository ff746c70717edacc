/** The newest events of all rooms, newest first. */
import { byId, element } from "./element.js";
import { vocabulary } from "./vocabulary.js";

const KEPT = 100;
const TEXTS = {
  "room.state": (event) => `is ${event.state}${event.reason ? `: ${event.reason}` : ""}`,
  "participant.joined": (event) => `${event.name} joined`,
  "participant.left": (event) => `${event.name} left`,
  "reaction.crowd": (event) =>
    `${event.participants.length} people: ${vocabulary.title(event.label)}`,
  "reaction.started": (event) => `${event.name}: ${vocabulary.title(event.label)}`,
};

export class EventList {
  #list = byId("events");
  #source = null;
  #onChange;
  #nameOf;

  /** `onChange` is called after each event; `nameOf` names a room by its id. */
  constructor(onChange, nameOf) {
    this.#onChange = onChange;
    this.#nameOf = nameOf;
  }

  /** Follows the server's events, also after losses; `onState` gets "live" or "waiting". */
  start(onState) {
    this.#source = new EventSource("/v1/events");
    this.#source.onopen = () => onState("live");
    this.#source.onerror = () => onState("waiting");
    for (const kind of Object.keys(TEXTS)) {
      this.#source.addEventListener(kind, (message) => this.#take(kind, JSON.parse(message.data)));
    }
  }

  stop() {
    this.#source?.close();
    this.#source = null;
  }

  /** Names rooms that an event was ahead of. */
  rename() {
    for (const name of this.#list.querySelectorAll("[data-room]")) {
      name.textContent = this.#nameOf(name.dataset.room);
    }
  }

  #take(kind, event) {
    byId("events-hint").hidden = true;
    const now = new Date();
    this.#list.prepend(
      element(
        "li",
        {},
        element("time", { dateTime: now.toISOString() }, now.toLocaleTimeString()),
        element("b", { "data-room": event.room }, this.#nameOf(event.room)),
        element("span", {}, TEXTS[kind](event)),
      ),
    );
    while (this.#list.children.length > KEPT) this.#list.lastChild.remove();
    this.#onChange();
  }
}
