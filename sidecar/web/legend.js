// The cards that show each pose, what it leads to, and the sticker it plays; by groups, with search.

import { matches } from "./search.js";

const KINDS = { sticker: "sticker", event: "event only", off: "off" };

export class Legend {
  #cards = new Map();
  #groups = [];
  #found;

  /** Fills `place` with `legend`, and shows what the `search` field asks for; `found` says how many. */
  constructor(place, search, found, legend) {
    this.#found = found;
    for (const [title, entries] of grouped(legend)) this.#add(place, title, entries);
    search.addEventListener("input", () => this.#show(search.value));
    search.closest("label").hidden = legend.length === 0;
    this.#show(search.value);
  }

  /** Marks the cards of `labels`, which are held at this moment. */
  mark(labels) {
    const held = new Set(labels);
    for (const [label, { card }] of this.#cards) card.classList.toggle("held", held.has(label));
  }

  #add(place, title, entries) {
    const section = document.createElement("section");
    const heading = document.createElement("h3");
    const count = document.createElement("small");
    heading.className = "group-title";
    heading.append(title, count);
    const list = document.createElement("ul");
    list.className = "poses";
    for (const entry of entries) {
      const card = cardOf(entry);
      list.append(card);
      this.#cards.set(entry.label, { card, entry });
    }
    section.append(heading, list);
    place.append(section);
    this.#groups.push({ section, count, labels: entries.map((entry) => entry.label) });
  }

  #show(words) {
    for (const { card, entry } of this.#cards.values()) {
      card.hidden = !matches(words, [entry.title, entry.label, entry.how, entry.group]);
    }
    let all = 0;
    for (const { section, count, labels } of this.#groups) {
      const shown = labels.filter((label) => !this.#cards.get(label).card.hidden).length;
      section.hidden = shown === 0;
      count.textContent = String(shown);
      all += shown;
    }
    const none = "No pose is found by these words. Try a part of the body, such as thumb or mouth.";
    const some = `${all} of ${this.#cards.size} poses`;
    this.#found.textContent = !words.trim() ? "" : all ? some : none;
  }
}

/** Entries by the title of their group, in the order in which they come. */
function grouped(legend) {
  const groups = new Map();
  for (const entry of legend) {
    if (!groups.has(entry.group)) groups.set(entry.group, []);
    groups.get(entry.group).push(entry);
  }
  return groups;
}

function cardOf(entry) {
  const card = document.createElement("li");
  card.className = "pose";
  card.dataset.kind = entry.kind;
  const picture = document.createElement("div");
  picture.className = "pose-picture";
  if (entry.pose) picture.append(image(entry.pose, `How to pose: ${entry.how}`, 288, 288));
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.dataset.kind = entry.kind;
  badge.textContent = KINDS[entry.kind] ?? entry.kind;
  picture.append(badge);
  if (entry.sticker) {
    const sticker = image(entry.sticker, "", 60, 60);
    sticker.className = "sticker";
    picture.append(sticker);
  }
  const title = document.createElement("h4");
  title.textContent = entry.title;
  const how = document.createElement("p");
  how.textContent = entry.how;
  card.append(picture, title, how);
  return card;
}

function image(src, alt, width, height) {
  const picture = document.createElement("img");
  Object.assign(picture, { src, alt, width, height, loading: "lazy", decoding: "async" });
  return picture;
}
