// The card of what was clicked: who holds it, how it stands, what is open there.

import { get } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { evidenceOf } from "gridmap/evidence.js";
import { ago, day, gettext, number, percent, time } from "gridmap/language.js";
import { shopCard } from "gridmap/shops.js";
import { view } from "gridmap/view.js";

const PATHS = { cell: "cells", point: "points", road: "roads", area: "areas", shop: "shops", problem: "problems" };
const KINDS = { cell: () => gettext("Grid cell"), point: () => gettext("Inspection point"), road: () => gettext("Priority road"), area: () => gettext("Area"), shop: () => gettext("Shop"), problem: () => gettext("Problem") };
const TABLES = { cell: "grid_cell", point: "inspection_point", road: "priority_road", area: "area", shop: "shopfront", problem: "problem" };
const PAGE = 10;
const nameOf = (one) => (one && typeof one === "object" ? one.name : one);

export function holder({ role_name, role, person, phone, organisation, valid_from, pledge_signed_on }) {
  const called = nameOf(person) || nameOf(organisation) || "–";
  const callable = phone && !phone.includes("*");
  return h("li", { className: "holder-row" },
    h("span", { className: "role" }, role_name ?? role),
    h("span", { className: "who-name" }, called, nameOf(person) && nameOf(organisation) ? h("small", {}, nameOf(organisation)) : null,
      pledge_signed_on ? h("small", {}, gettext("pledge signed {day}", { day: day(pledge_signed_on) })) : (valid_from && valid_from > "2000-01-01" ? h("small", {}, gettext("since {day}", { day: day(valid_from) })) : null)),
    phone ? (callable ? h("a", { className: "phone", href: `tel:${phone}` }, phone) : h("span", { className: "phone muted", title: gettext("Your role does not show whole phone numbers") }, phone)) : null);
}

// Who changed it, when, from what to what; for those who may read the trail.
function changes(kind, uid) {
  return begin.may.trail && !begin.embedded && uid ? h("p", { className: "muted" }, h("a", { href: `/trail?table=${TABLES[kind]}&row=${uid}` }, gettext("History of changes"))) : null;
}

function holders(list) {
  if (!list?.length) return h("p", { className: "alert" }, gettext("Nobody is responsible here."));
  return h("ul", { className: "holders" }, list.map(holder));
}

const fact = (label, value) => (value === undefined || value === null || value === "" ? null : [h("dt", {}, label), h("dd", {}, value)]);

export function problemRow(properties) {
  const { uid, number: quoted, category, state_name, overdue, address, found_at, due_at, share, cell } = properties;
  return h("li", {}, h("button", { type: "button", className: "problem-row", onclick: () => view.set("open", `problem/${uid}`) },
    h("span", { className: "first" }, h("b", {}, nameOf(category)), overdue ? h("span", { className: "badge bad" }, gettext("{time} overdue", { time: ago(due_at) })) : h("span", { className: "badge" }, state_name)),
    h("span", { className: "second" }, [gettext("No. {number}", { number: quoted }), address, gettext("found {time}", { time: time(found_at) })].filter(Boolean).join(" · ")),
    share === undefined ? null : h("span", { className: "second shared" }, gettext("shared: {share} of it here, led by {cell}", { share: percent(share), cell: nameOf(cell) ?? "" }))));
}

// How patrols go there, where it is not as each plan says; whoever plans may change it.
function visits({ uid, visit_hours, visit_rhythm_name, visit_minutes }) {
  const said = [visit_rhythm_name, visit_hours, visit_minutes ? gettext("{n} minutes", { n: number(visit_minutes) }) : null].filter(Boolean);
  const change = begin.may.plan && !begin.embedded ? h("a", { href: `/points/${uid}/visits` }, gettext("Change")) : null;
  if (!said.length && !change) return null;
  return h("section", {}, h("h3", {}, gettext("How patrols go there")), h("p", {}, said.length ? said.join(" · ") : gettext("As each plan says"), " ", change));
}

function counts({ counts: found = {} }) {
  const { unresolved = 0, overdue = 0, total, closed } = found;
  const one = (label, value, kind = "") => h("div", { className: kind }, h("strong", {}, value), h("span", {}, label));
  return h("div", { className: "card-counts" },
    one(gettext("unresolved"), number(unresolved)),
    one(gettext("overdue"), number(overdue), overdue ? "bad" : ""),
    one(gettext("overdue share"), percent(unresolved ? overdue / unresolved : 0), overdue ? "bad" : ""),
    total === undefined ? null : one(gettext("found in all"), number(total)),
    closed === undefined ? null : one(gettext("closed"), number(closed)));
}

export class Cards {
  constructor(map) {
    this.map = map;
    this.card = byId("card");
    byId("card-close").addEventListener("click", () => this.close());
    addEventListener("keydown", (event) => { if (event.key === "Escape" && !this.card.hidden && !event.target.closest?.("dialog, #search")) this.close(); });
    view.on(["open"], () => this.show({ focus: true }));
    view.on(["filter"], () => this.show());
    this.outline = L.layerGroup().addTo(map);
    this.show();
  }

  close() {
    view.set("open", "");
    this.before?.focus?.();
  }

  async show({ focus = false } = {}) {
    const [kind, uid] = view.state.open.split("/");
    this.outline.clearLayers();
    document.body.classList.toggle("with-card", Boolean(kind));
    if (!PATHS[kind]) {
      this.card.hidden = true;
      this.shown = "";
      return;
    }
    if (this.card.hidden) this.before = document.activeElement;
    this.card.hidden = false;
    if (this.shown !== view.state.open) byId("card-body").replaceChildren(h("div", { className: "skeleton", "aria-label": gettext("Loading") }));
    byId("card-kind").textContent = KINDS[kind]();
    // The map knows problems by their case numbers.
    const name = kind === "problem" && /^\d+$/.test(uid) ? `by-number/${uid}` : uid;
    const found = await get("card", `${PATHS[kind]}/${name}`, kind === "problem" || kind === "shop" ? undefined : view.query());
    if (view.state.open !== `${kind}/${uid}`) return;
    if (!found) {
      byId("card-body").replaceChildren(h("p", { className: "empty" }, gettext("This could not be loaded.")));
      return;
    }
    this.shown = view.state.open;
    const feature = found.properties ? { ...found.properties, ...found, geometry: found.geometry } : found;
    byId("card-body").replaceChildren(...[...(kind === "problem" ? this.problem(feature) : kind === "shop" ? shopCard(feature, { fact, holders: feature.responsibilities.map(holder) }) : this.place(kind, feature)), changes(kind, feature.uid)].filter(Boolean));
    if (feature.geometry) this.draw(kind, feature.geometry);
    if (focus) byId("card").focus({ preventScroll: true });
  }

  draw(kind, geometry) {
    L.geoJSON(geometry, {
      interactive: false,
      style: { color: "#07423d", weight: kind === "road" ? 8 : 3.5, opacity: kind === "road" ? 0.35 : 1, fill: false },
      pointToLayer: (_, at) => L.circleMarker(at, { radius: 16, color: "#07423d", weight: 3, fill: false, interactive: false }),
    }).addTo(this.outline);
  }

  place(kind, place) {
    const list = h("ol", { className: "problem-list" });
    const more = h("button", { type: "button", className: "more", hidden: true }, gettext("Show more"));
    const count = h("span", { className: "muted" });
    const section = begin.may.read && kind !== "area"
      ? h("section", {}, h("h3", {}, gettext("Problems here"), " ", count), list, more) : null;
    if (section) this.problems(kind, place.uid, list, more, count);
    return [
      h("h2", {}, place.name || place.code),
      h("p", { className: "muted line" }, [place.name ? place.code : null, nameOf(place.area), place.site_type_name, place.address, place.hours].filter(Boolean).join(" · ")),
      place.held === false ? null : null,
      counts(place),
      place.counts?.shared ? h("p", { className: "muted" }, gettext("{n} more unresolved ones lie here in part and are led by another cell.", { n: number(place.counts.shared) })) : null,
      h("section", {}, h("h3", {}, gettext("Who is responsible")), holders(place.responsibilities)),
      kind === "point" ? visits(place) : null,
      place.last_patrol_at === undefined ? null : h("p", { className: "muted" }, place.last_patrol_at ? gettext("Last patrol {time} ({ago} ago)", { time: time(place.last_patrol_at), ago: ago(place.last_patrol_at) }) : gettext("No patrol on record")),
      kind === "area" ? h("button", { type: "button", onclick: () => view.setFilter({ area: place.uid }) }, gettext("Show only this area")) : null,
      place.area?.uid && kind !== "area" ? h("p", {}, h("button", { type: "button", onclick: () => view.setFilter({ area: view.filter.area === place.area.uid ? undefined : place.area.uid }) },
        view.filter.area === place.area.uid ? gettext("Show all areas again") : gettext("Show only {name}", { name: place.area.name }))) : null,
      section,
    ];
  }

  async problems(kind, uid, list, more, count) {
    let cursor;
    const load = async () => {
      const page = await get(`list ${kind}`, "problems", view.query({ [kind]: uid, limit: PAGE, sort: "-overdue", ...(cursor ? { cursor } : {}) }));
      if (!page) return;
      list.append(...page.features.map(({ properties }) => problemRow(properties)));
      cursor = page.next;
      more.hidden = !cursor;
      if (page.total !== undefined) count.textContent = number(page.total);
      if (!list.children.length) list.append(h("li", { className: "empty" }, gettext("No problem matches the filters.")));
    };
    more.addEventListener("click", load);
    await load();
  }

  problem(problem) {
    const { category, state_name, overdue, due_at, found_at, closed_at, cell, road, area, person, organisation, phone, history = problem.events ?? [], cells = [] } = problem;
    const go = (kind, place) => (place?.uid ? h("button", { type: "button", className: "link", onclick: () => view.set("open", `${kind}/${place.uid}`) }, place.name || place.code) : nameOf(place));
    return [
      h("h2", {}, nameOf(category)),
      h("p", { className: "line" }, h("span", { className: "badge" }, state_name), " ", overdue ? h("span", { className: "badge bad" }, gettext("{time} overdue", { time: ago(due_at) })) : null,
        h("span", { className: "muted" }, " ", gettext("No. {number}", { number: problem.number }))),
      problem.description ? h("p", {}, problem.description) : null,
      evidenceOf(problem, () => this.show()),
      begin.embedded ? null : h("p", {}, h("a", { className: "button primary", href: `/problems/${problem.uid}` }, problem.steps?.some(({ refusal }) => !refusal) ? gettext("Open and take the next step") : gettext("Open"))),
      (problem.flag_names ?? problem.flags)?.length ? h("p", { className: "note" }, (problem.flag_names ?? problem.flags).map((flag) => nameOf(flag)).join(" · ")) : null,
      h("section", {}, h("h3", {}, gettext("Whose it is")), person || organisation
        ? h("ul", { className: "holders" }, holder({ role_name: gettext("responsible"), person, organisation, phone }))
        : h("p", { className: "alert" }, gettext("Nobody is responsible here."))),
      h("dl", { className: "facts" },
        fact(gettext("Found"), time(found_at)), fact(gettext("Next step due"), due_at ? time(due_at) : null), fact(gettext("Closed"), closed_at ? time(closed_at) : null),
        fact(gettext("Address"), problem.address), fact(gettext("Cell"), cells.length > 1 ? cells.map((one) => h("div", {}, go("cell", one), ` ${Math.round(one.share * 100)}%`, one.leads ? h("span", { className: "muted" }, " ", gettext("(leads)")) : null)) : go("cell", cell)), fact(gettext("Road"), go("road", road)), fact(gettext("Area"), nameOf(area)),
        fact(gettext("Source"), problem.source_name ?? problem.source), fact(gettext("Severity"), problem.severity)),
      history.length ? h("section", {}, h("h3", {}, gettext("History")), h("ol", { className: "history" }, history.map((event) =>
        h("li", {}, h("time", { dateTime: event.at }, time(event.at)), h("span", {}, [event.kind_name ?? event.kind, event.state_name].filter(Boolean).join(" · "), event.by || event.note ? h("small", {}, [nameOf(event.by), event.note].filter(Boolean).join(" · ")) : null))))) : null,
    ];
  }
}
