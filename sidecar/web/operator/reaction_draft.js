/** A reaction table while it is edited: what is saved, what is changed, what is wrong. Pure. */

/** Keys of a row with their limits; seconds but for threshold and release, which are scores. */
export const NUMBERS = {
  threshold: { text: "Threshold", hint: "above 0 to 1", above: 0, most: 1, step: 0.01 },
  release: { text: "Release", hint: "0 to the threshold", least: 0, most: 1, step: 0.01 },
  hold: { text: "Hold", hint: "0 to 10 s", least: 0, most: 10, step: 0.1 },
  duration: { text: "Duration", hint: "above 0 to 60 s", above: 0, most: 60, step: 0.1 },
  cooldown: { text: "Cooldown", hint: "0 to 600 s", least: 0, most: 600, step: 0.5 },
};
/** Those of the effect that plays once enough people show the label. */
export const CROWD_NUMBERS = {
  crowd_share: { text: "Share of participants", hint: "above 0 to 1", above: 0, most: 1, step: 0.05 },
  crowd_people: { text: "People at least", hint: "2 to 1000", least: 2, most: 1000, step: 1 },
  crowd_cooldown: { text: "Cooldown of the effect", hint: "0 to 3600 s", least: 0, most: 3600, step: 1 },
};
const ALL_NUMBERS = { ...NUMBERS, ...CROWD_NUMBERS };
export const KEYS = ["kind", "sticker", "effect", "outranks", "crowd", ...Object.keys(ALL_NUMBERS)];

export class Draft {
  #saved;
  #base;
  #edits = new Map();

  /** `view` is the table as the API answers it. */
  constructor(view) {
    this.#saved = view.table;
    this.#base = view.base;
  }

  /** A label's row as it would be saved. */
  row(label) {
    return { ...this.#saved[label], ...this.#edits.get(label) };
  }

  /** A label's row without any change by the API. */
  base(label) {
    return this.#base[label];
  }

  /** Whether a label's row differs from the one without changes. */
  differs(label) {
    return KEYS.some((key) => !same(this.row(label)[key], this.#base[label][key]));
  }

  /** Labels with changes that are not saved. */
  get unsaved() {
    return [...this.#edits.keys()];
  }

  set(label, key, value) {
    const edits = { ...this.#edits.get(label), [key]: value };
    if (same(value, this.#saved[label][key])) delete edits[key];
    if (Object.keys(edits).length) this.#edits.set(label, edits);
    else this.#edits.delete(label);
  }

  /** Forgets what is not saved, of one label or of all. */
  undo(label) {
    if (label === undefined) this.#edits.clear();
    else this.#edits.delete(label);
  }

  /** Makes a row what it is without any change by the API; saved with the rest. */
  reset(label) {
    for (const key of KEYS) this.set(label, key, this.#base[label][key]);
  }

  /** What is wrong with a label's row: texts by key. */
  problems(label) {
    const row = this.row(label);
    const found = {};
    for (const [key, limits] of Object.entries(ALL_NUMBERS)) {
      const wrong = outside(row[key], limits);
      if (wrong) found[key] = wrong;
    }
    if (!found.release && !found.threshold && row.release > row.threshold) {
      found.release = `${row.release} exceeds the threshold of ${row.threshold}.`;
    }
    if (!found.crowd_people && !Number.isInteger(row.crowd_people)) found.crowd_people = "Give a whole number.";
    if (row.kind === "sticker" && !row.sticker) {
      found.sticker = "A label of kind sticker needs one: choose it, or make the kind an event.";
    }
    if (row.kind === "sticker" && row.moderated) {
      found.kind = "This label is for moderators alone, and never drawn: choose event or off.";
    }
    return found;
  }

  /** The rows to save: those of `fresh`, the table as it is by now, with the edited labels' in place. */
  rows(fresh) {
    const rows = { ...fresh.rows };
    for (const label of this.unsaved) {
      const row = this.row(label);
      const changed = KEYS.filter((key) => !same(row[key], fresh.base[label][key]));
      // Keys that this page does not know stay as they are.
      const others = Object.entries(rows[label] ?? {}).filter(([key]) => !KEYS.includes(key));
      const values = [...others, ...changed.map((key) => [key, row[key] ?? ""])];
      if (values.length) rows[label] = Object.fromEntries(values);
      else delete rows[label];
    }
    return rows;
  }
}

/** Label and key that a refusal of the API is about; null where it names none. */
export function placeOf(detail) {
  const found = detail.match(/^rows(?:: |\.)([a-z0-9_]+)(?:\.([a-z_]+))?/);
  return found && { label: found[1], key: found[2] ?? null };
}

function outside(value, { above, least, most }) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "Give a number.";
  if (above !== undefined && value <= above) return `Give a number above ${above}.`;
  if (least !== undefined && value < least) return `Give ${least} or more.`;
  return value > most ? `Give ${most} or less.` : null;
}

/** Whether two values of a row are the same; none is null. */
export const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
