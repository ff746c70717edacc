/** The details of one room: participants, scores, preview, and what an operator may do. */
import { call } from "./api.js";
import { ask } from "./ask.js";
import { byId, element, notify } from "./element.js";
import { figures, isOver, trouble } from "./room_facts.js";
import { vocabulary } from "./vocabulary.js";

const SCORES = 4;
const SENSITIVITIES = ["calm", "normal", "playful"];

export class RoomPanel {
  room = null;
  #scopes = new Set();
  #participants = "";
  #onAgain;

  /** `onAgain` gets the room that is to be joined again. */
  constructor(onAgain) {
    this.#onAgain = onAgain;
    byId("pause").onclick = () => this.#do("PATCH", "", { paused: this.room.state !== "paused" });
    byId("leave").onclick = () => this.#leave();
    byId("again").onclick = () => this.#onAgain(this.room);
    byId("room-sensitivity").onchange = (event) =>
      this.#do("PATCH", "", { sensitivity: event.target.value });
    byId("show-preview").onclick = () => this.#togglePreview();
    byId("trigger").onsubmit = (event) => this.#trigger(event);
  }

  /** Allows what the caller's scopes allow, and lists the labels that can be played. */
  allow(scopes, labels) {
    this.#scopes = new Set(scopes);
    byId("label").replaceChildren(
      ...labels.map((label) => element("option", { value: label }, vocabulary.title(label))),
    );
  }

  /** Shows `room`; null hides the panel. */
  show(room) {
    const changed = room?.id !== this.room?.id;
    this.room = room;
    byId("room").hidden = room === null;
    if (changed) this.#stopPreview();
    if (room === null) return;
    byId("room-title").textContent = room.url;
    byId("room-figures").replaceChildren(...figures(room).map(figure));
    this.#showTrouble(trouble(room));
    this.#showCounts(room.reactions);
    // A list that is open would close.
    const choice = byId("room-sensitivity");
    if (document.activeElement !== choice || changed) choice.value = room.sensitivity ?? "";
    byId("pause").textContent = room.state === "paused" ? "Resume" : "Pause";
    const over = isOver(room);
    for (const id of ["pause", "leave", "room-live"]) byId(id).hidden = over;
    byId("show-preview").hidden = over || !this.#scopes.has("admin");
    byId("again").hidden = !over;
    const hosted = room.url.match(/^room:(.+)$/);
    byId("open-page").hidden = over || !hosted;
    if (hosted) byId("open-page").href = `/rooms/${encodeURIComponent(hosted[1])}`;
    if (over) this.#showParticipants([], {});
    if (over) this.#stopPreview();
  }

  /** Reads participants, scores and the preview; once a second while a room is shown. */
  async refresh() {
    const room = this.room;
    if (!room || !["live", "paused"].includes(room.state)) return;
    const path = `/v1/rooms/${room.id}`;
    const [participants, scores] = await Promise.all([
      call("GET", `${path}/participants`),
      this.#scopes.has("admin") ? call("GET", `${path}/scores`) : {},
    ]);
    if (this.room?.id !== room.id) return;
    this.#showParticipants(participants, scores);
    if (byId("show-preview").getAttribute("aria-pressed") === "true") await this.#preview(path);
  }

  #showTrouble(wrong) {
    const place = byId("trouble");
    place.hidden = wrong === null;
    const shown = wrong === null ? "" : `${wrong.what} ${wrong.todo}`;
    if (place.dataset.shown === shown) return;
    place.dataset.shown = shown;
    place.replaceChildren();
    if (wrong === null) return;
    place.append(element("p", {}, element("b", {}, wrong.what)), element("p", {}, `To do: ${wrong.todo}.`));
  }

  #showCounts(counts) {
    const entries = Object.entries(counts);
    byId("counts-hint").hidden = entries.length > 0;
    const most = Math.max(1, ...Object.values(counts));
    byId("counts").replaceChildren(
      ...entries.map(([label, count]) => {
        const bar = element("span", { className: "count-bar", "aria-hidden": "true" });
        bar.style.setProperty("--share", String(count / most));
        return element(
          "li",
          {},
          element("span", { className: "count-name" }, vocabulary.title(label)),
          bar,
          element("span", { className: "count" }, String(count)),
        );
      }),
    );
  }

  #showParticipants(participants, scores) {
    byId("participants-hint").hidden = participants.length > 0;
    byId("trigger").hidden = participants.length === 0;
    const known = JSON.stringify(participants.map((one) => [one.id, one.name, one.opted_out, one.pinned, one.sensitivity]));
    if (known !== this.#participants) {
      this.#participants = known;
      const chosen = byId("who").value;
      byId("participants").replaceChildren(...participants.map((one) => this.#participant(one)));
      byId("who").replaceChildren(
        ...participants.map((one) => element("option", { value: one.id }, one.name)),
      );
      if (participants.some((one) => one.id === chosen)) byId("who").value = chosen;
    }
    participants.forEach((one, index) => {
      const item = byId("participants").children[index];
      item.querySelector(".facts").textContent = size(one);
      const place = item.querySelector(".scores");
      if (!this.#scopes.has("admin")) place.textContent = "Scores need the scope admin.";
      else if (one.opted_out) place.textContent = "Not sampled: no scores.";
      else place.replaceChildren(...best(scores[one.id] ?? {}));
    });
  }

  #participant(one) {
    const path = `/participants/${encodeURIComponent(one.id)}`;
    const toggle = (text, checked, field) =>
      element(
        "label",
        {},
        element("input", {
          type: "checkbox",
          checked,
          onchange: (event) => this.#do("PATCH", path, { [field]: event.target.checked }),
        }),
        text,
      );
    const choice = element(
      "select",
      { onchange: (event) => this.#do("PATCH", path, { sensitivity: event.target.value }) },
      ...SENSITIVITIES.map((value) => element("option", { value }, value)),
    );
    choice.value = one.sensitivity;
    return element(
      "li",
      {},
      element(
        "div",
        { className: "row" },
        element("b", {}, one.name),
        element("span", { className: "facts" }),
      ),
      element(
        "div",
        { className: "row" },
        toggle("No reactions", one.opted_out, "opted_out"),
        toggle("Large tile", one.pinned, "pinned"),
        element("label", {}, "Sensitivity", choice),
      ),
      element("div", { className: "scores" }),
    );
  }

  async #do(method, path, body) {
    try {
      const answer = await call(method, `/v1/rooms/${this.room.id}${path}`, body);
      if (path === "") this.show(answer);
      notify(byId("notice"), "");
    } catch (error) {
      this.#participants = "";
      notify(byId("notice"), error.message);
    }
  }

  async #leave() {
    const { url } = this.room;
    if (!(await ask("Leave this room?", `${url} gets no reactions any more.`, "Leave"))) return;
    await this.#do("DELETE", "");
  }

  async #trigger(event) {
    event.preventDefault();
    await this.#do("POST", "/reactions", { participant: byId("who").value, label: byId("label").value });
  }

  async #togglePreview() {
    const button = byId("show-preview");
    if (button.getAttribute("aria-pressed") === "true") return this.#stopPreview();
    button.setAttribute("aria-pressed", "true");
    await this.#preview(`/v1/rooms/${this.room.id}`);
  }

  #stopPreview() {
    byId("show-preview").setAttribute("aria-pressed", "false");
    notify(byId("preview-hint"), "");
    const picture = byId("composite");
    picture.hidden = true;
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.removeAttribute("src");
  }

  async #preview(path) {
    const answer = await fetch(`${path}/preview`, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) {
      const problem = await answer?.json().catch(() => null);
      notify(byId("preview-hint"), `No preview: ${problem?.detail ?? "the server does not answer"}.`);
      return;
    }
    notify(byId("preview-hint"), "");
    const picture = byId("composite");
    const before = picture.src;
    const blob = await answer.blob();
    // Switched off meanwhile.
    if (byId("show-preview").getAttribute("aria-pressed") !== "true") return;
    picture.src = URL.createObjectURL(blob);
    picture.hidden = false;
    if (before) URL.revokeObjectURL(before);
  }
}

function figure([name, value]) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}

function size(one) {
  const layer = one.width ? `${one.width}x${one.height}` : "no picture yet";
  const age = one.sample_age === null ? "" : `sampled ${one.sample_age.toFixed(1)} s ago`;
  return [layer, one.stale ? "no frames" : age].filter(Boolean).join(" · ");
}

function best(scores) {
  return Object.entries(scores)
    .sort((one, other) => other[1] - one[1])
    .slice(0, SCORES)
    .map(([label, score]) => element("span", {}, `${vocabulary.title(label)} ${score.toFixed(2)}`));
}
