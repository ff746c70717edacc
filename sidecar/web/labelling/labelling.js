/** The labelling page: pictures, boxes and labels, by keyboard and pointer. */
import { byId, counted, element, notify } from "../operator/element.js";
import { BoxPanel } from "./box_panel.js";
import { Edits } from "./edits.js";
import { clamp, isSame, moved, resized } from "./geometry.js";
import { LabelStore } from "./label_store.js";
import { labelsOf, PictureList } from "./picture_list.js";
import { PictureView } from "./picture_view.js";

const PRELOADED = 3;
const ZOOM = 1.3;

const store = new LabelStore({ onChange: changed, onSaved: status, onConflict: conflict });
const edits = new Edits();
const images = new Map();
const list = new PictureList(byId("pictures"), open);
const view = new PictureView(byId("stage"), { draw: drawn, select, change: changeBox });
const panel = new BoxPanel({ select, label: relabel, remove, unlabel, accept: (box) => accept([box]) });
let shown = [];
let current = null;
let selected = -1;
/** A box that has been drawn and has no label yet. */
let pending = null;

function status(state, text) {
  byId("status").dataset.state = state;
  byId("status").textContent = text;
}

async function start() {
  try {
    await store.open();
  } catch (error) {
    status("waiting", "not loaded");
    return notify(byId("notice"), error.message);
  }
  byId("title").textContent = store.name;
  document.title = `${store.name} · Labels`;
  byId("state").querySelector('[value="doubted"]').disabled = !store.looks;
  byId("proposals").hidden = !store.looks;
  status("live", "saved");
  fillLabels();
  offerLabels();
  const wanted = location.hash.slice(1);
  filter(store.pictures.some((picture) => picture.file === wanted) ? wanted : null);
}

/* Pictures: filter, open, next, previous. */

function fillLabels() {
  const choice = byId("with-label");
  const { value } = choice;
  const used = [...new Set(store.pictures.flatMap(labelsOf))].sort();
  choice.replaceChildren(
    new Option("All labels", ""),
    ...used.map((label) => new Option(label, label)),
  );
  if (used.includes(value)) choice.value = value;
}

/** Offers all labels where one is typed. */
function offerLabels() {
  const offered = byId("labels");
  if (offered.childElementCount === store.labels.length) return;
  offered.replaceChildren(...store.labels.map((label) => element("option", { value: label })));
}

function matches(picture) {
  const label = byId("with-label").value;
  const name = byId("find").value.trim().toLowerCase();
  const state = byId("state").value;
  if (label && !labelsOf(picture).includes(label)) return false;
  if (name && !picture.name.toLowerCase().includes(name)) return false;
  if (state === "doubted") return picture.doubts.length > 0;
  if (state === "unlabelled") return labelsOf(picture).length === 0;
  if (state === "labelled") return labelsOf(picture).length > 0;
  return true;
}

/** Lists the pictures that match, and opens `file` or the first one unless `stay`. */
function filter(file = current?.file ?? null, stay = false) {
  shown = store.pictures.filter(matches);
  list.show(shown, current?.file ?? file);
  byId("count").textContent =
    shown.length === store.pictures.length
      ? counted(shown.length, "picture")
      : `${shown.length} of ${counted(store.pictures.length, "picture")}`;
  const listed = shown.find((picture) => picture.file === file) ?? shown[0];
  if (!stay && listed !== undefined && listed !== current) return open(listed.file);
  place();
}

function place() {
  if (current === null) return;
  byId("place").textContent = `${shown.indexOf(current) + 1 || "–"} / ${shown.length}`;
  list.choose(current.file);
}

async function open(file) {
  store.flush();
  const picture = store.picture(file);
  current = picture;
  selected = -1;
  pending = null;
  view.draw(false);
  pressed("draw", false);
  history.replaceState(null, "", `#${file}`);
  place();
  byId("picture-name").textContent = `${picture.name}, ${picture.width} × ${picture.height}`;
  notify(byId("notice"), "");
  redraw();
  ask(file);
  try {
    const image = await loaded(file);
    if (current !== picture) return;
    view.open(image, picture);
    redraw();
    preload();
  } catch {
    if (current === picture) notify(byId("notice"), `${picture.name} can't be shown. To do: check its file.`);
  }
}

/** The image of a picture, decoded; the last few are kept. */
function loaded(file) {
  let image = images.get(file);
  if (image === undefined) {
    image = new Image();
    image.alt = "";
    image.draggable = false;
    image.src = `/labelling/views/${file}`;
    images.set(file, image);
    while (images.size > 2 * PRELOADED) images.delete(images.keys().next().value);
  }
  return image.decode().then(() => image, (error) => {
    images.delete(file);
    throw error;
  });
}

/** Fetches what comes next, so that it is there at once. */
function preload() {
  const around = [beside(1), beside(-1)];
  for (const picture of around) {
    if (picture === undefined) continue;
    loaded(picture.file).catch(() => {});
    if (picture === around[0]) ask(picture.file);
  }
}

const ask = (file) => store.detail(file).catch(() => {});

/** The next picture in the list (1), or the one before (-1); also where the current one is not in it. */
function beside(step) {
  if (current === null) return shown[0];
  const ordered = step > 0 ? shown : [...shown].reverse();
  return ordered.find((picture) => step * (picture.order - current.order) > 0);
}

function go(step) {
  const next = beside(step);
  if (next !== undefined) open(next.file);
  else notify(byId("notice"), step > 0 ? "This is the last picture." : "This is the first picture.");
}

/* Labels: every change is a state that can be undone. */

const state = () => edits.of(current).state;

function push(boxes, labels) {
  edits.of(current).push({ boxes, labels });
  store.change(current.file, boxes, labels);
}

function undo(step) {
  if (current === null || !edits.of(current).go(step)) return;
  const { boxes, labels } = state();
  selected = clamp(selected, -1, boxes.length - 1);
  store.change(current.file, boxes, labels);
}

const label = () => byId("label").value.trim();

function drawn(box) {
  view.draw(false);
  pressed("draw", false);
  add({ ...box, label: label() });
}

function add(box) {
  if (box === null) return;
  const { boxes, labels } = state();
  selected = boxes.length;
  if (box.label) return push([...boxes, box], labels);
  // A box without a label is no label yet: it is asked for first.
  pending = box;
  redraw();
  panel.focus(selected);
}

function relabel(index, text) {
  const { boxes, labels } = state();
  if (pending !== null && index === boxes.length) {
    const box = { ...pending, label: text };
    pending = null;
    if (!text) return select(-1);
    byId("label").value = text;
    return push([...boxes, box], labels);
  }
  if (!text || boxes[index].label === text) return redraw();
  byId("label").value = text;
  push(boxes.with(index, { ...boxes[index], label: text }), labels);
}

function changeBox(index, changed, ended) {
  const box = { label: changed.label, ...plain(changed) };
  if (pending !== null && index === state().boxes.length) {
    pending = box;
    return redraw();
  }
  const { boxes, labels } = state();
  if (ended) push(boxes.with(index, box), labels);
  else view.show(marked(boxes.with(index, box)), selected, []);
}

function remove(index) {
  const { boxes, labels } = state();
  selected = -1;
  if (pending !== null && index === boxes.length) {
    pending = null;
    return redraw();
  }
  push(boxes.toSpliced(index, 1), labels);
}

function unlabel(text) {
  const { boxes, labels } = state();
  push(boxes, labels.filter((one) => one !== text));
}

function labelWhole() {
  const { boxes, labels } = state();
  if (!label()) return byId("label").focus();
  if (!labels.includes(label())) push(boxes, [...labels, label()]);
}

/** Takes proposals as boxes; those without a label get the one that new boxes get. */
function accept(proposed) {
  const named = proposed.map((box) => ({ ...plain(box), label: box.label || label() }));
  const unnamed = named.find((box) => !box.label);
  if (unnamed) {
    notify(byId("notice"), "The model found no label for it. To do: write one for new boxes first.");
    return byId("label").focus();
  }
  const { boxes, labels } = state();
  selected = boxes.length;
  push([...boxes, ...named], labels);
}

const plain = ({ left, top, right, bottom }) => ({ left, top, right, bottom });

function select(index) {
  if (index === selected) return;
  selected = index;
  if (pending !== null && index !== state().boxes.length) pending = null;
  redraw();
}

/* What is shown. */

function changed(file) {
  list.refresh(file);
  offerLabels();
  if (current?.file === file) {
    ask(file);
    redraw();
  }
  const now = store.pictures.filter(matches);
  byId("doubted").textContent = counted(store.pictures.filter((one) => one.doubts.length > 0).length, "picture");
  // News of the model fills the list of doubted pictures; nothing vanishes under the pointer.
  if (byId("state").value === "doubted" && now.length > shown.length) filter(null, true);
}

/** Boxes as they are drawn, doubted ones marked. */
function marked(boxes) {
  return boxes.map((box, index) => ({
    ...box,
    doubted: current.doubts.some((one) => one.index === index && one.label === box.label),
  }));
}

/** What the model proposes and no box shows. */
function proposals(boxes) {
  const proposed = store.proposed(current.file) ?? [];
  return proposed.filter((box) => !boxes.some((other) => isSame(box, other)));
}

function redraw() {
  if (current === null) return;
  const { boxes, labels } = state();
  const all = pending === null ? boxes : [...boxes, { ...pending, label: "" }];
  const proposed = proposals(all);
  view.show(marked(all), selected, byId("show-proposed").checked ? proposed : []);
  panel.show({
    boxes: all,
    labels,
    selected,
    doubts: current.doubts,
    proposed,
    waiting: store.looks && store.proposed(current.file) === null,
  });
  byId("undo").disabled = edits.of(current).at === 0;
  byId("redo").disabled = edits.of(current).at + 1 >= edits.of(current).states.length;
}

function conflict(file) {
  edits.forget(file);
  const picture = store.picture(file);
  notify(byId("notice"), `Another page has changed the labels of ${picture.name}; yours were not kept.`);
  if (current !== picture) return;
  selected = -1;
  pending = null;
  redraw();
}

function pressed(id, on) {
  byId(id).setAttribute("aria-pressed", String(on));
}

function toggleDraw(on = !view.drawing) {
  view.draw(on);
  pressed("draw", on);
  if (on) byId("stage").focus({ preventScroll: true });
}

/* Keys. */

function nudge(event, dx, dy) {
  const { boxes } = state();
  const all = pending === null ? boxes : [...boxes, pending];
  const box = all[selected];
  const far = event.shiftKey ? 10 : 1;
  if (box === undefined) return view.panBy(-40 * dx, -40 * dy);
  const corner = { x: box.right + dx * far, y: box.bottom + dy * far };
  const next = event.altKey ? resized(box, "right bottom", corner, current) : moved(box, dx * far, dy * far, current);
  changeBox(selected, next, true);
}

function choose(number) {
  const text = store.labels[number - 1];
  if (text === undefined) return;
  byId("label").value = text;
  const { boxes } = state();
  if (selected >= 0 && selected <= boxes.length) relabel(selected, text);
}

function cycle(step) {
  const { boxes } = state();
  if (boxes.length > 0) select((selected + step + boxes.length + (selected < 0 && step < 0 ? 1 : 0)) % boxes.length);
}

function escape() {
  view.cancel();
  toggleDraw(false);
  select(-1);
}

const KEYS = {
  w: () => toggleDraw(),
  d: () => go(1),
  a: () => go(-1),
  e: () => panel.focus(selected),
  l: () => byId("label").select(),
  p: () => accept(proposals(state().boxes)),
  n: () => cycle(1),
  b: () => cycle(-1),
  "+": () => view.zoomBy(ZOOM),
  "=": () => view.zoomBy(ZOOM),
  "-": () => view.zoomBy(1 / ZOOM),
  0: () => view.fit(),
  Delete: () => selected >= 0 && remove(selected),
  Backspace: () => selected >= 0 && remove(selected),
  Escape: escape,
  "?": () => byId("help").showModal(),
  ArrowLeft: (event) => nudge(event, -1, 0),
  ArrowRight: (event) => nudge(event, 1, 0),
  ArrowUp: (event) => nudge(event, 0, -1),
  ArrowDown: (event) => nudge(event, 0, 1),
};

const CONTROL = {
  s: () => store.flush(),
  z: (event) => undo(event.shiftKey ? 1 : -1),
  y: () => undo(1),
};

function onKey(event) {
  if (byId("help").open || current === null) return;
  const writing = event.target.matches("input:not([type=checkbox]), select, textarea");
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (writing && name !== "s") return;
    return act(CONTROL[name], event);
  }
  // Alt and a letter is the browser's; with an arrow it changes a box's size.
  if (event.altKey && !name.startsWith("Arrow")) return;
  if (writing) {
    if (event.key === "Enter" || event.key === "Escape") byId("stage").focus({ preventScroll: true });
    return;
  }
  if (event.key === "Enter" && view.drawing) return act(() => drawn(view.middleBox("")), event);
  if (/^[1-9]$/.test(event.key)) return act(() => choose(Number(event.key)), event);
  if (name.startsWith("Arrow") && event.target !== document.body && !event.target.closest("#stage")) return;
  if (name === "Backspace" && event.target.closest("button")) return;
  act(KEYS[name], event);
}

function act(action, event) {
  if (action === undefined) return;
  event.preventDefault();
  action(event);
}

document.addEventListener("keydown", onKey);
for (const id of ["with-label", "state"]) byId(id).addEventListener("change", () => filter());
byId("find").addEventListener("input", () => filter());
byId("with-label").addEventListener("focus", fillLabels);
byId("show-proposed").addEventListener("change", redraw);
const CLICKS = {
  previous: () => go(-1), next: () => go(1), draw: () => toggleDraw(), undo: () => undo(-1), redo: () => undo(1),
  fit: () => view.fit(), "zoom-in": () => view.zoomBy(ZOOM), "zoom-out": () => view.zoomBy(1 / ZOOM),
  "label-whole": labelWhole, "accept-all": KEYS.p, keys: KEYS["?"],
};
for (const [id, action] of Object.entries(CLICKS)) byId(id).addEventListener("click", action);
byId("label").addEventListener("change", () => byId("label").blur());
addEventListener("pagehide", () => store.flush());
addEventListener("beforeunload", (event) => {
  if (store.unsaved) event.preventDefault();
});
addEventListener("visibilitychange", () => document.hidden && store.flush());
start();
