// The situation while it changes: rows, feed and map follow the stream. A pause holds them back and says how much waits;
// an incident that is new, or rises, does not wait.

import { now, setTime } from "./clock.js";
import { follow } from "./live.js";
import { makeSound } from "./sound.js";
import { elementFrom, place, refresh, replaceInside } from "./swapping.js";

const NEW_FOR = 60_000; // ms that a row is marked as new, and that the list says what is over
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
let isFilling = page.hasAttribute("data-filling");
let isLost = false;
let isDue = false;
let map = null;
const title = document.title.replace(/^\(\d+\) /, "");

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
  isFilling = told.filling;
  if (by("listening").innerHTML !== told.html) replaceInside(by("listening"), told.html);
  showCalm();
}

function onBatch() {
  if (isDue) return;
  isDue = true;
  if (document.hidden) setTimeout(draw, 0); // no picture is drawn of a page behind others, and it must be heard
  else requestAnimationFrame(draw);
}

document.addEventListener("visibilitychange", () => document.hidden && isDue && draw());

function draw() {
  isDue = false;
  const due = [...waiting.incidents.values()].filter((told) => !held || isRise(told));
  const drawn = due.map(drawIncident);
  for (const { id } of due) waiting.incidents.delete(id);
  if (!held) drawLines();
  if (due.length) map?.setIncidents([...features.values()]);
  announce(drawn.filter((one) => one !== null));
  showHeld();
  showCalm();
}

// Incidents

function isRise({ id, html, height }) {
  const shown = by(`incident-${id}`);
  return html !== "" && (!shown || height < Number(shown.dataset.height));
}

/** Draw what was told of an incident; return its row where it is new or risen, its line where it is over, else null. */
function drawIncident(told) {
  const { id, html, feature, over } = told;
  if (feature) features.set(id, feature);
  else features.delete(id);
  const shown = by(`incident-${id}`);
  if (!html) return shown && drawOver(shown, over);
  const isRisen = isRise(told);
  const fresh = elementFrom(`<table><tbody>${html}</tbody></table>`).querySelector("tr");
  if (shown) refresh(shown, fresh);
  const row = shown ?? fresh;
  place(rows, row, follower(row));
  by(`over-${id}`)?.remove();
  return isRisen ? row : null;
}

function drawOver(row, html) {
  const line = elementFrom(html);
  const hadFocus = row.contains(document.activeElement);
  row.remove();
  by(line.id)?.remove();
  by("over").append(line);
  by("over").hidden = false;
  if (hadFocus) line.querySelector("a").focus({ preventScroll: true });
  setTimeout(() => {
    line.remove();
    showCalm();
  }, NEW_FOR);
  return line;
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

function announce(drawn) {
  if (!drawn.length) return;
  const risen = drawn.filter((one) => one.dataset.level);
  ring(risen.map((row) => row.dataset.level));
  by("announced").textContent = drawn.map((one) => one.dataset.say).join(". ");
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
  by("over").hidden = by("over").children.length === 0;
  by("incidents-table").hidden = isEmpty;
  by("blind-note").hidden = !(isBlind || isLost);
  by("calm").hidden = !isEmpty || isFilling || isBlind || isLost;
  by("no-lines").hidden = lines.children.length > 0 || isFilling || isBlind || isLost;
  showBeyond();
  showTitle();
}

// Who works in another tab sees how many alerts there are, and that nothing more is heard.
function showTitle() {
  const count = rows.querySelectorAll('[data-level="alert"], [data-level="confirmed"]').length;
  document.title = `${isLost ? "⚠ " : ""}${count ? `(${count}) ` : ""}${title}`;
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
  by("lost-since").textContent = timeOf(since);
  by("lost").hidden = false;
  by("listening").hidden = true;
  showCalm();
}

function onBack() {
  isLost = false;
  by("lost").hidden = true;
  by("listening").hidden = false;
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
  const words = held ? `${pause.dataset.resume} (${count} ${pause.dataset.waiting})` : pause.dataset.pause;
  pause.setAttribute("aria-pressed", String(Boolean(held)));
  if (pause.textContent !== words) pause.textContent = words;
  by("held").hidden = !held;
  if (held) by("held-since").textContent = timeOf(held);
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

setTime(page.dataset.now);
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
