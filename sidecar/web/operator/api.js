/** The API of `sidecar serve`, with the cookie of this page. */

/** An answer that is not a success; `message` says what and what to do, `detail` what alone. */
export class ApiError extends Error {
  constructor(status, message, detail = message) {
    super(message);
    this.status = status;
    this.detail = detail;
  }
}

/** The JSON of an answer; null where it has none. A blob is sent as what it is. Throws `ApiError`. */
export function call(method, path, body) {
  if (body === undefined) return request(path, { method });
  if (body instanceof Blob) return request(path, { method, headers: { "Content-Type": body.type }, body });
  const headers = { "Content-Type": "application/json" };
  return request(path, { method, headers, body: JSON.stringify(body) });
}

/** Sends a file as the body of a PUT. Throws `ApiError`. */
export function upload(path, file) {
  const headers = { "Content-Type": "application/octet-stream" };
  return request(path, { method: "PUT", headers, body: file });
}

async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new ApiError(0, "The server does not answer.");
  }
  const text = await answer.text();
  const json = (answer.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) {
    const what = json?.detail ?? json?.title ?? answer.statusText;
    throw new ApiError(answer.status, json?.do ? `${what}. To do: ${json.do}.` : what, what);
  }
  return json;
}
