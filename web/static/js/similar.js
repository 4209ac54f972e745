// Open problems near a place that may be the same thing: asked for and shown while recording and while checking.

import { get } from "gridmap/api.js";
import { h } from "gridmap/dom.js";
import { ago, gettext } from "gridmap/language.js";

const nameOf = (one) => one?.name ?? "";

// The likeliest first; undefined when a newer question took this one's place. `but` is a uid that is left out.
export async function findSimilar({ lng, lat }, { category, but } = {}) {
  const found = await get("similar", "problems/similar", { lon: lng.toFixed(7), lat: lat.toFixed(7), ...(category ? { category } : {}), ...(but ? { limit: 6 } : {}) });
  return found?.problems.filter(({ uid }) => uid !== but).slice(0, 5);
}

function picture(src, text, alt) {
  return h("figure", {}, src ? h("img", { src, alt, width: 120, height: 90, loading: "lazy" }) : h("span", { className: "no-photo" }, gettext("no photo")), text ? h("figcaption", {}, text) : null);
}

// A list of them. `act(one)` makes what stands beside each; with `own` (the address of a photo, or null) each photo
// stands beside it.
export function similarList(problems, act, own) {
  return h("ul", {}, problems.map((one) => {
    const alt = gettext("Photo of No. {number}", { number: one.number });
    return h("li", {},
      own === undefined
        ? (one.photo ? h("img", { src: one.photo, alt, width: 72, height: 54, loading: "lazy" }) : null)
        : !own && !one.photo ? null : h("div", { className: "photo-pair" }, picture(own, gettext("This problem"), gettext("Photo of this problem")), picture(one.photo, gettext("No. {number}", { number: one.number }), alt)),
      h("div", { className: "similar-said" }, h("b", {}, nameOf(one.category)),
        h("small", {}, [gettext("No. {number}", { number: one.number }), one.state_name, gettext("{metres} m away", { metres: Math.round(one.metres) }), gettext("{ago} ago", { ago: ago(one.found_at) })].join(" · ")),
        one.address && own !== undefined ? h("small", {}, one.address) : null,
        one.description ? h("small", {}, one.description.slice(0, 60)) : null),
      act(one));
  }));
}
