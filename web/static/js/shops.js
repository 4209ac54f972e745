// Shops from street level on: a dot each, by pledge and violations; and the card of one.

import { get } from "gridmap/api.js";
import { debounce, h } from "gridmap/dom.js";
import { day, gettext } from "gridmap/language.js";
import { toast } from "gridmap/toast.js";
import { view } from "gridmap/view.js";

const FROM = 15;
const MOST = 3000;
const colour = ({ standing, pledge_signed_on }) => (standing > 1 ? "#b3261e" : pledge_signed_on ? "#0b5a54" : "#d97706");

export class Shops {
  constructor(map, renderer) {
    this.map = map;
    this.renderer = renderer;
    this.group = L.layerGroup();
    map.on("moveend", debounce(() => this.load(), 200));
    view.on(["layers"], () => this.show());
  }

  show() {
    if (view.shows("shops")) this.group.addTo(this.map);
    else this.group.remove();
    this.load();
  }

  async load() {
    if (!view.shows("shops")) return;
    if (this.map.getZoom() < FROM) {
      this.group.clearLayers();
      return;
    }
    const seen = this.map.getBounds().pad(0.1);
    const bbox = [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()].map((degrees) => degrees.toFixed(6)).join(",");
    const page = await get("shops", "shops", { bbox, limit: MOST });
    if (!page) return;
    this.group.clearLayers();
    for (const { properties } of page.features) this.group.addLayer(this.dot(properties));
    if (page.next && !this.told) toast(gettext("Only the first {n} shops are shown; zoom in for all.", { n: MOST }));
    this.told = Boolean(page.next);
  }

  dot(shop) {
    const dot = L.circleMarker([shop.lat, shop.lon], {
      renderer: this.renderer, radius: this.map.getZoom() < 17 ? 3.4 : 5.5, color: "#fff", weight: 1.2, fillColor: colour(shop), fillOpacity: 0.95,
    });
    dot.bindTooltip(shop.name, { direction: "top" });
    return dot.on("click", (event) => { event.originalEvent.found = { kind: "shop", uid: shop.uid }; });
  }
}

export function shopCard(shop, { fact, holders }) {
  return [
    h("h2", {}, shop.name),
    h("p", { className: "muted line" }, [shop.trade, shop.address, shop.area?.name].filter(Boolean).join(" · ")),
    shop.pledge_signed_on
      ? h("p", { className: "line" }, gettext("Pledge signed {day}", { day: day(shop.pledge_signed_on) }))
      : h("p", { className: "alert" }, gettext("No pledge is in force.")),
    h("p", { className: "note" }, shop.next_step_why),
    h("dl", { className: "facts" },
      fact(gettext("Violations that count"), String(shop.standing)), fact(gettext("Next step"), shop.next_step_name),
      fact(gettext("Run by"), shop.owner), fact(gettext("Phone"), shop.phone), fact(gettext("Licence number"), shop.licence),
      fact(gettext("Enforced by"), shop.organisation?.name), fact(gettext("Cell"), shop.cell?.name), fact(gettext("Road"), shop.road?.name)),
    holders.length ? h("section", {}, h("h3", {}, gettext("Who is responsible")), h("ul", { className: "holders" }, holders)) : null,
    h("p", {}, h("a", { className: "button primary", href: `/shops/${shop.uid}` }, gettext("Open the shop's record"))),
  ];
}
