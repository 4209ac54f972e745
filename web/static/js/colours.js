// Classes of the cells' colours; the same rules as web/appearance.py.

import { begin } from "gridmap/begin.js";
import { gettext, number, percent } from "gridmap/language.js";

const { ramps, breaks, missing } = begin.look;

export function loadBreaks(values) {
  const found = values.filter((value) => value > 0).sort((a, b) => a - b);
  if (!found.length) return [1, 2, 3, 4, 5];
  const top = Math.max(found[Math.trunc(0.95 * (found.length - 1))], 5);
  const step = 10 ** Math.max(String(Math.trunc(top)).length - 2, 0);
  const bounds = [1];
  for (const share of [0.15, 0.35, 0.6, 1]) bounds.push(Math.max(Math.round((share * top) / step) * step, bounds.at(-1) + 1));
  return bounds;
}

export class Scale {
  constructor(kind, values) {
    this.kind = kind;
    this.colours = ramps[kind];
    this.breaks = kind === "load" ? loadBreaks(values) : breaks[kind];
  }

  of(value) {
    if (value === undefined || value === null || Number.isNaN(value)) return missing;
    let index = 0;
    while (index < this.breaks.length && value >= this.breaks[index]) index += 1;
    return this.colours[index];
  }

  labels() {
    const show = this.kind === "overdue" ? percent : number;
    const whole = this.kind === "load";
    return this.colours.map((colour, index) => {
      const from = index ? this.breaks[index - 1] : 0;
      const to = this.breaks[index];
      let text;
      if (to === undefined) text = gettext("{n} and more", { n: show(from) });
      else if (whole && to - 1 <= from) text = show(from);
      else text = `${show(from)}–${show(whole ? to - 1 : to)}`;
      return { colour, text };
    });
  }
}

export const titles = {
  load: () => gettext("Unresolved problems per cell"),
  overdue: () => gettext("Overdue share of the unresolved"),
  patrol: () => gettext("Days since the last patrol"),
};
