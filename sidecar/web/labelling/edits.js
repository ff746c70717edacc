/** Undo and redo, picture by picture: what was labelled stays undoable while the page is open. */

const MOST = 200;

/** The states of one picture's labels; each is `{boxes, labels}` and never changed. */
class History {
  constructor(state) {
    this.states = [state];
    this.at = 0;
  }

  get state() {
    return this.states[this.at];
  }

  push(state) {
    this.states.splice(this.at + 1);
    this.states.push(state);
    if (this.states.length > MOST) this.states.shift();
    this.at = this.states.length - 1;
  }

  /** Goes back by one state (-1) or on (1); false where there is none. */
  go(step) {
    const next = this.at + step;
    if (next < 0 || next >= this.states.length) return false;
    this.at = next;
    return true;
  }
}

/** The histories of all pictures that were edited. */
export class Edits {
  #histories = new Map();

  /** That of a picture; it begins with the labels that the server has. */
  of(picture) {
    let history = this.#histories.get(picture.file);
    if (history === undefined) {
      history = new History({ boxes: picture.boxes, labels: picture.labels });
      this.#histories.set(picture.file, history);
    }
    return history;
  }

  /** Forgets a picture's history: its labels were changed elsewhere. */
  forget(file) {
    this.#histories.delete(file);
  }
}
