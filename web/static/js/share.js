// Link, print, export and the language switch: all of them keep the view.

import { begin } from "gridmap/begin.js";
import { byId } from "gridmap/dom.js";
import { gettext, time } from "gridmap/language.js";
import { toast } from "gridmap/toast.js";
import { view } from "gridmap/view.js";

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast(gettext("The link to this view was copied."), { kind: "good" });
  } catch {
    prompt(gettext("Copy this link:"), location.href);
  }
}

// The view as the export takes it: everything in the address, and the place and size of the picture.
function exportAddress(map, format) {
  const { lat, lng } = map.getCenter();
  const size = map.getSize();
  const query = new URLSearchParams(view.search());
  query.set("view", `${map.getZoom()}/${lat.toFixed(6)}/${lng.toFixed(6)}`);
  query.set("size", `${Math.max(size.x, 640)}x${Math.max(size.y, 480)}`);
  return `/export.${format}?${query}`;
}

async function download(map, format, button) {
  button.disabled = true;
  toast(gettext("The export is being made …"), { seconds: 3 });
  try {
    const answer = await fetch(exportAddress(map, format), { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.detail ?? gettext("The export failed ({status}).", { status: answer.status }));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? `gridmap.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 30000);
  } catch (error) {
    toast(error.message, { kind: "error" });
  } finally {
    button.disabled = false;
  }
}

export function addSharing(map) {
  const stamp = () => { byId("print-time").textContent = time(view.filter.at ?? new Date().toISOString()); };
  // The map must fill the sheet before it is drawn on it.
  addEventListener("beforeprint", () => { stamp(); document.body.classList.add("printing"); map.invalidateSize({ animate: false }); });
  addEventListener("afterprint", () => { document.body.classList.remove("printing"); map.invalidateSize({ animate: false }); });
  if (begin.embedded) return;
  byId("copy-link").addEventListener("click", copyLink);
  byId("print").addEventListener("click", () => print());
  for (const format of ["html", "png"]) {
    const button = byId(`export-${format}`);
    button.hidden = !begin.may.export;
    button.addEventListener("click", () => download(map, format, button));
  }
  const language = document.querySelector("[data-language]");
  const other = new URL(language.href).searchParams.get("language");
  language.addEventListener("click", () => {
    const query = new URLSearchParams(view.search());
    query.set("language", other);
    language.href = `${location.pathname}?${query}${location.hash}`;
  });
}
