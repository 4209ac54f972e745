// Record a problem: put the pin, say what it is, see at once whose it is.

import { post } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { uploader } from "gridmap/evidence.js";
import { gettext, time } from "gridmap/language.js";
import { findSimilar, similarList } from "gridmap/similar.js";
import { toast } from "gridmap/toast.js";
import { newUid } from "gridmap/upload.js";
import { view } from "gridmap/view.js";

const nameOf = (one) => (one && typeof one === "object" ? one.name || one.code : one);

export class Recorder {
  constructor(map, options, refresh) {
    this.map = map;
    this.refresh = refresh;
    this.button = byId("record");
    if (!begin.may.record) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => (this.active ? this.stop() : this.begin()));
    this.category = h("select", { id: "record-category", required: true },
      h("option", { value: "" }, gettext("Choose …")),
      options.categories.map((major) => (major.children?.length
        ? h("optgroup", { label: major.name }, major.children.map(({ code, name }) => h("option", { value: code }, name)))
        : h("option", { value: major.code }, major.name))));
    this.description = h("textarea", { id: "record-description", rows: 3, maxLength: 2000 });
    this.address = h("input", { id: "record-address", maxLength: 300 });
    this.photos = begin.may.attach ? uploader({ stage: "found" }) : null;
    this.send = h("button", { className: "primary" }, gettext("Record"));
    this.fault = h("p", { className: "alert", role: "alert", hidden: true });
    this.similar = h("section", { className: "similar", "aria-live": "polite", hidden: true });
    this.look = debounce(() => this.offer(), 350);
    this.category.addEventListener("change", this.look);
    this.form = h("form", { className: "record-form", onsubmit: (event) => this.submit(event) },
      h("h2", {}, gettext("Record a problem")),
      h("p", { className: "muted" }, gettext("Click the map to put the pin, or drag it; with the keyboard, move the map: the pin starts in its middle.")),
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
    const html = h("div", { className: "pin" });
    this.pin = L.marker(this.map.getCenter(), { draggable: true, icon: L.divIcon({ className: "pin-place", html, iconSize: [28, 36], iconAnchor: [14, 34] }), title: gettext("Place of the problem"), zIndexOffset: 5000 }).addTo(this.map);
    this.pin.getElement().setAttribute("aria-label", gettext("Place of the problem"));
    this.pin.on("moveend", this.look);
    this.similar.hidden = true;
    this.look();
    byId("record-panel").replaceChildren(this.form);
    byId("record-panel").hidden = false;
    this.fault.hidden = true;
    this.category.focus();
  }

  stop() {
    this.active = false;
    this.pin?.remove();
    this.button.setAttribute("aria-pressed", "false");
    document.body.classList.remove("recording");
    byId("record-panel").hidden = true;
    this.form.reset();
    this.photos?.reset();
    this.button.focus();
  }

  click(event) {
    if (!this.active) return false;
    this.pin.setLatLng(event.latlng);
    this.look();
    return true;
  }

  // Open problems near the pin that may be the same thing.
  async offer() {
    if (!this.active || !begin.may.read) return;
    const found = await findSimilar(this.pin.getLatLng(), { category: this.category.value });
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
    this.send.disabled = true;
    const { lat, lng } = this.pin.getLatLng();
    try {
      if (this.photos?.busy) this.send.textContent = gettext("Sending the photos …");
      const attachments = await this.photos?.settled() ?? [];
      if (!this.active) return;
      if (this.photos?.refused.length) throw new Error(gettext("A photo was refused. Leave it out or try it again; nothing else is lost."));
      const made = await post("problems", {
        uid: this.uid, category: this.category.value, lon: Number(lng.toFixed(7)), lat: Number(lat.toFixed(7)),
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
      problem.due_at ? gettext("Due {time}.", { time: time(problem.due_at) }) : "",
    ].filter(Boolean).join(" ");
    this.stop();
    toast(text, { kind: "good", seconds: 15 });
    this.refresh();
    view.set("open", `problem/${problem.uid}`);
  }
}
