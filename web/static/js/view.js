// What is shown, kept in the address: ?filters&layers…#zoom/lat/lon

import { begin } from "gridmap/begin.js";

const LISTS = ["category", "state", "source"];
const FLAGS = ["overdue", "doubtful"];
const TIMES = ["since", "until", "at"];
const VALUES = ["age_min", "age_max", "area", "organisation", "since", "until", "at"];
// What only the list can be narrowed to, as its page names it; the map has none of these.
export const NARROWER = begin.narrower ? ["cell", "road", "point", "person"] : [];
const DEFAULTS = { layers: "cells,roads,points,problems", colour: "load", weight: "count", per: "ground", base: "own", open: "" };
const CHOICES = {
  colour: ["load", "overdue", "patrol"],
  weight: ["count", "severity", "age", "severity_age"],
  per: ["ground", "street_km", "patrol"],
};

function read(search) {
  const given = new URLSearchParams(search);
  const state = { filter: {} };
  for (const name of LISTS) if (given.get(name)) state.filter[name] = given.get(name).split(",").filter(Boolean);
  for (const name of FLAGS) if (given.get(name) === "1") state.filter[name] = true;
  for (const name of [...VALUES, ...NARROWER]) if (given.get(name)) state.filter[name] = given.get(name);
  // A link that was cut off or mistyped shows the map all the same.
  for (const name of TIMES) if (name in state.filter && Number.isNaN(Date.parse(state.filter[name]))) delete state.filter[name];
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const asked = given.get(name);
    state[name] = asked === null || (CHOICES[name] && !CHOICES[name].includes(asked)) ? value : asked;
  }
  state.layers = new Set(state.layers.split(",").filter(Boolean));
  return state;
}

class View extends EventTarget {
  constructor() {
    super();
    this.state = read(begin.view ?? location.search);
    addEventListener("popstate", () => {
      this.state = read(location.search);
      this.tell(new Set(["filter", "layers", "colour", "heat", "base", "open", "place"]));
    });
  }

  get filter() { return this.state.filter; }
  shows(layer) { return this.state.layers.has(layer); }

  // Parameters of a request: the filter and whatever else it needs.
  query(more = {}) {
    const query = {};
    for (const [name, value] of Object.entries(this.state.filter)) query[name] = Array.isArray(value) ? value.join(",") : value === true ? "1" : value;
    return { ...query, ...more };
  }

  search() {
    const query = new URLSearchParams(this.query());
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const now = name === "layers" ? [...this.state.layers].join(",") : this.state[name];
      if (now !== value) query.set(name, now);
    }
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    return text ? `?${text}` : "";
  }

  setFilter(changes, options) {
    const filter = { ...this.state.filter, ...changes };
    for (const [name, value] of Object.entries(filter)) {
      if (value === undefined || value === "" || value === false || (Array.isArray(value) && !value.length)) delete filter[name];
    }
    this.state.filter = filter;
    this.write("filter", options);
  }

  toggle(layer, on) {
    this.state.layers[on ? "add" : "delete"](layer);
    this.write("layers");
  }

  set(name, value, options) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.write(name === "weight" || name === "per" ? "heat" : name, options);
  }

  write(what, { replace = false } = {}) {
    if (!begin.embedded) history[replace ? "replaceState" : "pushState"](null, "", location.pathname + this.search() + location.hash);
    this.tell(new Set([what]));
  }

  writePlace(zoom, { lat, lng }) {
    if (begin.embedded) return;
    const digits = Math.max(2, Math.ceil(zoom / 4));
    history.replaceState(null, "", `${location.pathname}${this.search()}#${zoom}/${lat.toFixed(digits)}/${lng.toFixed(digits)}`);
  }

  place() {
    const match = /^#(\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(begin.place ?? location.hash);
    return match ? { zoom: Number(match[1]), lat: Number(match[2]), lng: Number(match[3]) } : null;
  }

  tell(changed) { this.dispatchEvent(new CustomEvent("change", { detail: changed })); }

  on(kinds, action) {
    this.addEventListener("change", ({ detail }) => { if (kinds.some((kind) => detail.has(kind))) action(detail); });
  }
}

export const view = new View();
