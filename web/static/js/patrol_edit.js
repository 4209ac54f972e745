// A plan arranged by hand: stops are moved, fixed to somebody or left out; what that breaks is said at once.

import { begin } from "gridmap/begin.js";
import { debounce, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";

const COLOURS = ["#1a5fb4", "#c64600", "#26794a", "#8a2be2", "#a51d2d", "#0b7285", "#7a5c00", "#b5179e"];

export class Editor {
  constructor(box, plan, draw) {
    this.box = box;
    this.plan = plan;
    this.draw = draw;
    this.store = `patrol-draft-${plan.first}`;
    box.querySelector("[data-edit]").addEventListener("click", () => this.open());
    const draft = this.draft();
    if (draft?.searched && plan.drafts.includes(draft.searched)) localStorage.removeItem(this.store);
    else if (draft) box.prepend(this.remind(draft));
  }

  draft() {
    try { return JSON.parse(localStorage.getItem(this.store)); } catch { return null; }
  }

  remind(draft) {
    const note = h("p", { className: "alert", role: "status" },
      gettext("There are changes to version {n} that were not kept.", { n: draft.version }), " ",
      h("button", { onclick: () => { note.remove(); this.open(draft); } }, gettext("Take them up")), " ",
      h("button", { onclick: () => { localStorage.removeItem(this.store); note.remove(); } }, gettext("Drop them")));
    return note;
  }

  open(draft) {
    const { units, left, pins, banned } = this.plan;
    const named = new Map([...units.flatMap(({ stops }) => stops), ...left].flatMap((stop) => stop.keys.map((key) => [key, stop])));
    this.state = { orders: units.map(({ stops }) => stops.slice()), left: left.slice(), pins: { ...pins }, banned: banned.slice() };
    if (draft) this.takeUp(draft, named);
    this.before = [];
    this.answer = null;
    this.day = begin.day;
    document.body.classList.add("editing");
    this.render();
    this.check();
  }

  // A draft may have been made on an older version: what it does not know stays where it is.
  takeUp(draft, named) {
    const used = new Set();
    const take = (keys) => {
      const stop = named.get(keys[0]);
      if (!stop || used.has(stop)) return [];
      used.add(stop);
      return [stop];
    };
    const orders = draft.orders.map((stops) => stops.flatMap(take));
    this.state.orders = this.state.orders.map((stops, unit) => [...(orders[unit] ?? []), ...stops.filter((stop) => !used.has(stop) && !draft.left.some((keys) => stop.keys.includes(keys[0])))]);
    const placed = new Set(this.state.orders.flat());
    this.state.left = [...named.values()].filter((stop, at, all) => all.indexOf(stop) === at && !placed.has(stop));
    this.state.pins = draft.pins;
    this.state.banned = draft.banned;
  }

  keep() {
    const keys = (stops) => stops.map((stop) => stop.keys);
    const { orders, left, pins, banned } = this.state;
    localStorage.setItem(this.store, JSON.stringify({ version: this.plan.version, orders: orders.map(keys), left: keys(left), pins, banned }));
  }

  // A search may fail or be lost with the server: its draft is kept until a version that came of it is shown.
  searching() {
    const draft = this.draft();
    if (!draft) return null;
    draft.searched = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    localStorage.setItem(this.store, JSON.stringify(draft));
    return draft.searched;
  }

  // One step: `act` changes the state; the one before can be brought back.
  step(act, focus) {
    const { orders, left, pins, banned } = this.state;
    this.before.push({ orders: orders.map((stops) => stops.slice()), left: left.slice(), pins: { ...pins }, banned: banned.slice() });
    act(this.state);
    this.changed(focus);
  }

  undo() {
    this.state = this.before.pop();
    this.changed();
  }

  changed(focus) {
    this.keep();
    this.render(focus);
    this.check();
  }

  find(stop) {
    const unit = this.state.orders.findIndex((stops) => stops.includes(stop));
    return { unit, at: unit < 0 ? -1 : this.state.orders[unit].indexOf(stop) };
  }

  move(stop, unit, at) {
    this.step((state) => {
      const from = this.find(stop);
      if (from.unit >= 0) state.orders[from.unit].splice(from.at, 1);
      else state.left.splice(state.left.indexOf(stop), 1);
      const target = from.unit === unit && from.at < at ? at - 1 : at;
      state.banned = state.banned.filter((key) => !stop.keys.includes(key));
      state.orders[unit].splice(target, 0, stop);
      if (stop.keys.some((key) => key in state.pins)) for (const key of stop.keys) state.pins[key] = unit;
    }, stop);
  }

  ban(stop) {
    this.step((state) => {
      const from = this.find(stop);
      if (from.unit >= 0) {
        state.orders[from.unit].splice(from.at, 1);
        state.left.unshift(stop);
      }
      for (const key of stop.keys) delete state.pins[key];
      state.banned.push(...stop.keys);
    }, stop);
  }

  allow(stop) {
    this.step((state) => { state.banned = state.banned.filter((key) => !stop.keys.includes(key)); }, stop);
  }

  pin(stop, unit) {
    this.step((state) => {
      const fixed = stop.keys.some((key) => key in state.pins);
      for (const key of stop.keys) if (fixed) delete state.pins[key]; else state.pins[key] = unit;
    }, stop);
  }

  body(more) {
    const { orders, pins, banned } = this.state;
    return { orders: Object.fromEntries(orders.map((stops, unit) => [unit, stops.flatMap((stop) => stop.keys)]).filter(([, keys]) => keys.length)), pins, banned, ...more };
  }

  async send(what, more) {
    const answer = await fetch(`/patrols/${this.plan.uid}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": begin.csrf },
      body: JSON.stringify(this.body(more)),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.detail ?? gettext("The server did not answer as expected ({status}).", { status: answer.status })), { status: answer.status });
    return told;
  }

  check() {
    this.box.dataset.judged = "no";
    this.judge();
  }

  judge = debounce(async () => {
    const asked = this.state;
    const number = this.before.length;
    this.say(gettext("Working out the times …"));
    try {
      const answer = await this.send("check");
      if (this.state !== asked || this.before.length !== number) return;
      this.answer = answer;
      this.render();
      this.show();
      this.box.dataset.judged = "yes";
      if (answer.newest > this.plan.version) this.say(gettext("Somebody has kept version {n} meanwhile.", { n: answer.newest }), true);
    } catch (error) {
      this.say(error.message, true);
    }
  }, 250);

  show(anew = false) {
    if (!this.answer) return;
    this.draw(this.answer.rounds.filter(({ unit }) => this.onDay(this.plan.units[unit])).map(({ unit, line }) => ({
      name: this.plan.units[unit].name,
      colour: COLOURS[unit % COLOURS.length],
      line,
      stops: this.state.orders[unit].filter((stop) => stop.at).map(({ at: [lon, lat], name, kind }) => [lon, lat, name, kind]),
    })), anew);
  }

  onDay(unit) {
    return !this.day || unit.day === this.day;
  }

  // Several days are shown one at a time or all together; what was changed on another one stays changed.
  days() {
    const said = new Map(this.plan.units.map(({ day, said: text }) => [day, text]));
    if (said.size < 2) return null;
    const faulty = new Set((this.answer?.faults ?? []).map(({ unit }) => this.plan.units[unit]?.day));
    const choose = (day, text) => h("button", { ariaPressed: String(this.day === day), "data-day": day, onclick: () => { this.day = day; this.render(); this.show(true); this.box.querySelector(`[data-day="${day}"]`).focus(); } },
      faulty.has(day) ? h("span", { className: "error", title: gettext("Something is broken on this day") }, "! ") : null, text);
    return h("div", { className: "edit-days", role: "group", ariaLabel: gettext("Days") }, [...said].map(([day, text]) => choose(day, text)), choose("", gettext("All days")));
  }

  async commit(what) {
    const faults = this.answer?.faults.length ?? 0;
    this.busy(true);
    try {
      const draft = what === "improve" ? this.searching() : null;
      const told = await this.send(what, { even_so: what === "change" && faults > 0, draft });
      if (told.plan) localStorage.removeItem(this.store);
      location.assign(told.plan ?? told.job);
    } catch (error) {
      this.busy(false);
      this.say(error.message, true);
      if (error.status === 412) this.bar.querySelector(".say").append(" ", h("a", { href: `/patrols/${this.plan.first}` }, gettext("Go to the newest version")));
    }
  }

  busy(on) {
    for (const button of this.bar.querySelectorAll("button")) button.disabled = on;
  }

  say(text, wrong = false) {
    const place = this.bar?.querySelector(".say");
    if (place) place.replaceChildren(h("span", { className: wrong ? "error" : "muted" }, text));
  }

  // The keyboard stays where it was: at the same control of the same stop, wherever that is now.
  focused(focus) {
    const row = document.activeElement?.closest?.("[data-key]");
    const key = focus?.keys[0] ?? row?.dataset.key;
    if (!key) return null;
    const at = row?.dataset.key === key ? [...row.querySelectorAll("button, select")].indexOf(document.activeElement) : 0;
    return { key, at: Math.max(at, 0) };
  }

  focus({ key, at }) {
    const tools = [...this.box.querySelectorAll(`[data-key="${CSS.escape(key)}"] button, [data-key="${CSS.escape(key)}"] select`)];
    (tools[at]?.disabled === false ? tools[at] : tools.find(({ disabled }) => !disabled))?.focus({ preventScroll: Boolean(this.answer) });
  }

  render(focus) {
    const held = this.focused(focus);
    const faults = this.answer?.faults ?? [];
    const names = new Map([...this.state.orders.flat(), ...this.state.left].flatMap((stop) => stop.keys.map((key) => [key, stop.name])));
    this.bar = h("div", { className: "edit-bar" },
      h("span", { className: "say", role: "status" }),
      h("button", { disabled: !this.before.length, onclick: () => this.undo() }, gettext("Undo")),
      h("button", { onclick: () => this.close() }, gettext("Stop changing")),
      h("button", { onclick: () => this.commit("improve") }, gettext("Search on from here")),
      h("button", { className: "primary", onclick: () => this.commit("change") }, faults.length ? gettext("Keep it even so ({n} faults)", { n: faults.length }) : gettext("Keep as a new version")));
    this.box.replaceChildren(...[
      h("p", { className: "muted" }, gettext("Drag stops, or move them with the buttons. Times and faults are worked out after each step; nothing is kept before you say so.")),
      faults.length ? h("ul", { className: "edit-faults", role: "alert" }, faults.map(({ unit, key, text }) => h("li", {}, [this.plan.units[unit]?.name, names.get(key)].filter(Boolean).join(" · "), ": ", text))) : null,
      this.days(),
      h("div", { className: "edit-units" },
        this.plan.units.map((unit, number) => (this.onDay(unit) ? this.unit(unit, number) : null)),
        this.left()),
      this.bar].filter(Boolean));
    if (this.answer && !faults.length) this.say(gettext("All hours, shifts and rests are kept."));
    if (held) this.focus(held);
  }

  unit({ name, said }, number) {
    const round = this.answer?.rounds.find(({ unit }) => unit === number);
    const several = new Set(this.plan.units.map((one) => one.day)).size > 1;
    const card = h("section", { className: "edit-unit" },
      h("h3", {}, name, h("small", { className: "muted" }, several ? `${said} ` : "", round ? `${round.leaves}–${round.returns} · ${(round.metres / 1000).toFixed(1)} km` : gettext("stays"))),
      h("ol", {}, this.state.orders[number].map((stop, at) => this.stop(stop, number, at, round))));
    card.style.setProperty("--round", COLOURS[number % COLOURS.length]);
    this.target(card, () => this.state.orders[number].length, number);
    return card;
  }

  target(element, at, unit) {
    element.addEventListener("dragover", (event) => { if (this.dragged) { event.preventDefault(); event.stopPropagation(); element.classList.add("over"); } });
    element.addEventListener("dragleave", () => element.classList.remove("over"));
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const stop = this.dragged;
      this.dragged = null;
      if (stop) this.move(stop, unit, at());
    });
  }

  stop(stop, unit, at, round) {
    const wrong = (this.answer?.faults ?? []).filter(({ key }) => stop.keys.includes(key));
    const times = round?.times[stop.keys[0]];
    const until = round?.times[stop.keys.at(-1)];
    const fixed = stop.keys.some((key) => key in this.state.pins);
    const count = this.state.orders[unit].length;
    const row = h("li", { className: `edit-stop${wrong.length ? " wrong" : ""}${fixed ? " pinned" : ""}`, draggable: true },
      h("span", { className: "no" }, at + 1),
      h("span", {}, h("b", {}, stop.name), " ", h("small", { className: "muted" }, stop.address ?? "")),
      h("span", { className: "muted" }, times ? `${times[0]}–${until?.[1] ?? times[1]}` : ""),
      wrong.map(({ text }) => h("span", { className: "why" }, text)),
      h("span", { className: "tools" },
        h("button", { title: gettext("Earlier"), ariaLabel: gettext("{name}: earlier", { name: stop.name }), disabled: at === 0, onclick: () => this.move(stop, unit, at - 1) }, "↑"),
        h("button", { title: gettext("Later"), ariaLabel: gettext("{name}: later", { name: stop.name }), disabled: at === count - 1, onclick: () => this.move(stop, unit, at + 2) }, "↓"),
        this.chooser(stop, unit),
        h("button", { ariaPressed: String(fixed), title: gettext("No search gives it to somebody else"), onclick: () => this.pin(stop, unit) }, fixed ? gettext("Fixed ✓") : gettext("Fix")),
        h("button", { onclick: () => this.ban(stop) }, gettext("Do not go"))));
    row.dataset.key = stop.keys[0];
    row.addEventListener("dragstart", (event) => { this.dragged = stop; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", stop.name); });
    row.addEventListener("dragend", () => { this.dragged = null; });
    this.target(row, () => this.find(stop).at, unit);
    return row;
  }

  chooser(stop, unit) {
    const several = new Set(this.plan.units.map((one) => one.day)).size > 1;
    return h("select", { ariaLabel: gettext("{name}: who goes", { name: stop.name }), onchange: (event) => { const to = Number(event.target.value); if (to >= 0) this.move(stop, to, this.state.orders[to].length); } },
      unit < 0 ? h("option", { value: -1 }, gettext("Give to …")) : null,
      this.plan.units.map(({ name, said }, number) => h("option", { value: number, selected: number === unit }, several ? `${name} ${said}` : name)));
  }

  left() {
    const { left, banned } = this.state;
    const card = h("section", { className: "edit-unit" },
      h("h3", {}, gettext("In no round"), h("small", { className: "muted" }, left.length)),
      h("ol", {}, left.map((stop) => {
        const no = stop.keys.some((key) => banned.includes(key));
        const row = h("li", { className: "edit-stop", draggable: true },
          h("span", { className: "no" }, "–"), h("span", {}, h("b", {}, stop.name)), h("span", { className: "muted" }, no ? gettext("not to be gone to") : ""),
          h("span", { className: "tools" }, this.chooser(stop, -1), no ? h("button", { onclick: () => this.allow(stop) }, gettext("May be gone to again")) : null));
        row.dataset.key = stop.keys[0];
        row.addEventListener("dragstart", (event) => { this.dragged = stop; event.dataTransfer.setData("text/plain", stop.name); });
        row.addEventListener("dragend", () => { this.dragged = null; });
        return row;
      })));
    card.addEventListener("dragover", (event) => { if (this.dragged && this.find(this.dragged).unit >= 0) event.preventDefault(); });
    card.addEventListener("drop", (event) => { event.preventDefault(); const stop = this.dragged; this.dragged = null; if (stop && this.find(stop).unit >= 0) this.ban(stop); });
    return card;
  }

  close() {
    if (this.before.length && !confirm(gettext("Leave without keeping the changes? They stay here as a draft."))) return;
    location.reload();
  }
}
