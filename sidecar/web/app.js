// The page of a room: watching from the start, joining when asked.

import * as camera from "./camera.js";
import { Events } from "./events.js";
import { Legend } from "./legend.js";
import { Log } from "./log.js";
import { Meters } from "./meters.js";
import { Retry } from "./retry.js";
import { Refused, Session } from "./whip.js";

const $ = (id) => document.getElementById(id);
const room = location.pathname.replace(/\/+$/, "");
const roomName = decodeURIComponent(room.split("/").pop());

class Page {
  #watching = null;
  #joined = null;
  #track = null;
  #busy = false;
  #people = new Map();

  constructor(legend) {
    this.legend = new Legend($("poses"), $("search"), $("found"), legend);
    const scored = legend.filter((entry) => entry.kind !== "off");
    this.meters = new Meters($("meters"), scored);
    this.log = new Log($("events"), $("log-hint"), legend);
    this.events = new Events(
      (event) => this.#happened(event),
      (open) => this.#listening(open),
    );
    this.watchAgain = new Retry(
      () => this.#watch(),
      (seconds, error) => this.#lostPicture(seconds, error),
    );
    this.joinAgain = null;
  }

  start() {
    $("room").textContent = roomName;
    document.title = `${roomName} · Reaction Sidecar`;
    $("name").value = remembered("name");
    $("controls").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#track ? this.#leave() : this.#join();
    });
    $("camera").addEventListener("change", () => this.#changeCamera());
    $("opt-out").addEventListener("change", () => this.#optOut());
    $("fullscreen").addEventListener("click", () => this.#toggleFullscreen());
    addEventListener("pagehide", () => this.#goAway());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    const obstacle = camera.obstacle();
    if (obstacle) {
      $("join").disabled = true;
      $("camera").disabled = true;
      notify(obstacle);
    } else {
      navigator.mediaDevices.addEventListener("devicechange", () => this.#listCameras());
      this.#listCameras();
    }
    this.watchAgain.run();
    this.#listen();
  }

  // Watching

  async #watch() {
    setStatus("connecting", "connecting");
    const session = new Session(`${room}/whep`, () => this.watchAgain.lost());
    const stream = await session.watch();
    this.#watching = session;
    const video = $("composite");
    video.srcObject = stream;
    video.addEventListener("playing", () => this.#showPicture(), { once: true });
    video.play().catch(() => {});
  }

  #showPicture() {
    $("screen").dataset.state = "live";
    setStatus("live", "live");
  }

  #lostPicture(seconds, error) {
    $("screen").dataset.state = "waiting";
    const status = error instanceof Refused ? error.status : 0;
    const gone = status === 404 || status === 401;
    $("veil-text").textContent = gone
      ? status === 404
        ? "There is no such room. Check the address."
        : "This room needs its whole link. Ask the person who made it."
      : error instanceof Refused
        ? capital(error.message)
        : "The room can't be reached. Trying again.";
    setStatus("waiting", `trying again in ${Math.max(1, Math.round(seconds))} s`);
    if (gone) this.watchAgain.stop();
  }

  // Joining

  async #join() {
    if (this.#busy) return;
    this.#setBusy(true);
    notify(null);
    try {
      this.#track = await camera.open($("camera").value);
    } catch (error) {
      notify(camera.explain(error));
      this.#setBusy(false);
      return;
    }
    remember("name", $("name").value);
    this.#track.addEventListener("ended", () => this.#cameraGone());
    this.#preview(this.#track);
    this.#listCameras();
    this.joinAgain = new Retry(
      () => this.#publish(),
      (seconds, error) => this.#lostPlace(seconds, error),
    );
    await this.joinAgain.run();
    this.#setBusy(false);
  }

  async #publish() {
    const again = this.joinAgain;
    const query = new URLSearchParams({ name: $("name").value });
    const out = $("opt-out").checked;
    if (out) query.set("opted_out", "1");
    const session = new Session(`${room}/whip?${query}`, () => again.lost());
    await session.publish(this.#track);
    // Left meanwhile, and perhaps joined again.
    if (this.joinAgain !== again) return session.close();
    this.#joined = session;
    notify(null);
    this.#listen();
    this.#setJoined(true);
    // The switch was turned while the room answered.
    if ($("opt-out").checked !== out) await this.#optOut();
  }

  #lostPlace(seconds, error) {
    this.#joined = null;
    this.#listen();
    const reason = error instanceof Refused ? capital(error.message) : "You dropped out of the room";
    if (error instanceof Refused && error.status < 500 && error.status !== 409) {
      notify(`${reason}.`);
      this.#leave();
    } else {
      notify(`${reason}. Trying again in ${Math.max(1, Math.round(seconds))} s.`);
      this.#setJoined(true);
    }
  }

  #leave() {
    this.joinAgain?.stop();
    this.joinAgain = null;
    this.#joined?.close();
    this.#joined = null;
    this.#track?.stop();
    this.#track = null;
    this.#preview(null);
    this.#listen();
    this.#setJoined(false);
  }

  #cameraGone() {
    this.#leave();
    notify("The camera was unplugged or taken away. Join again when it is back.");
  }

  async #changeCamera() {
    if (!this.#track) return;
    const old = this.#track;
    try {
      // Some systems open a camera once only: let go of the old one first.
      old.stop();
      const track = await camera.open($("camera").value);
      track.addEventListener("ended", () => this.#cameraGone());
      this.#track = track;
      this.#preview(track);
      await this.#joined?.replace(track);
    } catch (error) {
      this.#leave();
      notify(camera.explain(error));
    }
  }

  async #optOut() {
    if (!this.#joined) return;
    const box = $("opt-out");
    try {
      await this.#joined.optOut(box.checked);
      if (box.checked) this.meters.show([]);
    } catch {
      box.checked = !box.checked;
      notify("The room didn't hear that. Try again.");
    }
  }

  #goAway() {
    this.watchAgain.stop();
    this.joinAgain?.stop();
    this.events.close();
    this.#joined?.close();
    this.#watching?.close();
  }

  // Events

  #listen() {
    this.#people.clear();
    this.#showPeople();
    this.events.listen(this.#joined ? `${this.#joined.url}/events` : `${room}/events`);
  }

  #listening(open) {
    if (open) {
      // The stream begins with all participants present, which replace the earlier list.
      this.#people.clear();
      this.#showPeople();
      return;
    }
    this.#watching?.check();
    this.#joined?.check();
  }

  #happened(event) {
    const own = event.participant === this.#joined?.participant;
    if (event.event === "scores") {
      this.meters.show(event.labels);
      this.#markCards(event.labels);
      return;
    }
    if (event.event === "participant.joined") {
      if (!this.#people.has(event.participant)) this.#people.set(event.participant, event.name);
    } else if (event.event === "participant.left") {
      this.#people.delete(event.participant);
    }
    this.#showPeople();
    this.log.add(event, own);
  }

  #markCards(labels) {
    this.legend.mark(labels.filter((each) => each.progress > 0).map((each) => each.label));
  }

  #showPeople() {
    const chips = [...this.#people].map(([participant, name]) => {
      const chip = document.createElement("li");
      const own = participant === this.#joined?.participant;
      chip.className = own ? "chip own" : "chip";
      chip.textContent = own ? `${name} (you)` : name;
      return chip;
    });
    $("people").replaceChildren(...chips);
  }

  // Controls

  async #listCameras() {
    const select = $("camera");
    const chosen = this.#track?.getSettings().deviceId ?? select.value;
    const cameras = await camera.list().catch(() => []);
    const options = cameras.map(({ id, label }) => new Option(label, id, false, id === chosen));
    select.replaceChildren(...(options.length ? options : [new Option("Default camera", "")]));
  }

  #preview(track) {
    const video = $("preview");
    video.srcObject = track ? new MediaStream([track]) : null;
    video.hidden = !track;
  }

  #setBusy(busy) {
    this.#busy = busy;
    $("join").disabled = busy;
    $("join").setAttribute("aria-busy", String(busy));
  }

  #setJoined(joined) {
    const button = $("join");
    button.textContent = joined ? "Leave" : "Join with my camera";
    button.classList.toggle("leaving", joined);
    $("name").disabled = joined;
    $("meters").hidden = !joined;
    $("you-hint").hidden = joined;
    this.meters.show([]);
    this.#markCards([]);
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if ($("screen").requestFullscreen) $("screen").requestFullscreen();
    else $("composite").webkitEnterFullscreen?.();
  }
}

function setStatus(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
}

function notify(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text ?? "";
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function remembered(key) {
  try {
    return localStorage.getItem(`sidecar.${key}`) ?? "";
  } catch {
    return "";
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`sidecar.${key}`, value);
  } catch {
    // Private windows may refuse: the name is asked for again next time.
  }
}

/** Exchange the token in the address for a cookie, and take it out of the address bar. */
async function showToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  const headers = { Authorization: `Bearer ${token}` };
  await fetch(`${room}/access`, { method: "POST", headers }).catch(() => {});
}

await showToken();
addEventListener("hashchange", () => location.hash.includes("token=") && location.reload());
const legend = await fetch(`${room}/legend.json`)
  .then((response) => (response.ok ? response.json() : []))
  .catch(() => []);
new Page(legend).start();
