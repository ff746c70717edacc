/** The list of rooms. */
import { byId, element } from "./element.js";
import { facts, trouble } from "./room_facts.js";

export class RoomList {
  rooms = [];
  #list = byId("rooms");
  #onChoose;
  #shown = "";

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Shows `rooms`; `chosen` is the id of the one whose details are shown. Keeps the focus. */
  show(rooms, chosen) {
    this.rooms = rooms;
    const shown = JSON.stringify([rooms.map((room) => [room.id, room.state, facts(room), room.reason]), chosen]);
    if (shown === this.#shown) return;
    this.#shown = shown;
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
      element("span", { className: "url", title: room.url }, room.url),
      element("span", { className: "state", "data-state": room.state }, room.state),
      element("span", { className: "more" }, facts(room)),
    );
    const wrong = trouble(room);
    if (wrong) button.append(element("span", { className: "wrong" }, wrong.what));
    button.dataset.room = room.id;
    if (room.id === chosen) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  }
}
