// Resumable uploads after tus 1.0.0: one goes on where it stopped when the connection comes back.

import { address } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { gettext } from "gridmap/language.js";

const PIECE = 4 << 20;
const AT_ONCE = 2;
const WAITS = [1, 2, 5, 10, 20, 30];
const waiting = [];
let running = 0;

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    waiting.shift()().finally(() => { running -= 1; next(); });
  }
}

const encoded = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

// crypto.randomUUID is missing where a test installation is opened without HTTPS.
export function newUid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// States: waiting, sending, offline (tries again by itself), checking, done, refused, ended. Tells of each by "change".
export class Upload extends EventTarget {
  constructor(file, said = {}) {
    super();
    this.file = file;
    this.uid = newUid();
    this.said = { ...said, uid: this.uid, filename: file.name ?? "" };
    this.state = "waiting";
    this.sent = 0;
    this.reason = "";
  }

  get settled() {
    return ["done", "refused", "ended"].includes(this.state);
  }

  start() {
    this.set("waiting");
    this.result = new Promise((resolve) => {
      waiting.push(() => this.run().then(resolve));
      next();
    });
    return this.result;
  }

  end() {
    const unfinished = !this.settled;
    this.set("ended");
    this.request?.abort();
    this.wake?.();
    if (unfinished) this.ask("DELETE", this.place).catch(() => {});
  }

  set(state, reason = "") {
    if (this.state === "ended") return;
    this.state = state;
    this.reason = reason;
    this.dispatchEvent(new Event("change"));
  }

  get place() {
    return address(`uploads/${this.uid}`);
  }

  async run() {
    for (let failed = 0; !this.settled;) {
      try {
        this.set("sending");
        const before = this.sent;
        await this.send();
        if (this.sent > before) failed = 0;
      } catch (error) {
        if (this.state === "ended") break;
        if (error.final) this.set("refused", error.message);
        else {
          this.set("offline", error.message);
          await this.pause(WAITS[Math.min(failed, WAITS.length - 1)]);
          failed += 1;
        }
      }
    }
    return this;
  }

  // One round: learn how far it is, and send from there to the end.
  async send() {
    const begun = await this.ask("POST", address("uploads"), {
      "Upload-Length": String(this.file.size),
      "Upload-Metadata": Object.entries(this.said).filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([name, value]) => `${name} ${encoded(String(value))}`).join(","),
    });
    this.report(Number(begun.header("Upload-Offset") ?? 0));
    do {
      const piece = this.file.slice(this.sent, this.sent + PIECE);
      if (this.sent + piece.size >= this.file.size) this.last = true;
      const answer = await this.ask("PATCH", this.place, { "Upload-Offset": String(this.sent), "Content-Type": "application/offset+octet-stream" }, piece);
      this.report(Number(answer.header("Upload-Offset")));
    } while (this.sent < this.file.size);
    this.set("done");
  }

  report(sent) {
    this.sent = sent;
    this.shown = sent;
    this.dispatchEvent(new Event("change"));
  }

  pause(seconds) {
    return new Promise((resolve) => {
      const go = () => { clearTimeout(timer); removeEventListener("online", go); this.wake = undefined; resolve(); };
      const timer = setTimeout(go, seconds * 1000);
      addEventListener("online", go);
      this.wake = go;
    });
  }

  ask(method, url, headers = {}, body = null) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      const all = { Accept: "application/json", "Tus-Resumable": "1.0.0", "X-CSRFToken": begin.csrf, ...headers };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      const base = this.sent;
      request.upload.onprogress = ({ loaded }) => {
        if (!body) return;
        this.shown = base + loaded;
        if (this.shown >= this.file.size && this.state === "sending") this.set("checking");
        else this.dispatchEvent(new Event("change"));
      };
      const lost = () => reject(new Error(gettext("No connection; it goes on by itself.")));
      request.onerror = lost;
      request.ontimeout = lost;
      request.onabort = lost;
      request.onload = () => {
        const { status } = request;
        if (status >= 200 && status < 300) {
          resolve({ header: (name) => request.getResponseHeader(name) });
          return;
        }
        let said = "";
        try { said = JSON.parse(request.responseText).detail; } catch { /* not every proxy answers in JSON */ }
        const error = new Error(said || gettext("The server did not answer as expected ({status}).", { status }));
        // What another try may mend: a conflict of two requests, a busy or restarting server.
        error.final = status >= 400 && status < 500 && ![408, 409, 423, 425, 429].includes(status);
        reject(error);
      };
      request.send(body);
    });
  }
}
