/** The operator's page: log in, see rooms, join, pause, leave, drain. */
import { call } from "./api.js";
import { byId, notify } from "./element.js";
import { EventList } from "./event_list.js";
import { RoomList } from "./room_list.js";
import { RoomPanel } from "./room_panel.js";

const EVERY = 1000;

const panel = new RoomPanel();
const rooms = new RoomList(choose);
const events = new EventList(refreshSoon, (id) => rooms.nameOf(id));
let chosen = null;
let timer = null;

function status(state, text) {
  byId("status").dataset.state = state;
  byId("status").textContent = text;
}

async function open() {
  let session;
  try {
    session = await call("GET", "/v1/session");
  } catch (error) {
    if (error.status !== 401) return status("waiting", error.message);
    status("waiting", "not logged in");
    byId("login").hidden = false;
    byId("server").hidden = true;
    byId("token").focus();
    return;
  }
  byId("login").hidden = true;
  byId("server").hidden = false;
  byId("drain").hidden = !session.scopes.includes("admin");
  byId("logout").hidden = session.open;
  panel.allow(session.scopes, session.labels);
  status("live", "live");
  if (session.scopes.includes("events")) {
    events.start((state) => status(state, state === "live" ? "live" : "trying again"));
  }
  await refresh();
}

function close() {
  events.stop();
  clearTimeout(timer);
  panel.show(null);
}

/** Refreshes now; a refresh that waits is the next one. */
function refreshSoon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, 100);
}

async function refresh() {
  clearTimeout(timer);
  try {
    const [server, list] = await Promise.all([call("GET", "/v1/server"), call("GET", "/v1/rooms")]);
    showServer(server, list.rooms);
    rooms.show(list.rooms, chosen);
    events.rename();
    panel.show(list.rooms.find((room) => room.id === chosen) ?? null);
    await panel.refresh();
  } catch (error) {
    if (error.status === 401) {
      close();
      return open();
    }
    // A room that ended meanwhile answers 404 or 409; the next refresh shows its state.
    if (error.status === 0) status("waiting", error.message);
  }
  timer = setTimeout(refresh, EVERY);
}

function showServer(server, list) {
  const over = new Set(["ended", "failed"]);
  const present = list.filter((room) => !over.has(room.state));
  byId("room-count").textContent = present.length;
  byId("participant-count").textContent = present.reduce((sum, room) => sum + room.participants, 0);
  byId("load").value = server.load;
  byId("load-text").textContent = `${Math.round(100 * server.load)} %`;
  byId("workers").textContent = server.workers;
  byId("drain").disabled = server.draining;
  byId("drain").textContent = server.draining ? "Draining" : "Drain the server";
}

function choose(id) {
  chosen = id;
  panel.show(rooms.rooms.find((room) => room.id === id) ?? null);
  byId("room").focus();
  refreshSoon();
}

function secrets() {
  const lines = byId("secrets").value.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [name, ...rest] = line.split("=");
      return [name.trim(), rest.join("=").trim()];
    }),
  );
}

byId("login").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await call("POST", "/v1/session", { token: byId("token").value });
    byId("token").value = "";
    notify(byId("login-notice"), "");
    await open();
  } catch (error) {
    notify(byId("login-notice"), error.message);
  }
};

byId("logout").onclick = async () => {
  await call("DELETE", "/v1/session");
  close();
  await open();
};

byId("join").onsubmit = async (event) => {
  event.preventDefault();
  const request = { url: byId("url").value.trim(), secrets: secrets() };
  if (byId("name").value.trim()) request.name = byId("name").value.trim();
  if (byId("consent").value) request.consent = byId("consent").value;
  try {
    const room = await call("POST", "/v1/rooms", request);
    event.target.reset();
    notify(byId("notice"), "");
    chosen = room.id;
    await refresh();
  } catch (error) {
    notify(byId("notice"), error.message);
  }
};

byId("drain").onclick = async () => {
  if (!confirm("Take no new rooms, and end the server when the last room has ended?")) return;
  await call("POST", "/v1/drain").catch((error) => notify(byId("notice"), error.message));
  refreshSoon();
};

await open();
