/** The operator's page: log in, see rooms, join, pause, leave, drain; stickers and reactions. */
import { call } from "./api.js";
import { ask } from "./ask.js";
import { byId, element, notify } from "./element.js";
import { EventList } from "./event_list.js";
import { ReactionView } from "./reaction_view.js";
import { isOver } from "./room_facts.js";
import { RoomList } from "./room_list.js";
import { RoomPanel } from "./room_panel.js";
import { ScopeChoice } from "./scope.js";
import { StickerView } from "./sticker_view.js";
import { vocabulary } from "./vocabulary.js";

const EVERY = 1000;
const TITLES = { rooms: "Rooms", reactions: "Reactions", stickers: "Stickers" };

const panel = new RoomPanel(joinAgain);
const rooms = new RoomList(choose);
const events = new EventList(refreshSoon, (id) => rooms.nameOf(id));
const scope = new ScopeChoice(() => reactions.mayLeave(), loadView);
const reactions = new ReactionView(scope);
const stickers = new StickerView(scope);
let chosen = null;
let timer = null;
let loggedIn = false;

function status(state, text) {
  byId("status").dataset.state = state;
  byId("status").textContent = text;
}

async function open() {
  let session;
  try {
    session = await call("GET", "/v1/session");
    await vocabulary.load();
  } catch (error) {
    if (error.status !== 401) return status("waiting", error.message);
    status("waiting", "not logged in");
    showLogin(true);
    byId("token").focus();
    return;
  }
  showLogin(false);
  byId("drain").hidden = !session.scopes.includes("admin");
  byId("logout").hidden = session.open;
  panel.allow(session.scopes, session.labels);
  reactions.allow(session.scopes);
  stickers.allow(session.scopes);
  status("live", "live");
  if (session.scopes.includes("events")) {
    events.start((state) => status(state, state === "live" ? "live" : "trying again"));
  }
  await refresh();
  await showView();
}

function showLogin(shown) {
  loggedIn = !shown;
  byId("login").hidden = !shown;
  byId("server").hidden = shown;
  byId("views").hidden = shown;
}

function close() {
  loggedIn = false;
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
    scope.show(list.rooms);
    events.rename();
    panel.show(list.rooms.find((room) => room.id === chosen) ?? null);
    await panel.refresh();
    if (byId("status").dataset.state === "waiting") status("live", "live");
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
  const present = list.filter((room) => !isOver(room));
  byId("room-count").textContent = present.length;
  byId("participant-count").textContent = present.reduce((sum, room) => sum + room.participants, 0);
  byId("load").value = server.load;
  byId("load-text").textContent = `${Math.round(100 * server.load)} %`;
  byId("workers").textContent = server.workers ?? "none";
  byId("drain").disabled = server.draining;
  byId("drain").textContent = server.draining ? "Draining" : "Drain the server";
  showFaults(faultsOf(server));
}

/** What is wrong with the server, with what to do. */
function faultsOf(server) {
  const rate = `${Math.round(100 * server.sampling)} %`;
  return [
    server.workers === 0
      ? "No detection worker is alive: nothing is recognised. To do: look into the server's log."
      : "",
    server.sampling < 1
      ? `Overload: participants are sampled at ${rate} of the wanted rate. To do: leave a room, or add cores.`
      : "",
    server.draining ? "Draining: no new rooms are taken; the server ends with its last room." : "",
  ].filter(Boolean);
}

function showFaults(faults) {
  const place = byId("faults");
  if (place.dataset.shown === JSON.stringify(faults)) return;
  place.dataset.shown = JSON.stringify(faults);
  place.replaceChildren(...faults.map((one) => element("li", {}, one)));
}

function choose(id) {
  chosen = id;
  panel.show(rooms.rooms.find((room) => room.id === id) ?? null);
  byId("room").focus();
  refreshSoon();
}

function joinAgain(room) {
  byId("url").value = room.url;
  byId("name").value = room.name ?? "";
  notify(byId("notice"), "The form has the URL again. Add its secrets where it needs some, then join.");
  byId("url").focus();
}

// Views

const viewOf = () => (location.hash.slice(1) in TITLES ? location.hash.slice(1) : "rooms");

async function showView() {
  if (!loggedIn) return;
  const shown = viewOf();
  byId("title").textContent = TITLES[shown];
  document.title = `${TITLES[shown]} · Reaction Sidecar`;
  for (const name of Object.keys(TITLES)) byId(`view-${name}`).hidden = name !== shown;
  byId("scope-bar").hidden = shown === "rooms";
  for (const link of byId("views").children) {
    if (link.hash === `#${shown}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  await loadView();
}

async function loadView() {
  const shown = viewOf();
  try {
    if (shown === "stickers") await stickers.load();
    if (shown === "reactions") await reactions.load(stickers.version);
    if (shown !== "rooms") notify(byId("notice"), "");
  } catch (error) {
    notify(byId("notice"), error.message);
  }
}

// Forms

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
  if (!(await reactions.mayLeave())) return;
  await call("DELETE", "/v1/session");
  close();
  await open();
};

byId("join").onsubmit = async (event) => {
  event.preventDefault();
  const request = { url: byId("url").value.trim(), secrets: secrets() };
  if (byId("name").value.trim()) request.name = byId("name").value.trim();
  if (byId("sensitivity").value) request.sensitivity = byId("sensitivity").value;
  if (byId("consent").value) request.consent = byId("consent").value;
  try {
    const room = await call("POST", "/v1/rooms", request);
    event.target.reset();
    notify(byId("notice"), "");
    showInvitation(room);
    chosen = room.id;
    await refresh();
  } catch (error) {
    notify(byId("notice"), error.message);
  }
};

/** Shows the address of a hosted room with its token, which the server answers once. */
function showInvitation(room) {
  const hosted = room.url.match(/^room:(.+)$/);
  byId("invitation").hidden = !(hosted && room.token);
  if (byId("invitation").hidden) return;
  const address = new URL(`/rooms/${encodeURIComponent(hosted[1])}`, location.href);
  address.hash = `token=${room.token}`;
  byId("address").value = address.href;
  byId("address").select();
}

byId("invitation-close").onclick = () => {
  byId("invitation").hidden = true;
  byId("address").value = "";
  byId("url").focus();
};

byId("drain").onclick = async () => {
  const text = "No new rooms are taken, and the server ends when the last room has ended.";
  if (!(await ask("Drain the server?", text, "Drain"))) return;
  await call("POST", "/v1/drain").catch((error) => notify(byId("notice"), error.message));
  refreshSoon();
};

addEventListener("hashchange", showView);
await open();
