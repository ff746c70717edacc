/** What a page says of a room, in words. */
import { counted } from "./element.js";

const OVER = new Set(["ended", "failed"]);

/** No process runs for the room any more. */
export const isOver = (room) => OVER.has(room.state);

/** One line of figures. */
export function facts(room) {
  if (isOver(room)) return since(room);
  const { reactions } = room;
  const count = Object.values(reactions).reduce((sum, one) => sum + one, 0);
  return [
    counted(room.participants, "participant"),
    `load ${percent(room.load)}`,
    count ? `${counted(count, "reaction")} in 5 min` : "",
    room.restarts ? counted(room.restarts, "restart") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Names and values of a room's figures. */
export function figures(room) {
  const all = [["State", `${room.state} ${since(room)}`]];
  if (isOver(room)) return all;
  all.push(["Participants", String(room.participants)], ["Viewers", String(room.viewers)]);
  all.push(["Load", percent(room.load)], ["Age of samples", ages(room)]);
  if (room.restarts) all.push(["Restarts", String(room.restarts)]);
  return all;
}

/** What is wrong with a room and what to do about it; null where nothing is. */
export function trouble(room) {
  if (!room.reason || room.state === "ended" || room.state === "ending") return null;
  // The server puts what to do in brackets at the end.
  const [, what, advice] = room.reason.match(/^(.*?)(?: \(([^()]+)\))?$/s);
  return { what, todo: advice ?? general(room.state) };
}

function general(state) {
  if (state !== "failed") return "nothing: the server joins again by itself";
  return "remove the cause, then join again; the server's log has more";
}

function ages(room) {
  if (room.sample_age === null) return "no samples";
  const seconds = (value) => `${value.toFixed(1)} s`;
  return `median ${seconds(room.median_sample_age)}, oldest ${seconds(room.sample_age)}`;
}

function since(room) {
  return `since ${new Date(room.since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
}

const percent = (share) => `${Math.round(100 * share)} %`;
