// Search with a list box, after the combobox pattern of the ARIA practices.

import { get } from "gridmap/api.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";
import { view } from "gridmap/view.js";

const KINDS = {
  cell: () => gettext("Cell"), point: () => gettext("Point"), road: () => gettext("Road"), area: () => gettext("Area"),
  shop: () => gettext("Shop"), street: () => gettext("Street"), person: () => gettext("Person"), problem: () => gettext("Problem"), address: () => gettext("Address"),
};

export function addSearch(map) {
  const input = byId("search");
  const list = byId("search-results");
  let found = [];
  let active = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  };

  const mark = (index) => {
    active = (index + found.length) % found.length;
    [...list.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[active].id);
  };

  const choose = (one) => {
    close();
    input.value = one.name;
    if (one.bounds) map.fitBounds([[one.bounds[1], one.bounds[0]], [one.bounds[3], one.bounds[2]]], { maxZoom: 17, padding: [40, 40] });
    else if (one.lon !== undefined && one.lon !== null) map.setView([one.lat, one.lon], Math.max(map.getZoom(), 17));
    if (one.kind === "area") view.setFilter({ area: one.uid });
    if (["cell", "point", "road", "shop", "problem"].includes(one.kind)) view.set("open", `${one.kind}/${one.uid}`);
  };

  const show = () => {
    list.replaceChildren(...(found.length
      ? found.map((one, index) => h("li", { id: `result-${index}`, role: "option", "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(one); } },
        h("span", { className: `kind ${one.kind}` }, KINDS[one.kind]?.() ?? one.kind), h("span", { className: "name" }, one.name), h("small", {}, one.detail ?? "")))
      : [h("li", { className: "empty", role: "option", "aria-disabled": "true", "aria-selected": "false" }, gettext("Nothing found. Try a name, code, address, person or case number."))]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };

  const ask = debounce(async () => {
    const text = input.value.trim();
    if (!text) { close(); return; }
    const answer = await get("search", "search", { q: text });
    if (!answer || input.value.trim() !== text) return;
    found = Array.isArray(answer) ? answer : (answer.results ?? []);
    show();
  }, 180);

  input.addEventListener("input", ask);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); return; }
    if (list.hidden || !found.length) { if (event.key === "ArrowDown") ask(); return; }
    if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active < 0 ? found.length - 1 : active - 1);
    else if (event.key === "Enter") choose(found[Math.max(active, 0)]);
    else return;
    event.preventDefault();
  });
}
