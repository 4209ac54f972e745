// Record a problem: put the pin or draw its line or area, say what it is, see at once whose it is.

import { post } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { categorySelect } from "gridmap/categories.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { uploader } from "gridmap/evidence.js";
import { gettext, percent, time } from "gridmap/language.js";
import { drawBar, KINDS, Shape } from "gridmap/shape.js";
import { findSimilar, similarList } from "gridmap/similar.js";
import { toast } from "gridmap/toast.js";
import { newUid } from "gridmap/upload.js";
import { view } from "gridmap/view.js";

const nameOf = (one) => (one && typeof one === "object" ? one.name || one.code : one);

const OUTSIDE = () => gettext("This place lies outside your area. Choose a place inside it; what you typed stays.");
// So far the pin stays from the form and from the map's edge, in pixels; above it are the map's buttons.
const ROOM = 24;
const BUTTONS = 52;

const HINTS = {
  point: () => gettext("Click the map to put the pin, or drag it; with the keyboard, the arrow keys move it."),
  line: () => gettext("For what stretches along a street, such as a row of parked cars."),
  area: () => gettext("For what covers the ground, such as an illegal shed."),
};

export class Recorder {
  constructor(map, options, refresh) {
    this.map = map;
    this.refresh = refresh;
    this.button = byId("record");
    if (!begin.may.record) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => (this.active ? this.stop() : this.begin()));
    this.category = categorySelect(options.categories, { id: "record-category" });
    this.description = h("textarea", { id: "record-description", rows: 3, maxLength: 2000 });
    this.address = h("input", { id: "record-address", maxLength: 300 });
    this.photos = begin.may.attach ? uploader({ stage: "found" }) : null;
    this.send = h("button", { className: "primary" }, gettext("Record"));
    this.fault = h("p", { className: "alert", role: "alert", hidden: true });
    this.similar = h("section", { className: "similar", "aria-live": "polite", hidden: true });
    this.look = debounce(() => this.offer(), 350);
    this.share = debounce(() => this.tellShares(), 350);
    this.kinds = h("fieldset", { className: "segments" }, h("legend", { className: "hidden" }, gettext("Shape of the problem")), Object.entries(KINDS).map(([kind, title]) =>
      h("label", { className: "segment" }, h("input", { type: "radio", name: "record-kind", value: kind, onchange: () => this.shape.choose(kind) }), h("span", {}, title()))));
    this.bar = h("div", {});
    this.shares = h("p", { className: "note", role: "status", hidden: true });
    this.away = h("p", { className: "alert", role: "alert", hidden: true }, OUTSIDE());
    this.category.addEventListener("change", this.look);
    this.form = h("form", { className: "record-form", onsubmit: (event) => this.submit(event) },
      h("h2", {}, gettext("Record a problem")),
      this.kinds, this.hint = h("p", { className: "muted" }), this.bar, this.away, this.shares,
      this.fault,
      h("label", { htmlFor: "record-category" }, gettext("Category")), this.category,
      h("label", { htmlFor: "record-description" }, gettext("What is wrong")), this.description,
      this.photos?.element,
      h("label", { htmlFor: "record-address" }, gettext("Address (optional)")), this.address, this.similar,
      h("div", { className: "row" }, this.send, h("button", { type: "button", onclick: () => this.stop() }, gettext("Cancel"))));
  }

  begin() {
    this.active = true;
    this.uid = newUid();
    view.set("open", "");
    this.button.setAttribute("aria-pressed", "true");
    document.body.classList.add("recording");
    this.shape = new Shape(this.map, { at: this.map.getCenter(), onchange: () => this.drawn() });
    this.similar.hidden = true;
    byId("record-panel").replaceChildren(this.form);
    byId("record-panel").hidden = false;
    this.fault.hidden = true;
    this.drawn();
    byId("record-panel").scrollTop = 0;
    this.category.focus({ preventScroll: true });
  }

  stop() {
    this.active = false;
    this.shape?.remove();
    this.button.setAttribute("aria-pressed", "false");
    document.body.classList.remove("recording", "drawing");
    byId("record-panel").hidden = true;
    this.form.reset();
    this.photos?.reset();
    this.button.focus();
  }

  click(event) {
    if (!this.active) return false;
    // A click beside a finished shape is no click on what lies there.
    this.shape.add(event.latlng);
    return true;
  }

  // Whatever was drawn: the buttons that go with it, whom it touches, what is like it near by.
  drawn() {
    const { kind, done } = this.shape;
    for (const radio of this.kinds.querySelectorAll("input")) radio.checked = radio.value === kind;
    this.hint.textContent = HINTS[kind]();
    const held = document.activeElement?.className;
    this.bar.replaceChildren(...[drawBar(this.shape)].filter(Boolean));
    if (held === "add-corner") this.bar.querySelector(".add-corner")?.focus();
    document.body.classList.toggle("drawing", !done);
    this.shares.hidden = true;
    this.away.hidden = true;
    if (kind === "point") this.uncover();
    if (done) this.look();
    if (this.shape.whole) this.share();
  }

  // Moves the map so that the pin is beside or above the form and never behind it.
  uncover() {
    const { left, top, width, height } = this.map.getContainer().getBoundingClientRect();
    const panel = byId("record-panel").getBoundingClientRect();
    const pin = this.map.latLngToContainerPoint(this.shape.place);
    const [right, bottom] = [panel.right - left + ROOM, panel.top - top - ROOM];
    const below = panel.width > width / 2;
    if (below ? pin.y <= bottom : pin.x >= right) return;
    const goal = below ? [width / 2, Math.max((BUTTONS + bottom + ROOM) / 2, ROOM)] : [(right + width) / 2, height / 2];
    this.map.panBy(pin.subtract(goal), { animate: false });
  }

  // In which cell it lies, or how much of it in which, and whether one may record there at all: before it is sent.
  async tellShares() {
    const { geometry, kind } = this.shape;
    if (!this.active || !geometry) return;
    try {
      const { cells, elsewhere, outside, recordable } = await post("problems/cells", { geometry });
      if (this.shape.geometry === null || JSON.stringify(this.shape.geometry) !== JSON.stringify(geometry)) return;
      this.away.hidden = recordable;
      const parts = [
        ...cells.map(({ name, share, leads }) => `${name} ${percent(share)}${leads ? gettext("(leads)") : ""}`),
        elsewhere ? gettext("in cells of others {share}", { share: percent(elsewhere) }) : "", outside ? gettext("outside every cell {share}", { share: percent(outside) }) : "",
      ];
      const [here] = cells;
      if (kind !== "point") this.shares.textContent = parts.filter(Boolean).join(gettext(", "));
      else if (here) this.shares.textContent = gettext("Cell {name}.", { name: here.name });
      else this.shares.textContent = recordable && outside ? gettext("It lies outside every cell.") : "";
    } catch (error) {
      this.shares.textContent = error.message;
    }
    this.shares.hidden = !this.shares.textContent;
  }

  // Open problems near the pin that may be the same thing.
  async offer() {
    if (!this.active || !begin.may.read || !this.shape.whole) return;
    const found = await findSimilar(this.shape.place, { category: this.category.value });
    if (!found || !this.active) return;
    this.similar.hidden = !found.length;
    this.similar.replaceChildren(
      h("h3", {}, gettext("Already recorded near by?")),
      similarList(found, ({ uid }) => h("button", { type: "button", onclick: () => { this.stop(); view.set("open", `problem/${uid}`); } }, gettext("It is this one"))));
  }

  async submit(event) {
    event.preventDefault();
    if (this.photos?.refused.length) {
      this.say(gettext("A photo was refused. Leave it out or try it again; nothing else is lost."));
      return;
    }
    const { geometry } = this.shape;
    if (!geometry) {
      this.say(gettext("The shape is not finished."));
      return;
    }
    if (!this.away.hidden) {
      this.away.scrollIntoView({ block: "nearest" });
      return;
    }
    this.send.disabled = true;
    try {
      if (this.photos?.busy) this.send.textContent = gettext("Sending the photos …");
      const attachments = await this.photos?.settled() ?? [];
      if (!this.active) return;
      if (this.photos?.refused.length) throw new Error(gettext("A photo was refused. Leave it out or try it again; nothing else is lost."));
      const made = await post("problems", {
        uid: this.uid, category: this.category.value, geometry,
        description: this.description.value.trim(), address: this.address.value.trim(), found_at: new Date().toISOString(), attachments,
      });
      this.done(made.properties ?? made);
    } catch (error) {
      this.say(error.message);
    } finally {
      this.send.disabled = false;
      this.send.textContent = gettext("Record");
    }
  }

  say(fault) {
    this.fault.textContent = fault;
    this.fault.hidden = false;
    this.fault.scrollIntoView({ block: "nearest" });
  }

  done(problem) {
    const who = [nameOf(problem.person), nameOf(problem.organisation)].filter(Boolean).join(" · ");
    const text = [
      gettext("Recorded as No. {number}.", { number: problem.number }),
      problem.cell ? gettext("Cell {name}.", { name: nameOf(problem.cell) }) : gettext("It lies outside every cell."),
      who ? gettext("It goes to {who}.", { who }) : gettext("Nobody is responsible here."),
      problem.due_at ? gettext("Next step due {time}.", { time: time(problem.due_at) }) : "",
    ].filter(Boolean).join(" ");
    this.stop();
    toast(text, { kind: "good", seconds: 15 });
    this.refresh();
    view.set("open", `problem/${problem.uid}`);
  }
}
