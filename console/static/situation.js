// The situation while it changes: rows, feed and map follow the stream; a pause holds them back and says how much waits.

import { follow } from "./live.js";
import { makeSound } from "./sound.js";
import { elementFrom, place, refresh, replaceInside } from "./swapping.js";

const NEW_FOR = 60_000; // ms that a row is marked as new
const PAUSED = "vigie-paused";
const by = (id) => document.getElementById(id);

const page = by("situation");
const rows = by("rows");
const lines = by("lines");
const ring = makeSound(by("sound"));
const features = new Map();
const waiting = { incidents: new Map(), lines: new Map(), gone: new Set(), whole: false };
let held = null; // since when the page is paused
let isBlind = !by("blind-note").hidden;
let isLost = false;
let isDue = false;
let map = null;
const usualTitle = document.title;
const ahead = Date.parse(page.dataset.now) - Date.now(); // ms; a clock of this machine may be wrong, a drill has its own
const now = () => new Date(Date.now() + ahead);

// What came waits here until the next picture is drawn, or until the pause is over.

function onIncident(told) {
  waiting.incidents.delete(told.id);
  waiting.incidents.set(told.id, told);
}

function onFeed(told) {
  if (told.whole) {
    waiting.lines.clear();
    waiting.gone.clear();
    waiting.whole = true;
  }
  for (const line of told.lines) {
    waiting.lines.set(line.id, line.html);
    waiting.gone.delete(line.id);
  }
  for (const id of told.gone) {
    waiting.lines.delete(id);
    waiting.gone.add(id);
    by(`line-${id}`)?.remove(); // words that were taken back go at once, paused or not
  }
}

function onListening(told) {
  isBlind = told.blind;
  if (by("listening").innerHTML !== told.html) replaceInside(by("listening"), told.html);
  showCalm();
}

function onBatch() {
  if (held) showHeld();
  else if (!isDue) {
    isDue = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  isDue = false;
  if (held) return;
  const risen = [...waiting.incidents.values()].map(drawIncident).filter((row) => row !== null);
  drawLines();
  if (waiting.incidents.size) map?.setIncidents([...features.values()]);
  waiting.incidents.clear();
  if (risen.length) announce(risen);
  showCalm();
}

// Incidents

function drawIncident({ id, html, feature }) {
  if (feature) features.set(id, feature);
  else features.delete(id);
  const shown = by(`incident-${id}`);
  if (!html) {
    shown?.remove();
    return null;
  }
  const fresh = elementFrom(`<table><tbody>${html}</tbody></table>`).querySelector("tr");
  const isRisen = !shown || Number(fresh.dataset.rank) < Number(shown.dataset.rank);
  if (shown) refresh(shown, fresh);
  const row = shown ?? fresh;
  place(rows, row, follower(row));
  return isRisen ? row : null;
}

function follower(row) {
  for (const other of rows.children) {
    if (other !== row && comesBefore(row, other)) return other;
  }
  return null;
}

function comesBefore(row, other) {
  const ranks = Number(row.dataset.rank) - Number(other.dataset.rank);
  if (ranks) return ranks < 0;
  const raised = Number(other.dataset.raised) - Number(row.dataset.raised);
  return raised ? raised < 0 : row.id < other.id;
}

function announce(risen) {
  ring(risen.map((row) => row.dataset.level));
  by("announced").textContent = risen.map((row) => row.dataset.say).join(". ");
  for (const row of risen) {
    row.classList.add("is-new");
    setTimeout(() => row.classList.remove("is-new"), NEW_FOR);
  }
}

// The feed

function drawLines() {
  if (waiting.whole) {
    for (const line of [...lines.children]) if (!waiting.lines.has(line.id.slice("line-".length))) line.remove();
  }
  for (const [id, html] of waiting.lines) {
    const shown = by(`line-${id}`);
    const fresh = elementFrom(html);
    if (shown) refresh(shown, fresh);
    const line = shown ?? fresh;
    line.hidden = !isWanted(line);
    const at = Number(line.dataset.at);
    const next = [...lines.children].find((other) => other !== line && Number(other.dataset.at) <= at);
    place(lines, line, next ?? null);
  }
  while (lines.children.length > Number(page.dataset.most)) lines.lastElementChild.remove();
  waiting.lines.clear();
  waiting.gone.clear();
  waiting.whole = false;
}

function isWanted(line) {
  const filter = by("filter");
  if (!filter) return true;
  const { who, hazard } = Object.fromEntries(new FormData(filter));
  const hasWho = !who || line.dataset.who.split(" ").includes(who);
  return hasWho && (!hazard || line.dataset.hazards.split(" ").includes(hazard));
}

by("filter")?.addEventListener("change", () => {
  for (const line of lines.children) line.hidden = !isWanted(line);
  const asked = new URLSearchParams([...new FormData(by("filter"))].filter(([, value]) => value));
  history.replaceState(null, "", asked.size ? `/?${asked}` : "/");
});
by("filter")?.addEventListener("submit", (event) => event.preventDefault());
by("filter")?.querySelector("button").setAttribute("hidden", "");

// Whether nothing is shown because nothing is there, or because nobody is looking

function showCalm() {
  const isEmpty = rows.children.length === 0;
  by("incidents-count").textContent = String(rows.children.length);
  by("incidents-table").hidden = isEmpty;
  by("blind-note").hidden = !(isBlind || isLost);
  by("calm").hidden = !isEmpty || isBlind || isLost;
  by("no-lines").hidden = lines.children.length > 0 || isBlind || isLost;
  showBeyond();
}

// A wall is not scrolled: it says how many incidents stand where nobody sees them.
function showBeyond() {
  if (!by("beyond")) return;
  const edge = document.querySelector(".incidents").getBoundingClientRect().bottom;
  const count = [...rows.children].filter((row) => row.getBoundingClientRect().bottom > edge).length;
  by("beyond").hidden = count === 0;
  by("beyond-count").textContent = String(count);
}

function onLost(since) {
  isLost = true;
  by("lost-since").textContent = timeOf(new Date(since.getTime() + ahead));
  by("lost").hidden = false;
  by("listening").hidden = true;
  document.title = `⚠ ${usualTitle}`;
  showCalm();
}

function onBack() {
  isLost = false;
  by("lost").hidden = true;
  by("listening").hidden = false;
  document.title = usualTitle;
  showCalm();
}

function timeOf(moment) {
  return moment.toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: page.dataset.zone,
  });
}

// The pause

const pause = by("pause");

function showHeld() {
  if (!pause) return;
  const count = waiting.incidents.size + waiting.lines.size;
  const worst = [...waiting.incidents.values()].some(({ id, level }) => level === "alert" && isRise(id, level));
  pause.setAttribute("aria-pressed", String(Boolean(held)));
  pause.textContent = held
    ? `${pause.dataset.resume} (${count} ${pause.dataset.waiting})${worst ? " ▲" : ""}`
    : pause.dataset.pause;
  pause.classList.toggle("is-urgent", worst);
  by("held").hidden = !held;
  if (held) by("held-since").textContent = timeOf(held);
}

function isRise(id, level) {
  return by(`incident-${id}`)?.dataset.level !== level;
}

function hold(since) {
  held = since;
  try {
    if (since) sessionStorage.setItem(PAUSED, since.toISOString());
    else sessionStorage.removeItem(PAUSED);
  } catch {
    // storage is forbidden here: the pause lasts as long as the page
  }
  showHeld();
  if (!since) onBatch();
}

pause?.addEventListener("click", () => hold(held ? null : now()));

// Time goes on although nothing is told

function lasted(since) {
  const minutes = Math.max(0, Math.floor((now() - since) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

function tick() {
  if (by("wall-clock")) by("wall-clock").textContent = timeOf(now());
  for (const one of rows.querySelectorAll("[data-since]")) {
    const text = lasted(Date.parse(one.dataset.since));
    if (one.textContent !== text) one.textContent = text;
  }
}

// The map: the table says all of it, so that the page does without

async function showMap() {
  const element = by("map");
  const { lat, lon, zoom, boundaries, online, attribution } = element.dataset;
  try {
    const { makeMap } = await import("./map.js");
    by("no-map").remove();
    map = makeMap(element, {
      pmtilesUrl: "/static/base.pmtiles",
      boundariesUrl: boundaries || undefined,
      online: online ? { template: online, attribution } : undefined,
      home: [Number(lat), Number(lon)],
      zoom: Number(zoom),
    });
    const found = await fetch("/situation.geojson");
    for (const feature of (await found.json()).features) {
      if (by(`incident-${feature.id}`) && !features.has(feature.id)) features.set(feature.id, feature);
    }
    map.setIncidents([...features.values()]);
  } catch (error) {
    console.error(`map: ${error}`);
    element.hidden = true;
  }
}

rows.style.setProperty("--new-word", JSON.stringify(rows.dataset.new));
document.querySelector(".strip .controls")?.removeAttribute("hidden");
try {
  const since = sessionStorage.getItem(PAUSED);
  if (since && pause) hold(new Date(since));
} catch {
  // storage is forbidden here: nothing is held
}
tick();
showBeyond();
addEventListener("resize", showBeyond);
setInterval(tick, 10_000);
showMap();
follow(page.dataset.after, {
  incident: onIncident,
  feed: onFeed,
  listening: onListening,
  batch: onBatch,
  lost: onLost,
  back: onBack,
});
