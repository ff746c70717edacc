/** The camera: opened once, and recorded as JPEGs, which are sent one after another. */
import { open } from "../camera.js";

const LONGEST = 640;
const QUALITY = 0.85;

/** The seconds of a count, one call each; throws when `signal` is aborted. */
export async function count(seconds, signal, tell) {
  for (let left = seconds; left > 0; left -= 1) {
    tell(left);
    await sleep(1000, signal);
  }
}

/** Waits, unless `signal` is aborted, which throws. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal.removeEventListener("abort", stopped);
      resolve();
    }
    function stopped() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    if (signal.aborted) return stopped();
    signal.addEventListener("abort", stopped, { once: true });
  });
}

/** Shows the camera in `video` and takes frames of it. */
export class Recorder {
  #video;
  #track = null;
  #canvas = document.createElement("canvas");

  constructor(video) {
    this.#video = video;
  }

  get on() {
    return this.#track?.readyState === "live";
  }

  /** Turns the camera on; throws what `getUserMedia` throws. */
  async start() {
    if (this.on) return;
    this.#track = await open("");
    this.#video.srcObject = new MediaStream([this.#track]);
    await this.#video.play();
  }

  stop() {
    this.#track?.stop();
    this.#track = null;
    this.#video.srcObject = null;
  }

  /** A frame each `every` seconds for `seconds`, each given to `take`; throws when aborted. */
  async record(seconds, every, signal, take) {
    const start = performance.now();
    const total = Math.round(seconds / every);
    for (let index = 0; index < total; index += 1) {
      const due = start + index * every * 1000;
      await sleep(Math.max(0, due - performance.now()), signal);
      take(await this.#frame(), (index + 1) / total);
    }
  }

  #frame() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
  }
}
