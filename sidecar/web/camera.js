// The user's camera: which there are, how to open one, and what to say when that fails.

const WANTED = {
  width: { ideal: 640, max: 1280 },
  height: { ideal: 360, max: 720 },
  frameRate: { ideal: 30, max: 30 },
};

/** Why there can be no camera on this page at all, or null. */
export function obstacle() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  if (!window.isSecureContext) {
    return (
      `Browsers give the camera only to https:// pages and to this machine itself. ` +
      `Open the room as https://, or as http://localhost on the machine that runs it. ` +
      `Watching works here as it is.`
    );
  }
  return "This browser has no camera support. Watching works all the same.";
}

/** Open the camera `device` (any, if empty); resolves to its video track at 640x360. */
export async function open(device) {
  const video = device ? { ...WANTED, deviceId: { exact: device } } : WANTED;
  const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  const [track] = stream.getVideoTracks();
  try {
    // Only now: as a first request, an exact size makes some cameras refuse.
    await track.applyConstraints({ width: 640, height: 360, frameRate: 30 });
  } catch {
    // A camera that can't: the room takes any size.
  }
  return track;
}

/** The cameras there are, as `{id, label}`; nameless until the user has allowed one. */
export async function list() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
}

/** What to tell the user about an error of `open`; `again` is what to do once it is mended. */
export function explain(error, again = "join again") {
  switch (error.name) {
    case "NotAllowedError":
      return (
        "The camera is blocked. Allow it for this page (the camera sign in the address bar), " +
        `then ${again}.`
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return `No camera was found. Plug one in or choose another, then ${again}.`;
    case "NotReadableError":
    case "AbortError":
      return "The camera is in use by another program, or doesn't answer. Close that and try again.";
    default:
      return `The camera can't be opened: ${error.message || error.name}.`;
  }
}
