// WHIP and WHEP sessions: one offer, one answer, a heartbeat, and a DELETE at the end.

const HEARTBEAT = 3000;
const GATHERING = 1500;
const LOST = 4000;

/** A refusal by the server: `status`, its reason as the message, and `retryAfter` in ms. */
export class Refused extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  static async from(response) {
    const seconds = Number(response.headers.get("Retry-After"));
    let reason = `The server answered ${response.status}.`;
    try {
      const body = await response.json();
      reason = body.do ? `${body.detail}: ${body.do}` : body.detail;
    } catch {
      // Not our server's words: the status has to do.
    }
    return new Refused(response.status, reason, seconds > 0 ? seconds * 1000 : null);
  }
}

/** One session at a WHIP or WHEP endpoint; `onlost` is called once when it is over unasked. */
export class Session {
  #peer;
  #beat;
  #patience;
  #over = false;

  constructor(endpoint, onlost) {
    this.endpoint = endpoint;
    this.url = null;
    this.participant = null;
    this.onlost = onlost;
  }

  /** Publish `track`. */
  async publish(track) {
    await this.#open();
    track.contentHint = "motion";
    this.#peer.addTransceiver(track, { direction: "sendonly" });
    await this.#negotiate(startFast);
  }

  /** Watch; resolves to the stream that will carry the composite. */
  async watch() {
    await this.#open();
    const { receiver } = this.#peer.addTransceiver("video", { direction: "recvonly" });
    await this.#negotiate((sdp) => sdp);
    return new MediaStream([receiver.track]);
  }

  /** Send `track` in place of the one published so far. */
  async replace(track) {
    track.contentHint = "motion";
    await this.#peer.getSenders()[0].replaceTrack(track);
  }

  /** Ask the server not to look at this camera (or to look again). */
  async optOut(out) {
    const response = await fetch(`${this.url}/consent`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ opted_out: out }),
    });
    if (!response.ok) throw await Refused.from(response);
  }

  /** See at once whether the server still knows us. */
  check() {
    if (!this.#over && this.url) this.#heartbeat();
  }

  /** End the session, at the server too; works while the page goes away. */
  close() {
    if (this.url) fetch(this.url, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#free();
  }

  async #open() {
    const response = await fetch(this.endpoint, { method: "OPTIONS" });
    const iceServers = response.ok ? iceServersOf(response.headers.get("Link") ?? "") : [];
    this.#peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
    this.#peer.addEventListener("connectionstatechange", () => this.#watchState());
  }

  async #negotiate(edit) {
    try {
      await this.#peer.setLocalDescription();
      await gathered(this.#peer);
      const response = await fetch(this.endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/sdp" },
        body: this.#peer.localDescription.sdp,
      });
      if (response.status !== 201) throw await Refused.from(response);
      this.url = new URL(response.headers.get("Location"), response.url).href;
      this.participant = response.headers.get("Sidecar-Participant");
      const sdp = edit(await response.text());
      if (this.#over) return this.close();
      await this.#peer.setRemoteDescription({ type: "answer", sdp });
      this.#beat = setInterval(() => this.#heartbeat(), HEARTBEAT);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #heartbeat() {
    try {
      const response = await fetch(`${this.url}/heartbeat`, {
        method: "POST",
        signal: AbortSignal.timeout(HEARTBEAT),
      });
      if (response.status === 404) this.#lose();
    } catch {
      // No server to be reached: once is a hiccup, a dead connection shows in its state.
      if (this.#peer.connectionState !== "connected") this.#lose();
      else this.#soonLost();
    }
  }

  #watchState() {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const state = this.#peer.connectionState;
    if (state === "failed" || state === "closed") this.#lose();
    else if (state === "disconnected") this.#soonLost();
  }

  /** Give up unless something shows within a while that all is well. */
  #soonLost() {
    this.#patience ??= setTimeout(async () => {
      this.#patience = undefined;
      const answer = await fetch(`${this.url}/heartbeat`, { method: "POST" }).catch(() => null);
      if (answer?.status !== 204 || this.#peer.connectionState !== "connected") this.#lose();
    }, LOST);
  }

  #lose() {
    if (this.#over) return;
    this.#free();
    this.onlost?.();
  }

  #free() {
    this.#over = true;
    clearInterval(this.#beat);
    clearTimeout(this.#patience);
    this.#peer?.close();
  }
}

/** The ICE servers in a `Link` header (RFC 9725 §4.6), as a peer connection wants them. */
export function iceServersOf(link) {
  const servers = [];
  for (const [, url, fields] of link.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
    const server = { urls: url };
    let rel = "";
    for (const [, name, text] of fields.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)) {
      const value = text.replace(/\\(.)/g, "$1");
      if (name === "rel") rel = value;
      else if (name === "username" || name === "credential") server[name] = value;
    }
    // Browsers refuse to make a connection at all with a TURN server that lacks a password.
    const usable = !/^turns?:/.test(url) || "credential" in server;
    if (rel === "ice-server" && usable) servers.push(server);
  }
  return servers;
}

/** Wait until the offer has its candidates, or for long enough that the rest can't matter. */
function gathered(peer) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Begin at the bitrate that 640x360 needs: Chromium would take a minute to climb there. */
function startFast(answer) {
  const vp8 = answer.match(/^a=rtpmap:(\d+) VP8\/90000\r?$/m);
  if (!vp8) return answer;
  const hint = `a=fmtp:${vp8[1]} x-google-start-bitrate=800;x-google-max-bitrate=1500`;
  return answer.replace(vp8[0], `${vp8[0].trimEnd()}\r\n${hint}\r`);
}
