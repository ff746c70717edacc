// The list of what happened, newest first, in words.

const KEPT = 40;

export class Log {
  #list;
  #hint;
  #titles;
  #known = new Set();

  /** `legend` gives the labels' titles and stickers. */
  constructor(list, hint, legend) {
    this.#list = list;
    this.#hint = hint;
    this.#titles = new Map(legend.map((entry) => [entry.label, entry]));
  }

  /** Add a line for `event` if it is worth one; `own` marks the reader's own. */
  add(event, own) {
    const words = this.#words(event, own);
    if (!words) return;
    this.#hint.hidden = true;
    const line = document.createElement("li");
    line.classList.toggle("own", own);
    line.classList.toggle("minor", this.#titles.get(event.label)?.kind === "event");
    const time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString([], {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hour12: false,
    });
    const who = document.createElement("b");
    who.textContent = own ? "You" : (event.name ?? `${event.participants.length} people`);
    line.append(time, who, ` ${words}`);
    const sticker = event.event === "reaction.started" && this.#titles.get(event.label)?.sticker;
    if (sticker) {
      const picture = document.createElement("img");
      Object.assign(picture, { src: sticker, alt: "", width: 24, height: 24 });
      line.append(picture);
    }
    this.#list.prepend(line);
    while (this.#list.children.length > KEPT) this.#list.lastElementChild.remove();
  }

  #words(event, own) {
    switch (event.event) {
      case "participant.joined": {
        // A new stream begins with all who are present: one's own joining may be among them only.
        const news = !this.#known.has(event.participant) && (own || !event.present);
        this.#known.add(event.participant);
        return news ? "joined" : null;
      }
      case "participant.left":
        this.#known.delete(event.participant);
        return event.reason === "left" ? "left" : `left (${event.reason})`;
      case "reaction.started":
      case "reaction.crowd":
        return this.#titles.get(event.label)?.title ?? event.label;
      default:
        return null;
    }
  }
}
