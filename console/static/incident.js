// The page of an incident: its chart, its small map, links that are shown on demand, and word of a newer revision.
// All of it only adds: the page says the same without it.

import { clock, resolvedColour } from "./chart.js";
import { follow } from "./live.js";
import { makeMap } from "./map.js";

/* global L, protomapsL, uPlot */

const SPAN = 600; // seconds that a row of the table of rates stands for
const LEAST = 3600; // seconds that the chart shows, else all its hours are the same
const page = document.querySelector(".incident-page");
// Not where the browser is: a form that was refused comes back under the address that it was sent to.
const address = `/incidents/${encodeURIComponent(page.dataset.incident)}`;

// Links -----------------------------------------------------------------------------------------------------------

document.addEventListener("toggle", async (event) => {
  const form = event.target.matches?.("details.reveal[open]") && event.target.querySelector("form");
  if (!form) return;
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
  if (!answer.ok) return; // the button is still there
  const { url, host } = await answer.json();
  const link = document.createElement("a");
  Object.assign(link, { href: url, textContent: host, rel: "noopener noreferrer", target: "_blank" });
  link.referrerPolicy = "no-referrer";
  form.replaceWith(link);
}, true);

// The chart -------------------------------------------------------------------------------------------------------

let chart = null;

function drawChart() {
  chart?.destroy();
  chart = null;
  const place = document.querySelector(".chart");
  const rows = [...document.querySelectorAll("#rates-table tbody tr")];
  if (!place || !rows.length || typeof uPlot === "undefined") return;
  place.classList.add("is-drawn"); // before that, it has no width
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const resolved = (name) => resolvedColour(colour(name));
  const { zone, onset, usual, time, observed, strong, expected, beginning } = place.dataset;
  const column = (name) => rows.map((row) => Number(row.dataset[name]));
  const until = column("at").at(-1) + SPAN;
  const lasting = (name) => [...column(name), column(name).at(-1)]; // the last span has a width, too
  const shown = { value: (_, value) => value ?? "" };
  const ink = resolved("--ink-soft");
  const axis = { stroke: ink, grid: { stroke: resolved("--line"), width: 1 }, ticks: { stroke: resolved("--line") } };
  const stepped = uPlot.paths.stepped({ align: 1 });
  chart = new uPlot({
    width: place.clientWidth,
    height: 220,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    scales: { x: { range: (_, low) => [low, Math.max(until, low + LEAST)] }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
    axes: [{ ...axis, values: clock(zone) }, { ...axis, size: 40 }],
    series: [
      { label: time, value: (_, at) => (at === null ? "" : clock(zone)(null, [at])[0]) },
      { ...shown, label: observed, stroke: resolved("--accent"), width: 2, paths: stepped, points: { show: false } },
      { ...shown, label: strong, stroke: resolved("--danger"), width: 2, dash: [2, 3], paths: stepped, points: { show: false } },
      { ...shown, label: expected, stroke: ink, width: 1, dash: [8, 4], points: { show: false } },
    ],
    hooks: { draw: [(u) => markOnset(u, Date.parse(onset) / 1000, beginning, resolved("--ink"))] },
  }, [[...column("at"), until], lasting("posts"), lasting("strong"), lasting("at").map(() => Number(usual))], place);
}

function markOnset(u, at, words, ink) {
  if (at < u.scales.x.min || at > u.scales.x.max) return;
  const x = u.valToPos(at, "x", true);
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.fillStyle = ink;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(x, u.bbox.top);
  ctx.lineTo(x, u.bbox.top + u.bbox.height);
  ctx.stroke();
  ctx.textAlign = x > u.bbox.left + u.bbox.width / 2 ? "right" : "left";
  ctx.fillText(words, x + (ctx.textAlign === "right" ? -6 : 6), u.bbox.top + 12 * devicePixelRatio);
  ctx.restore();
}

addEventListener("resize", () => {
  const place = document.querySelector(".chart");
  if (chart && place?.clientWidth) chart.setSize({ width: place.clientWidth, height: 220 });
});
document.addEventListener("themechange", drawChart);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawChart);

// The map ---------------------------------------------------------------------------------------------------------

function drawMap() {
  const place = document.querySelector(".incident-map");
  if (!place || typeof L === "undefined" || typeof protomapsL === "undefined") return;
  const { id, level, hazard, precision, name, radius, lat, lon, online, attribution } = place.dataset;
  const at = [Number(lat), Number(lon)];
  place.hidden = false;
  const map = makeMap(place, {
    pmtilesUrl: "/static/base.pmtiles",
    online: online ? { template: online, attribution } : undefined,
    home: precision === "unknown" ? at : undefined, // nothing is drawn there, but whoever knows better points near it
    onPick: point,
  });
  map.setIncidents([{
    type: "Feature",
    geometry: { type: "Point", coordinates: [at[1], at[0]] },
    properties: { id, level, hazard, precision, name, radius_km: Number(radius), href: address },
  }]);
}

function point(lat, lon) {
  const form = document.getElementById("relocate-form");
  if (!form) return;
  form.closest("details").open = true;
  form.elements.lat.value = lat.toFixed(5);
  form.elements.lon.value = lon.toFixed(5);
}

// A newer revision: it is offered, and taken in without touching what is being typed. One that answers a decision which
// was made here is shown at once, where nothing is typed ----------------------------------------------------------

const ANSWERED_WITHIN = 3_000; // ms; who has his answer so soon need not be told that he waits
const AGAIN_AFTER = 10_000; // ms
const newer = document.getElementById("newer");

function watch() {
  const lost = document.getElementById("lost");
  follow(page.dataset.sequence, {
    incident: ({ id }) => { if (id === page.dataset.incident) ask(); },
    lost: () => { lost.hidden = false; },
    back: () => { lost.hidden = true; },
  });
}

async function ask() {
  const answer = await fetch(`${address}/newest`);
  if (!answer.ok) return;
  const { revision, decided, decided_by: name } = await answer.json();
  const known = Number(document.querySelector('input[name="known"]')?.value ?? decided);
  const isRevised = revision > Number(page.dataset.revision);
  if (!isRevised && decided <= known) return;
  if (isRevised && document.getElementById("awaited") && !isTyping()) {
    const had = document.activeElement;
    if (!await show()) return;
    document.getElementById("shown").textContent = document.getElementById("shown").dataset.text.replace("{number}", revision);
    if (!had.isConnected) focusTop();
    return;
  }
  const { text, decided: words } = newer.dataset;
  newer.querySelector("span").textContent = isRevised ? text.replace("{number}", revision) : words.replace("{name}", name);
  newer.hidden = false;
}

function isTyping() {
  const fields = [...document.querySelectorAll('#actions :is(input, textarea, select), input[name="post_keys"]')];
  return fields.some((one) => {
    if (one === document.activeElement) return true;
    if (one.type === "radio" || one.type === "checkbox") return one.checked !== one.defaultChecked;
    if (one.options) return one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected));
    return one.type !== "hidden" && one.value !== one.defaultValue;
  });
}

newer.querySelector("button").addEventListener("click", async () => {
  if (!await show()) return location.reload();
  focusTop();
});

function focusTop() {
  document.querySelector("h1").tabIndex = -1;
  document.querySelector("h1").focus();
}

async function freshPage() {
  const answer = await fetch(address + location.search);
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

/** Show what is newest; tell whether it could be had. */
async function show() {
  const fresh = await freshPage();
  if (!fresh) return false;
  const ticked = new Set([...document.querySelectorAll('input[name="post_keys"]:checked')].map((one) => one.value));
  const isForms = !isTyping();
  for (const old of document.querySelectorAll(isForms ? "[data-live], #actions" : "[data-live]")) swap(old, fresh);
  for (const one of document.querySelectorAll('input[name="post_keys"]')) one.checked = ticked.has(one.value);
  for (const name of ["known", "revision"]) {
    const value = fresh.querySelector(`input[name="${name}"]`)?.value;
    for (const one of document.querySelectorAll(`#actions input[name="${name}"]`)) one.value = value ?? one.value;
  }
  page.dataset.revision = fresh.querySelector(".incident-page").dataset.revision;
  newer.hidden = true;
  drawChart();
  drawMap();
  return true;
}

function swap(old, fresh) {
  const one = fresh.getElementById(old.id);
  if (!one) return;
  const opened = new Set([...old.querySelectorAll("details[open]")].map(nameOf));
  old.replaceWith(document.adoptNode(one));
  for (const details of one.querySelectorAll("details")) if (opened.has(nameOf(details))) details.open = true;
}

function nameOf(details) {
  return details.querySelector("summary").textContent;
}

/** Say that a decision waits for its answer, unless that comes at once; look what became of it. */
function awaitAnswer() {
  const waits = document.getElementById("awaited");
  if (!waits) return;
  waits.hidden = true;
  setTimeout(() => { waits.hidden = false; }, ANSWERED_WITHIN);
  const looking = setInterval(async () => {
    const fresh = await freshPage();
    const [shown, now] = [document, fresh].map((one) => one?.getElementById("awaited"));
    if (!shown) clearInterval(looking);
    else if (fresh && !now) shown.remove();
    else if (now && now.textContent !== shown.textContent) shown.replaceWith(document.adoptNode(now));
  }, AGAIN_AFTER);
}

// -----------------------------------------------------------------------------------------------------------------

document.getElementById("problems")?.focus();
document.getElementById("since")?.focus();
drawChart();
drawMap();
awaitAnswer();
watch();
