// Retries with growing, random pauses, so that not all pages reach a restarted server at once.

const FIRST = 500;
const LONGEST = 10_000;

/**
 * Keeps something going: `attempt` starts it and rejects when that fails; `lost` starts again.
 * `onwait` gets the seconds until the next attempt.
 */
export class Retry {
  #attempt;
  #onwait;
  #delay = FIRST;
  #timer;
  #stopped = false;

  constructor(attempt, onwait) {
    this.#attempt = attempt;
    this.#onwait = onwait;
  }

  async run() {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    try {
      await this.#attempt();
      this.#delay = FIRST;
    } catch (error) {
      this.#again(error);
    }
  }

  /** What ran is over, unasked. */
  lost() {
    this.#again(null);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #again(error) {
    if (this.#stopped) return;
    const wait = Math.max(this.#delay * (0.7 + 0.6 * Math.random()), error?.retryAfter ?? 0);
    this.#delay = Math.min(this.#delay * 2, LONGEST);
    this.#onwait(wait / 1000, error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.run(), wait);
  }
}
