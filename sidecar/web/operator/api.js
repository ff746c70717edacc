/** The API of `sidecar serve`, with the cookie of this page. */

/** An answer that is not a success; `message` says what and what to do. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The JSON of an answer; null where it has none. Throws `ApiError`. */
export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "The server does not answer.");
  }
  const text = await answer.text();
  const json = (answer.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) {
    const what = json?.detail ?? json?.title ?? answer.statusText;
    throw new ApiError(answer.status, json?.do ? `${what}. To do: ${json.do}.` : what);
  }
  return json;
}
