// The public form: the pin stands in the middle of the map, photos are shown before they are sent.

import { BASE } from "gridmap/api.js";
import { byId, debounce, h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";
import { publicMap } from "gridmap/public_base.js";

const form = byId("report-form");
const map = publicMap(15);
const field = (name) => form.elements[name];

if (field("lon").value) map.setView([Number(field("lat").value), Number(field("lon").value)], 17, { animate: false });

const near = byId("near");
const look = debounce(async () => {
  if (!field("lon").value || !field("category").value) return;
  const query = new URLSearchParams({ at: `${field("lon").value},${field("lat").value}`, category: field("category").value });
  const answer = await fetch(`${BASE}near.json?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
  const found = answer?.ok ? (await answer.json()).problems : [];
  near.hidden = !found.length;
  near.querySelector("ul").replaceChildren(...found.map(({ category, text, address, status }) => h("li", {}, [category, text, address, status].filter(Boolean).join(" · "))));
}, 500);

function place() {
  const { lat, lng } = map.getCenter();
  field("lon").value = lng.toFixed(7);
  field("lat").value = lat.toFixed(7);
  look();
}
map.on("moveend", place);
place();
field("category").addEventListener("change", look);

// Only what the chosen category asks is shown and sent.
const questions = form.querySelectorAll("fieldset[data-of]");
function ask() {
  for (const one of questions) one.hidden = one.disabled = one.dataset.of !== field("category").value;
}
field("category").addEventListener("change", ask);
addEventListener("pageshow", ask);

const locate = byId("locate");
if (navigator.geolocation && window.isSecureContext) {
  locate.hidden = false;
  locate.addEventListener("click", () => {
    locate.disabled = true;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      map.setView([coords.latitude, coords.longitude], 18);
      locate.disabled = false;
    }, () => {
      locate.disabled = false;
      byId("place-fault").hidden = false;
      byId("place-fault").textContent = gettext("Your device did not say where you are; move the map by hand.");
    }, { enableHighAccuracy: true, timeout: 15000 });
  });
}

const photos = field("photo");
photos.addEventListener("change", () => {
  const most = Number(photos.dataset.most);
  photos.setCustomValidity(photos.files.length > most ? gettext("At most {n} photos.", { n: most }) : "");
  byId("previews").replaceChildren(...[...photos.files].slice(0, most).map((file) => h("img", { src: URL.createObjectURL(file), alt: file.name })));
});
form.addEventListener("submit", () => { byId("send").disabled = true; });
addEventListener("pageshow", () => { byId("send").disabled = false; });
document.body.dataset.ready = "yes";
