// One problem: what it is, how it stands, whose step is next, and its history.

import { get } from "gridmap/api.js";
import { addBase } from "gridmap/basemap.js";
import { begin } from "gridmap/begin.js";
import { correct, corrected } from "gridmap/correct.js";
import { byId, h } from "gridmap/dom.js";
import { evidenceOf } from "gridmap/evidence.js";
import { ago, gettext, time } from "gridmap/language.js";
import { findSimilar, similarList } from "gridmap/similar.js";
import { askUndo, stepButtons, takeStep } from "gridmap/steps.js";

const uid = document.querySelector("[data-uid]").dataset.uid;
const STAGES = [
  ["recorded", () => gettext("recorded")],
  ["checked", () => gettext("filed")],
  ["dispatched", () => gettext("dispatched")],
  ["accepted", () => gettext("being fixed")],
  ["fixed", () => gettext("verification")],
  ["closed", () => gettext("closed")],
];
const REACHED = { recorded: 0, checked: 1, returned: 1, dispatched: 2, accepted: 3, sent_back: 3, suspended: 3, fixed: 4, verified: 4, closed: 5 };

const fact = (label, value) => (value === undefined || value === null || value === "" ? null : [h("dt", {}, label), h("dd", {}, value)]);
const nameOf = (one) => one?.name ?? "";

function stages({ state, state_name }) {
  const at = REACHED[state];
  if (at === undefined) return h("p", { className: "note" }, state_name);
  return h("ol", { className: "stages", "aria-label": gettext("How far it is") }, STAGES.map(([name, title], index) =>
    h("li", { className: index < at ? "done" : index === at ? "now" : "", "aria-current": index === at ? "step" : null }, index === at && name !== state ? state_name : title())));
}

function clock(problem) {
  const { due_at, overdue, clock_runs: runs, fix_due_at: fixDue, on_time: onTime, time_allowed: allowed, time_unit_name: unit, state } = problem;
  return h("dl", { className: "facts" },
    fact(gettext("Next step due"), due_at && !["closed", "rejected", "merged"].includes(state) ? [time(due_at), " ", overdue ? h("span", { className: "badge bad" }, gettext("{time} overdue", { time: ago(due_at) })) : h("span", { className: "badge" }, gettext("{time} left", { time: ago(due_at) }))] : null),
    fact(gettext("To be fixed by"), fixDue ? time(fixDue) : null),
    fact(gettext("Time allowed"), allowed ? `${allowed} ${unit}` : null),
    fact(gettext("Clock"), fixDue ? (runs ? gettext("running") : gettext("stopped")) : null),
    fact(gettext("Fixed in time"), onTime === null || onTime === undefined ? null : onTime ? gettext("yes") : gettext("no")));
}

function turns({ rework, returns, suspensions, extensions, look_backs: good, reopened, came_back: again }) {
  const one = (count, text) => (count ? h("li", {}, text) : null);
  const list = [
    one(rework, gettext("sent back {n} times", { n: rework })), one(returns, gettext("returned {n} times", { n: returns })),
    one(suspensions, gettext("suspended {n} times", { n: suspensions })), one(extensions, gettext("given more time {n} times", { n: extensions })),
    one(good, gettext("looked back {n} times, still good", { n: good })), one(reopened, gettext("reopened {n} times", { n: reopened })),
    one(again, gettext("came back at the same place, {n} times by now", { n: again })),
  ].filter(Boolean);
  return list.length ? h("ul", { className: "turns" }, list) : null;
}

function said({ changed, organisation, person, until, more, other, rule, results }) {
  return [corrected(changed), rule ? gettext("rule {number}: {name}", rule) : "", (results ?? []).map(({ what, count, unit }) => `${what} ${count}${unit}`).join(gettext(", ")), organisation || person ? `→ ${[nameOf(organisation), nameOf(person)].filter(Boolean).join(" · ")}` : "", until ? gettext("until {time}", { time: time(until) }) : "", more ? `+${more}` : "", other ? gettext("with another") : ""].filter(Boolean).join(" ");
}

function history({ history: lines, undo }, next) {
  return h("ol", { className: "history" }, lines.map((line) => h("li", { className: line.undone ? "undone" : "" },
    h("time", { dateTime: line.at }, time(line.at)),
    h("span", {}, [line.action_name ?? line.kind_name, line.kind === "undone" ? gettext("taken back") : "", line.undone ? gettext("(taken back)") : ""].filter(Boolean).join(" "),
      h("small", {}, [line.by, line.note, said(line.details)].filter(Boolean).join(" · ")),
      undo && line.batch === undo ? h("button", { type: "button", className: "link", onclick: () => askUndo(line, next) }, gettext("Take back")) : null))));
}

function draw(geometry) {
  const place = byId("mini-map");
  const map = L.map(place, { zoomControl: true, attributionControl: false, scrollWheelZoom: false, maxZoom: 20 });
  L.control.attribution({ position: "bottomright" }).setPrefix(false).addTo(map);
  const shape = L.geoJSON(geometry, { interactive: false, style: { color: "#b3261e", weight: 4 }, pointToLayer: (_, at) => L.circleMarker(at, { radius: 9, color: "#b3261e", weight: 3, fillOpacity: 0.25, interactive: false }) }).addTo(map);
  map.fitBounds(shape.getBounds(), { maxZoom: 17, padding: [30, 30] });
  get("base", "filters").then((options) => addBase(map, options?.base ?? {}));
}

// While a problem waits for its check: open ones near by, each beside this one, and the step that follows from either answer.
async function offerSimilar(problem, next) {
  const possible = (name) => problem.steps.find(({ action, refusal }) => action === name && !refusal);
  const [merge, check] = [possible("merge"), possible("check")];
  if (problem.state !== "recorded" || !merge || begin.embedded) return;
  const found = await findSimilar(middle(problem.geometry), { category: problem.category?.code, but: problem.uid });
  const place = byId("similar");
  if (!found || !place) return;
  const own = problem.attachments?.find(({ state, kind }) => state === "ready" && kind !== "scan")?.thumbnail_url ?? null;
  const into = (one) => () => takeStep(problem, merge, next, {
    fill: { other: one.number },
    extra: h("p", { className: "note" }, gettext("Both histories are kept, and each refers to the other."), " ", [gettext("No. {number}", { number: one.number }), nameOf(one.category), one.address].filter(Boolean).join(" · ")),
  });
  const different = () => takeStep(problem, check, next, { fill: { note: gettext("No duplicate: compared with {numbers}", { numbers: found.map(({ number }) => gettext("No. {number}", { number })).join(gettext(", ")) }) } });
  place.hidden = false;
  place.replaceChildren(...[
    h("header", {}, h("h2", {}, gettext("Is it a duplicate? Open ones near by")), found.length && check ? h("button", { type: "button", className: "primary", onclick: different }, gettext("No duplicate: checked")) : null),
    found.length
      ? similarList(found, (one) => h("div", { className: "similar-acts" }, h("button", { type: "button", onclick: into(one) }, gettext("Merge into this one")), h("a", { href: `/problems/${one.uid}`, target: "_blank", rel: "noopener" }, gettext("Open"))), own)
      : h("p", { className: "muted" }, gettext("Nothing like it is open near by.")),
  ].filter(Boolean));
}

// A place that a shape can be asked about: the point, the middle corner of a line, the middle of an area.
function middle(geometry) {
  if (geometry.type === "Point") return { lng: geometry.coordinates[0], lat: geometry.coordinates[1] };
  if (geometry.type === "LineString") {
    const [lng, lat] = geometry.coordinates[Math.floor(geometry.coordinates.length / 2)];
    return { lng, lat };
  }
  return L.geoJSON(geometry).getBounds().getCenter();
}

function show(problem) {
  const { category, state_name, number, address, description, cell, road, area, organisation, person, phone, source_name, severity, flag_names: flags, links, request, found_at, closed_at, geometry, cells = [] } = problem;
  const [lon, lat] = geometry.type === "Point" ? geometry.coordinates : geometry.coordinates.flat(3).slice(0, 2);
  const next = (now) => (now ? show(now) : refresh());
  byId("problem").replaceChildren(...[
    h("header", { className: "problem-head" }, h("h1", {}, nameOf(category), h("span", { className: "muted" }, ` ${gettext("No. {number}", { number })}`)), h("span", { className: `badge state-${problem.state}` }, state_name)),
    stages(problem),
    request ? h("p", { className: "note" }, gettext("{who} asks: {what}. {reason}", { who: request.asked_by, what: request.name, reason: request.reason }), " ", request.until ? gettext("until {time}", { time: time(request.until) }) : request.more ? `+${request.more}` : "") : null,
    problem.after_photo_lacking ? h("p", { className: "note" }, gettext("Before it is closed, a photo taken after fixing is needed: attach it to the fixing or later.")) : null,
    h("section", { className: "next-step", "aria-label": gettext("Next step") }, stepButtons(problem, next)),
    h("section", { id: "similar", className: "similar", "aria-live": "polite", hidden: true }),
    h("div", { className: "problem-body" },
      h("div", {},
        description ? h("p", { className: "said" }, description) : null,
        flags?.length ? h("p", { className: "alert" }, flags.join(" · ")) : null,
        h("h2", {}, gettext("Whose it is")),
        h("p", {}, [nameOf(organisation), nameOf(person)].filter(Boolean).join(" · ") || gettext("Nobody is responsible here."), " ", phone ? (phone.includes("*") ? phone : h("a", { href: `tel:${phone}` }, phone)) : ""),
        h("h2", {}, gettext("Time")), clock(problem), turns(problem),
        h("h2", {}, gettext("What and where"), problem.corrections.length ? h("button", { type: "button", className: "link", onclick: () => correct(problem, next) }, gettext("Correct")) : null),
        h("dl", { className: "facts" }, fact(gettext("Found"), time(found_at)), fact(gettext("Closed"), closed_at ? time(closed_at) : null), fact(gettext("Address"), address), fact(gettext("Cell"), cells.length > 1 ? cells.map((one) => h("div", {}, one.name, ` ${Math.round(one.share * 100)}%`, one.leads ? ` ${gettext("(leads)")}` : "")) : nameOf(cell)), fact(gettext("Road"), nameOf(road)), fact(gettext("Area"), nameOf(area)), fact(gettext("Source"), source_name), fact(gettext("Severity"), severity)),
        links.length ? [h("h2", {}, gettext("Belongs together")), h("ul", { className: "plain" }, links.map((link) => h("li", {}, link.title, " ", h("a", { href: `/problems/${link.uid}` }, gettext("No. {number}", { number: link.number })), " ", h("span", { className: "badge" }, link.state_name))))] : null),
      h("div", {},
        h("div", { id: "mini-map", role: "group", "aria-label": gettext("Map of the place") }),
        h("p", {}, h("a", { href: `/?open=problem/${problem.uid}#18/${lat.toFixed(6)}/${lon.toFixed(6)}` }, gettext("On the map"))),
        evidenceOf(problem, refresh, "h2"))),
    h("section", {}, h("h2", {}, gettext("History")), history(problem, next),
      begin.may.trail ? h("p", {}, h("a", { href: `/trail?table=problem&row=${problem.uid}` }, gettext("History of changes"))) : null),
  ].filter(Boolean));
  draw(geometry);
  offerSimilar(problem, next);
  document.body.dataset.ready = "yes";
}

async function refresh() {
  const problem = await get("problem", `problems/${uid}`);
  if (problem) show(problem);
  else byId("problem").replaceChildren(h("p", { className: "alert" }, gettext("You may no longer see this problem.")));
}

refresh();
