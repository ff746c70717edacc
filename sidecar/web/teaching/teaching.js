/** The teaching page: record the label, record anything else, teach, accept or discard. */
import { explain, obstacle } from "../camera.js";
import { ApiError, call } from "../operator/api.js";
import { byId, element, notify } from "../operator/element.js";
import { FrameList } from "./frame_list.js";
import { Recorder, count } from "./recorder.js";

const COUNT = 3;
/** Frames in which the label must be found, and those of anything else that arms need. */
const FEWEST = { hand: [5, 0], hand_at_face: [5, 0], arms: [5, 10] };

const recorder = new Recorder(byId("video"));
const lists = {
  shown: new FrameList(byId("shown"), byId("shown-count"), remove),
  other: new FrameList(byId("other"), byId("other-count"), remove),
};
let lesson = null;
let frames = { shown: [], other: [] };
let late = { shown: 0, other: 0 };
/** What ends the recording that is under way; null where none is. */
let recording = null;
/** Frames are sent one after another, in their order. */
let sending = Promise.resolve();

async function start() {
  await take(call("GET", "/teaching/lesson"));
  if (lesson === null) return;
  byId("title").textContent = lesson.title;
  document.title = `${lesson.title} · Teach`;
  byId("shown-title").textContent = `Shows ${lesson.title}`;
  const { seconds } = lesson;
  byId("plan").textContent =
    `Hold the pose for ${seconds} seconds, a little differently all the time: nearer, further, turned, with each hand. ` +
    `Then hold anything else for ${seconds} seconds: other poses, drinking, talking, nothing.`;
  const reason = obstacle();
  if (reason) notify(byId("notice"), reason);
  byId("record").disabled = reason !== null;
  follow();
}

/** Takes the newest state from the server; says what went wrong. */
async function take(answer) {
  try {
    lesson = await answer;
    const [shown, other] = [true, false].map((part) => lesson.frames.filter((frame) => frame.shows === part));
    frames = { shown, other };
    show();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    status("waiting", error.status ? "failed" : "the command has ended");
    notify(byId("notice"), error.message);
    return false;
  }
}

/** Asks for each change of the state while something is under way. */
async function follow() {
  while (lesson.phase === "teaching" && (await take(call("GET", `/teaching/lesson?after=${lesson.version}`))));
}

function status(state, text) {
  byId("status").dataset.state = state;
  byId("status").textContent = text;
}

/* What is shown. */

function show() {
  const { phase, view, error } = lesson;
  const free = phase === "recording" && recording === null;
  for (const part of ["shown", "other"]) {
    lists[part].show(frames[part], late[part]);
    byId(`again-${part}`).hidden = !free || !recorder.on || frames[part].length === 0;
  }
  const found = (part) => frames[part].filter((frame) => frame.found).length;
  const [shown, other] = FEWEST[view];
  byId("teach").disabled = !free || late.shown + late.other > 0 || found("shown") < shown || found("other") < other;
  byId("teach").hidden = phase === "accepted";
  byId("record").hidden = !free;
  byId("record").textContent = !recorder.on ? "Turn the camera on" : frames.shown.length > 0 ? "Record all again" : "Record";
  byId("stop").hidden = recording === null;
  byId("taught").hidden = phase !== "teaching";
  byId("taught").value = lesson.share;
  byId("taught-what").textContent = error ? `Nothing was taught: ${error}` : phase === "teaching" ? lesson.what : "";
  status(phase === "teaching" || recording ? "connecting" : "live", said(phase));
  showFigures(lesson.taught);
}

function said(phase) {
  if (recording !== null) return "recording";
  return { recording: "ready", teaching: "teaching", taught: "accept or discard", accepted: "in use" }[phase];
}

function showFigures(taught) {
  byId("figures").hidden = taught === null;
  if (taught === null) return;
  const rows = taught.figures.map((row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", textContent: row.label }),
      ...[row.before, row.after, row.fires].map((text) => element("td", { textContent: text })),
    ),
  );
  byId("rows").replaceChildren(...rows);
  const facts = [
    `Fires on your frames of anything else: ${taught.other_pictures}`,
    `Fires on other people's other hands: ${taught.other_hands}`,
    `Threshold: ${taught.threshold}`,
  ];
  if (taught.outranks.length > 0) facts.push(`These give way to it: ${taught.outranks.join(", ")}`);
  byId("facts").replaceChildren(...facts.map((text) => element("li", { textContent: text })));
  const accepted = lesson.phase === "accepted";
  byId("accept").hidden = byId("discard").hidden = accepted;
  if (accepted) {
    byId("taught-what").textContent =
      `${taught.bundle} is in use; a running demo or server recognises ${lesson.label} within seconds. ` +
      `To undo it: sidecar model rollback. All frames are forgotten; this page can be closed.`;
  }
}

/* Recording. */

async function turnOn() {
  try {
    await recorder.start();
    notify(byId("notice"), "");
    byId("cue").textContent = "Press Record, then hold the pose.";
    show();
  } catch (error) {
    notify(byId("notice"), explain(error, "turn it on again"));
  }
}

/** Records these parts one after another. */
async function record(parts) {
  recording = new AbortController();
  notify(byId("notice"), "");
  show();
  byId("stop").focus();
  try {
    for (const part of parts) await recordPart(part, recording.signal);
    byId("cue").textContent = "Recorded. Look at the frames, then teach.";
  } catch (error) {
    if (!recording.signal.aborted) notify(byId("notice"), error.message);
    byId("cue").textContent = "Stopped.";
  }
  recording = null;
  byId("count").textContent = "";
  byId("time").hidden = true;
  byId("screen").dataset.recording = "false";
  await sending;
  show();
  (byId("teach").disabled ? byId("record") : byId("teach")).focus();
}

async function recordPart(part, signal) {
  const what = part === "shown" ? `Hold ${lesson.title}` : "Hold anything else";
  await sending;
  if (!(await take(call("DELETE", `/teaching/frames?part=${part}`)))) throw new Error("the recording did not begin");
  byId("cue").textContent = `${what} in ${COUNT} seconds.`;
  await count(COUNT, signal, (left) => {
    byId("count").textContent = String(left);
  });
  byId("count").textContent = "";
  byId("cue").textContent = `${what} for ${lesson.seconds} seconds.`;
  byId("time").hidden = false;
  byId("screen").dataset.recording = "true";
  await recorder.record(lesson.seconds, lesson.every, signal, (jpeg, share) => {
    byId("time").value = share;
    send(part, jpeg);
  });
  byId("screen").dataset.recording = "false";
}

function send(part, jpeg) {
  late[part] += 1;
  sending = sending.then(async () => {
    try {
      frames[part].push(await call("POST", `/teaching/frames?part=${part}`, jpeg));
    } catch (error) {
      notify(byId("notice"), error.message);
    }
    late[part] -= 1;
    show();
  });
}

function remove(number) {
  take(call("DELETE", `/teaching/frames/${number}`));
}

async function step(name) {
  notify(byId("notice"), "");
  if (await take(call("POST", `/teaching/${name}`, {}))) await follow();
}

async function teach() {
  await step("teach");
  (lesson.phase === "taught" ? byId("accept") : byId("teach")).focus();
}

async function accept() {
  await step("accept");
  if (lesson.phase !== "accepted") return;
  recorder.stop();
  byId("cue").textContent = "The camera is off.";
  show();
}

byId("record").addEventListener("click", () => (recorder.on ? record(["shown", "other"]) : turnOn()));
byId("stop").addEventListener("click", () => recording?.abort());
byId("again-shown").addEventListener("click", () => record(["shown"]));
byId("again-other").addEventListener("click", () => record(["other"]));
byId("teach").addEventListener("click", teach);
byId("accept").addEventListener("click", accept);
byId("discard").addEventListener("click", () => step("discard"));

start();
