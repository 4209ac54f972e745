// Found per day as a histogram; a slider sets the moment of the map, a drag the days that count.

import { get } from "gridmap/api.js";
import { byId, debounce, svg } from "gridmap/dom.js";
import { day, gettext, localDay, number } from "gridmap/language.js";
import { view } from "gridmap/view.js";

const HEIGHT = 44;
const STEP_MS = 700;

export class Timeline extends EventTarget {
  constructor() {
    super();
    this.days = [];
    this.slider = byId("moment");
    this.play = byId("play");
    this.slider.addEventListener("input", () => { this.say(); this.settle(); });
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    byId("now").addEventListener("click", () => {
      this.stop();
      // A move that has not settled yet must not win over the way back.
      this.slider.value = this.days.length;
      this.say();
      view.setFilter({ at: undefined });
    });
    byId("histogram").addEventListener("pointerdown", (event) => this.brush(event));
    view.on(["filter"], () => this.refresh());
    addEventListener("resize", debounce(() => this.draw(), 150));
  }

  settle = debounce(() => {
    const last = Number(this.slider.value) >= this.days.length;
    view.setFilter({ at: last ? undefined : this.endOf(Number(this.slider.value)) }, { replace: true });
  }, 180);

  // The end of day `index`, as the API takes it.
  endOf(index) {
    const next = new Date(`${this.days[index].day}T00:00:00Z`);
    next.setUTCDate(next.getUTCDate() + 1);
    return next.toISOString().slice(0, 10);
  }

  async refresh() {
    const summary = await get("summary", "summary", view.query());
    if (!summary) return;
    this.days = this.filled(summary.days ?? summary.histogram ?? []);
    this.slider.max = this.days.length;
    this.slider.disabled = this.play.disabled = this.days.length < 2;
    const shown = view.filter.at ? this.days.findIndex((_, index) => this.endOf(index) === view.filter.at.slice(0, 10)) : -1;
    this.slider.value = shown < 0 ? this.days.length : shown;
    this.draw();
    this.dispatchEvent(new CustomEvent("summary", { detail: summary }));
  }

  // Days without a problem are days too.
  filled(days) {
    if (!days.length) return [];
    const known = new Map(days.map((one) => [one.day, one]));
    const all = [];
    const last = days.at(-1).day;
    for (const at = new Date(`${days[0].day}T00:00:00Z`); all.length < 4000; at.setUTCDate(at.getUTCDate() + 1)) {
      const key = at.toISOString().slice(0, 10);
      all.push(known.get(key) ?? { day: key, found: 0, closed: 0 });
      if (key >= last) break;
    }
    return all;
  }

  draw() {
    const place = byId("histogram");
    const width = place.clientWidth || 600;
    const count = this.days.length;
    place.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const most = Math.max(...this.days.map(({ found }) => found), 1);
    const step = width / Math.max(count, 1);
    const { since, until } = view.filter;
    const chosen = ({ day: at }) => (!since || at >= localDay(new Date(since))) && (!until || at < localDay(new Date(until)));
    const bars = this.days.map((one, index) => {
      const height = Math.max((HEIGHT - 4) * (one.found / most), one.found ? 1.5 : 0);
      return svg("rect", { x: index * step + 0.5, y: HEIGHT - height, width: Math.max(step - 1, 0.8), height, class: `${chosen(one) ? "in" : "out"}${index > Number(this.slider.value) ? " later" : ""}` });
    });
    place.replaceChildren(...bars);
    byId("first-day").textContent = count ? day(this.days[0].day) : "";
    byId("last-day").textContent = count ? day(this.days.at(-1).day) : "";
    byId("timeline").classList.toggle("none", !count);
    this.say();
  }

  say() {
    const index = Number(this.slider.value);
    const one = this.days[index];
    const text = one ? gettext("as of {day}", { day: day(one.day) }) : gettext("now");
    byId("moment-text").textContent = text;
    this.slider.setAttribute("aria-valuetext", one ? gettext("{day}: {found} found, {closed} closed", { day: day(one.day), found: number(one.found), closed: number(one.closed) }) : text);
    byId("now").hidden = !one;
    byId("histogram").querySelectorAll("rect").forEach((bar, place) => bar.classList.toggle("later", place > index));
  }

  start() {
    if (Number(this.slider.value) >= this.days.length) this.slider.value = 0;
    this.play.setAttribute("aria-pressed", "true");
    this.play.setAttribute("aria-label", gettext("Pause"));
    const stride = Math.max(1, Math.round(this.days.length / 60));
    this.timer = setInterval(() => {
      const next = Number(this.slider.value) + stride;
      this.slider.value = next;
      this.say();
      this.settle();
      if (next >= this.days.length) this.stop();
    }, STEP_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.setAttribute("aria-pressed", "false");
    this.play.setAttribute("aria-label", gettext("Play"));
  }

  brush(down) {
    const place = byId("histogram");
    const box = place.getBoundingClientRect();
    const index = (event) => Math.min(this.days.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * this.days.length)));
    const from = index(down);
    const up = (event) => {
      place.removeEventListener("pointerup", up);
      const to = index(event);
      if (!this.days.length) return;
      if (from === to) view.setFilter({ since: undefined, until: undefined });
      else view.setFilter({ since: this.days[Math.min(from, to)].day, until: this.endOf(Math.max(from, to)) });
    };
    place.setPointerCapture(down.pointerId);
    place.addEventListener("pointerup", up);
  }
}
