// The room's server-sent events; with a session's own URL, one's own scores too.

const KINDS = [
  "participant.joined",
  "participant.left",
  "reaction.started",
  "reaction.progress",
  "reaction.ended",
  "reaction.crowd",
  "scores",
];

export class Events {
  #source = null;
  #onevent;
  #onstate;
  #url = null;
  #timer;

  /** `onevent(event)` for each event; `onstate(open)` when the stream opens and breaks. */
  constructor(onevent, onstate) {
    this.#onevent = onevent;
    this.#onstate = onstate;
  }

  /** Listen at `url` from now on, in place of where we listened before. */
  listen(url) {
    this.close();
    this.#url = url;
    this.#source = new EventSource(url);
    this.#source.addEventListener("open", () => this.#onstate(true));
    this.#source.addEventListener("error", () => this.#broken(url));
    for (const kind of KINDS) {
      this.#source.addEventListener(kind, (message) => this.#onevent(JSON.parse(message.data)));
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #broken(url) {
    this.#onstate(false);
    // The browser itself tries again after a broken connection, but not after a refusal.
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => url === this.#url && this.listen(url), 2000);
  }
}
