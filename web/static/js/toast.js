// Short messages that do not take the focus.

import { h, byId } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";

export function toast(message, { kind = "info", seconds = kind === "error" ? 12 : 5, action } = {}) {
  const line = h(
    "div",
    { className: `toast ${kind}` },
    h("span", {}, message),
    action ? h("button", { type: "button", className: "quiet act", onclick: () => { line.remove(); action.run(); } }, action.name) : null,
    h("button", { type: "button", className: "quiet", "aria-label": gettext("Dismiss"), onclick: () => line.remove() }, "×"),
  );
  const place = byId("toasts");
  for (const other of place.children) if (other.firstChild.textContent === message) other.remove();
  place.append(line);
  setTimeout(() => line.remove(), seconds * 1000);
}
