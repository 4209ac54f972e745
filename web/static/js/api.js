// Requests to /api/v1; a newer request of one kind ends the older one.

import { begin } from "gridmap/begin.js";
import { gettext } from "gridmap/language.js";
import { toast } from "gridmap/toast.js";
import { byId } from "gridmap/dom.js";

export const BASE = new URL(begin.api ?? "/api/v1/", begin.origin ?? document.baseURI).href;
const running = new Map();
let busy = 0;

export class ApiError extends Error {
  constructor(status, answer) {
    super(answer?.detail || gettext("The server did not answer as expected ({status}).", { status }));
    this.status = status;
    this.errors = answer?.errors ?? [];
    this.changes = answer?.changes ?? [];
  }
}

export const address = (path, parameters) => {
  const query = parameters ? new URLSearchParams(parameters).toString() : "";
  return BASE + path + (query ? `?${query}` : "");
};

async function send(url, options) {
  let answer;
  busy += 1;
  byId("busy").hidden = false;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(gettext("The server cannot be reached. Check the connection and try again."));
  } finally {
    busy -= 1;
    byId("busy").hidden = busy === 0;
  }
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, body);
  return body;
}

// The answer; whatever goes wrong is thrown.
export const ask = (path, parameters) => send(address(path, parameters));

// The answer, or undefined when a newer request of the same kind took its place or the error was shown.
export async function get(kind, path, parameters) {
  running.get(kind)?.abort();
  const controller = new AbortController();
  running.set(kind, controller);
  try {
    return await send(address(path, parameters), { signal: controller.signal });
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, { kind: "error" });
    return undefined;
  } finally {
    if (running.get(kind) === controller) running.delete(kind);
  }
}

function write(method, path, body, headers) {
  return send(address(path), {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": begin.csrf, ...headers },
    body: JSON.stringify(body),
  });
}

export const post = (path, body, headers = {}) => write("POST", path, body, headers);
export const patch = (path, body, headers = {}) => write("PATCH", path, body, headers);
