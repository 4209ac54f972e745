// Putting a problem's record right: its category, severity, texts and place, on what it was when it was shown.

import { ApiError, ask, patch } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { categorySelect } from "gridmap/categories.js";
import { byId, h } from "gridmap/dom.js";
import { gettext, time } from "gridmap/language.js";
import { drawBar, Shape } from "gridmap/shape.js";
import { toast } from "gridmap/toast.js";

const NAMES = {
  category: () => gettext("Category"), severity: () => gettext("Severity"), address: () => gettext("Address"),
  description: () => gettext("What is wrong"), geometry: () => gettext("Place"),
};
// What a line of the history calls the columns that were put right.
const COLUMNS = { category_id: "category", severity: "severity", address: "address", description: "description", geometry: "geometry" };

// What was put right, in words.
export const corrected = (columns = []) => columns.map((column) => NAMES[COLUMNS[column]]?.()).filter(Boolean).join(gettext(", "));

const valueOf = (problem) => ({
  category: problem.category?.code ?? "", severity: problem.severity, address: problem.address, description: problem.description, geometry: problem.geometry,
});
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const field = (name, control) => h("label", {}, NAMES[name](), control);

export async function correct(problem, refresh) {
  const options = await ask("filters").catch((error) => { toast(error.message, { kind: "error" }); });
  if (options) new Correction(problem, options, refresh).open();
}

class Correction {
  constructor(problem, options, refresh) {
    Object.assign(this, { options, refresh, seen: problem });
    this.dialog = byId("step");
    this.fields = {
      category: categorySelect(options.categories, { name: "category" }),
      severity: h("select", { name: "severity" }, [1, 2, 3, 4, 5].map((value) => h("option", { value }, value))),
      address: h("input", { name: "address", maxLength: 300 }),
      description: h("textarea", { name: "description", rows: 3, maxLength: 5000 }),
    };
    for (const [name, value] of Object.entries(valueOf(problem))) this.put(name, value);
    this.place = h("div", { className: "place-map" });
    this.bar = h("div", {});
    this.fixed = h("p", { className: "note", hidden: true }, gettext("Category and place can be changed only before it is dispatched or after it is returned."));
    this.fault = h("div", { className: "alert", role: "alert", hidden: true });
    this.send = h("button", { className: "primary" }, gettext("Save the corrections"));
    this.form = h("form", { method: "dialog", className: "stack", onsubmit: (event) => { event.preventDefault(); this.save(); } },
      h("h2", { id: "step-title" }, gettext("Correct No. {number}", { number: problem.number })), this.fixed,
      field("category", this.fields.category), field("severity", this.fields.severity), field("address", this.fields.address), field("description", this.fields.description),
      h("div", { className: "placing", role: "group", "aria-label": NAMES.geometry() },
        h("p", { className: "evidence-label" }, NAMES.geometry()),
        h("p", { className: "muted" }, problem.geometry.type === "Point" ? gettext("Click the map or drag the pin; with the keyboard, the arrow keys move it.") : gettext("Drag the corners; with the keyboard, the arrow keys move them.")),
        this.place, this.bar),
      this.fault,
      h("div", { className: "row" }, this.send, h("button", { type: "button", onclick: () => this.dialog.close() }, gettext("Cancel"))));
  }

  put(name, value) { if (this.fields[name]) this.fields[name].value = value; }

  open() {
    this.dialog.classList.add("wide");
    this.dialog.replaceChildren(this.form);
    this.dialog.addEventListener("close", () => { this.dialog.classList.remove("wide"); this.map.remove(); }, { once: true });
    this.dialog.showModal();
    this.map = L.map(this.place, { attributionControl: false, maxZoom: 20 });
    L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(this.map);
    addBase(this.map, this.options.base ?? {});
    this.map.fitBounds(L.geoJSON(this.seen.geometry).getBounds(), { maxZoom: 18, padding: [30, 30] });
    this.draw(this.seen.geometry);
    this.map.on("click", ({ latlng }) => { if (this.may("geometry")) this.shape.add(latlng); });
    this.allow();
    this.fields.description.focus();
  }

  draw(geometry) {
    this.shape?.remove();
    this.shape = new Shape(this.map, { geometry, onchange: () => this.tell() });
    this.tell();
  }

  tell() { this.bar.replaceChildren(...[drawBar(this.shape)].filter(Boolean)); }
  may(name) { return this.seen.corrections.includes(name); }

  // Fields that may not be changed as the problem now stands.
  allow() {
    for (const [name, control] of Object.entries(this.fields)) control.disabled = !this.may(name);
    this.form.querySelector(".placing").hidden = !this.may("geometry");
    this.fixed.hidden = this.may("category");
    this.send.disabled = !this.seen.corrections.length;
  }

  given() {
    const { category, severity, address, description } = this.fields;
    return { category: category.value, severity: Number(severity.value), address: address.value.trim(), description: description.value.trim(), geometry: this.shape.geometry };
  }

  // What was changed here, as against what was shown.
  changes() {
    const [given, seen] = [this.given(), valueOf(this.seen)];
    return Object.fromEntries(Object.entries(given).filter(([name, value]) => this.may(name) && !same(value, seen[name])));
  }

  say(...content) {
    this.fault.replaceChildren(...content.filter(Boolean));
    this.fault.hidden = false;
    this.fault.scrollIntoView({ block: "nearest" });
  }

  async save() {
    this.fault.hidden = true;
    if (!this.shape.geometry) { this.say(gettext("The shape is not finished.")); return; }
    const changes = this.changes();
    if (!Object.keys(changes).length) { this.say(gettext("Nothing was changed.")); return; }
    this.send.disabled = true;
    try {
      const now = await patch(`problems/${this.seen.uid}`, changes, { "If-Match": `"${this.seen.version}"` });
      this.dialog.close();
      toast(gettext("No. {number}: {fields} put right.", { number: now.number, fields: Object.keys(changes).map((name) => NAMES[name]()).join(gettext(", ")) }), { kind: "good" });
      this.refresh(now);
    } catch (error) {
      this.send.disabled = false;
      if (error instanceof ApiError && error.status === 412) await this.meet(error.changes);
      else this.say(error.message);
    }
  }

  // Somebody was quicker: what was typed here is kept, the rest is brought up to date, and both are told.
  async meet(lines) {
    let fresh;
    try {
      fresh = await ask(`problems/${this.seen.uid}`);
    } catch (error) {
      this.say(error.message);
      return;
    }
    const typed = this.changes();
    const [was, is] = [valueOf(this.seen), valueOf(fresh)];
    const moved = Object.keys(is).filter((name) => !same(was[name], is[name]));
    this.seen = fresh;
    for (const name of Object.keys(is)) {
      if (name in typed && this.may(name)) continue;
      if (name !== "geometry") this.put(name, is[name]);
      else if (moved.includes(name)) this.draw(is.geometry);
    }
    this.allow();
    const word = (name, value) => (name === "category" ? this.nameOf(value) : name === "geometry" ? "" : value === "" ? gettext("(empty)") : String(value));
    this.say(
      h("p", {}, gettext("Somebody has changed this problem since you opened it; nothing was saved yet.")),
      h("ul", {}, lines.map(({ at, action_name: action, kind_name: kind, by, note }) => h("li", {}, [time(at), by, action ?? kind, note].filter(Boolean).join(" · ")))),
      moved.length ? h("ul", {}, moved.map((name) => h("li", {}, name === "geometry"
        ? gettext("The place was moved.")
        : gettext("{field}: {old} → {new}", { field: NAMES[name](), old: word(name, was[name]), new: word(name, is[name]) }), name in typed ? ` ${gettext("(you have typed something else here)")}` : ""))) : null,
      h("p", {}, this.seen.corrections.length ? gettext("What you typed is kept. Save again to put it over what stands there now.") : gettext("It can no longer be corrected as it now stands.")));
  }

  nameOf(code) { return [...this.fields.category.options].find(({ value }) => value === code)?.textContent ?? code; }
}
