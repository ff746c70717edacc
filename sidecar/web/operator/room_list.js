/** The list of rooms. */
import { byId, element } from "./element.js";

export class RoomList {
  rooms = [];
  #list = byId("rooms");
  #onChoose;

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Shows `rooms`; `chosen` is the id of the one whose details are shown. Keeps the focus. */
  show(rooms, chosen) {
    this.rooms = rooms;
    byId("rooms-hint").hidden = rooms.length > 0;
    const focused = document.activeElement?.dataset?.room;
    this.#list.replaceChildren(...rooms.map((room) => this.#item(room, chosen)));
    if (focused) this.#list.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  /** A room's URL by its id, for people to read. */
  nameOf(id) {
    return this.rooms.find((room) => room.id === id)?.url ?? id;
  }

  #item(room, chosen) {
    const button = element(
      "button",
      { type: "button", className: "room-button", onclick: () => this.#onChoose(room.id) },
      element("span", { className: "url" }, room.url),
      element("span", { className: "state", "data-state": room.state }, room.state),
      element("span", { className: "more" }, facts(room)),
    );
    button.dataset.room = room.id;
    if (room.id === chosen) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  }
}

/** What a line says of a room, the reason of a failure included. */
export function facts(room) {
  const people = `${room.participants} participant${room.participants === 1 ? "" : "s"}`;
  const restarts = room.restarts ? `${room.restarts} restart${room.restarts === 1 ? "" : "s"}` : "";
  const since = `since ${new Date(room.since).toLocaleTimeString()}`;
  return [people, restarts, since, room.reason].filter(Boolean).join(" · ");
}
