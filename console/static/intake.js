// Intake: a click on the map fills in the point, and who saw it suggests how sure it is. Without it the form works, too.

import { makeMap } from "./map.js";

const form = document.getElementById("intake");
const element = document.getElementById("map");
const picked = document.getElementById("picked");

function pick(lat, lon) {
  form.elements.lat.value = lat.toFixed(5);
  form.elements.lon.value = lon.toFixed(5);
  picked.textContent = `${picked.dataset.said} ${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  picked.hidden = false;
}

function suggest() {
  const seenBy = form.elements.seen_by.selectedOptions[0];
  const credibility = form.elements.credibility;
  if (!credibility.dataset.chosen) credibility.value = seenBy.dataset.usual ?? "";
}

if (form.elements.credibility.value) form.elements.credibility.dataset.chosen = "yes";
form.elements.credibility.addEventListener("change", (event) => { event.target.dataset.chosen = event.target.value; });
form.elements.seen_by.addEventListener("change", suggest);

if (window.L) {
  element.hidden = false;
  const { lat, lon, zoom } = element.dataset;
  makeMap(element, {
    pmtilesUrl: "/static/base.pmtiles",
    home: [Number(form.elements.lat.value || lat), Number(form.elements.lon.value || lon)],
    zoom: Number(zoom),
    onPick: pick,
  });
}
document.getElementById("problems")?.focus();
