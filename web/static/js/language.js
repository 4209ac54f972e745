// Texts, numbers and times in the reader's language.

import { begin, locale } from "gridmap/begin.js";

export function gettext(message, places = {}) {
  const text = begin.messages[message] ?? message;
  return text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

const integer = new Intl.NumberFormat(locale);
const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
// Swedish writes as the pages do: 2026-03-01 08:30.
const moment = new Intl.DateTimeFormat("sv-SE", {
  timeZone: begin.timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false,
});
const isoDay = new Intl.DateTimeFormat("sv-SE", { timeZone: begin.timezone, year: "numeric", month: "2-digit", day: "2-digit" });

export const number = (value) => (value === null || value === undefined ? "–" : integer.format(value));
export const percent = (value) => (Number.isFinite(value) ? share.format(value) : "–");
export const compact = (value) => short.format(value);
export const time = (text) => (text ? moment.format(new Date(text)) : "–");
export const day = (text) => (text ? isoDay.format(new Date(text)) : "–");
export const localDay = (date) => isoDay.format(date);

// "3 days" left or gone, in whole units.
export function ago(text, now = Date.now()) {
  const hours = Math.abs(now - new Date(text)) / 3.6e6;
  if (hours < 1) return gettext("{n} min", { n: Math.floor(hours * 60) });
  if (hours < 48) return gettext("{n} h", { n: Math.floor(hours) });
  return gettext("{n} days", { n: Math.floor(hours / 24) });
}
