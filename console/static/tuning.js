// The bench: how far a trial is, and its charts. All of it only adds: the tables say the same without it.

import { clock, resolvedColour } from "./chart.js";

/* global uPlot */

const AGAIN_AFTER = 1_000; // ms
const LINES = ["--accent", "--danger"]; // in force, candidate
const DASHES = [[], [6, 3]];

// Progress --------------------------------------------------------------------------------------------------------

const progress = document.getElementById("progress");
if (progress) setTimeout(look, AGAIN_AFTER);

async function look() {
  const answer = await fetch(progress.dataset.address).catch(() => null);
  if (answer?.ok) {
    const { state, part, done } = await answer.json();
    if (!["waiting", "running"].includes(state)) return location.reload();
    document.getElementById("bar").value = done;
    document.getElementById("part").textContent = part;
  }
  setTimeout(look, AGAIN_AFTER);
}

// Charts ----------------------------------------------------------------------------------------------------------

const told = document.getElementById("charts");
const found = told ? JSON.parse(told.dataset.charts) : null;
let drawn = [];

function draw() {
  for (const one of drawn) one.destroy();
  drawn = [];
  if (!found || typeof uPlot === "undefined") return;
  for (const place of document.querySelectorAll(".frontier")) drawFrontier(place);
  drawCourse();
}

function lookOf() {
  const style = getComputedStyle(document.documentElement);
  const resolved = (name) => resolvedColour(style.getPropertyValue(name).trim());
  const line = { stroke: resolved("--line"), width: 1 };
  return { ink: resolved("--ink-soft"), axis: { stroke: resolved("--ink-soft"), grid: line, ticks: line }, resolved };
}

function drawFrontier(place) {
  const { level, x, y, old, new: candidate, own } = place.dataset;
  const lines = found.frontiers.map((line) => line.map((point) => point[level]).filter(([, delay]) => delay !== null));
  if (!lines.some((line) => line.length)) return;
  place.classList.add("is-drawn"); // before that, it has no width
  const { axis, resolved } = lookOf();
  const points = found.points.map((point) => point[level]);
  const every = [...new Set([...lines.flat(), ...points].map(([falseOnes]) => falseOnes))].sort((one, other) => one - other);
  // of several budgets with as many false ones the quickest is shown
  const least = (line, at) => Math.min(...line.filter(([falseOnes]) => falseOnes === at).map(([, delay]) => delay));
  const series = lines.map((line) => every.map((at) => { const value = least(line, at); return Number.isFinite(value) ? value : null; }));
  const names = [old, candidate];
  drawn.push(new uPlot({
    width: place.clientWidth,
    height: 220,
    scales: { x: { time: false, range: (_, low, high) => [0, Math.max(high * 1.1, 0.1)] }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
    axes: [{ ...axis, label: x }, { ...axis, label: y }],
    series: [
      { label: x, value: (_, value) => value?.toFixed(2) ?? "" },
      ...series.map((_, number) => ({
        label: names[number],
        stroke: resolved(LINES[number]),
        width: 2,
        dash: DASHES[number],
        spanGaps: true,
        points: { show: true, size: 8 },
        value: (_, value) => value?.toFixed(1) ?? "",
      })),
      ...points.map((_, number) => ({
        label: `${names[number]}, ${own}`,
        stroke: resolved(LINES[number]),
        width: 0,
        points: { show: true, size: 14, width: 3 },
        value: (_, value) => value?.toFixed(1) ?? "",
      })),
    ],
  }, [every, ...series, ...points.map(([at, delay]) => every.map((one) => (one === at ? delay : null)))], place));
}

function drawCourse() {
  const place = document.querySelector(".course");
  const chosen = document.getElementById("course");
  const course = chosen && found.courses[Number(chosen.value)];
  if (!place || !course?.spoken.length) return;
  place.classList.add("is-drawn");
  const { ink, axis, resolved } = lookOf();
  const words = place.dataset;
  const moments = [...new Set([...course.spoken.map(([at]) => at), ...course.lines.flat().map(([at]) => at)])].sort((one, other) => one - other);
  const spoken = new Map(course.spoken.map(([at, posts, strong]) => [at, [posts, strong]]));
  const ofPosts = (number) => moments.map((at) => spoken.get(at)?.[number]);
  const lines = course.lines.map((line) => new Map(line.map(([at, ...values]) => [at, values])));
  const ofLine = (line, number) => moments.map((at) => line.get(at)?.[number]);
  const threshold = (line, number) => {
    let last = course.lines[line][0]?.[number + 1];
    return moments.map((at) => { last = lines[line].get(at)?.[number] ?? last; return last; });
  };
  const stepped = uPlot.paths.stepped({ align: 1 });
  const whole = { value: (_, value) => value ?? "" };
  const round = { scale: "r", value: (_, value) => (value ? Math.round(value).toLocaleString(document.documentElement.lang) : "") };
  const names = [words.old, words.new];
  const thresholds = names.flatMap((name, line) => [["watch", 1], ["alert", 2]].map(([level, number]) => ({
    head: { ...round, label: `${name}: ${words[level]}`, stroke: resolved(LINES[line]), width: 1, dash: number === 1 ? [2, 4] : [8, 4], points: { show: false } },
    data: threshold(line, number),
  })));
  drawn.push(new uPlot({
    width: place.clientWidth,
    height: 300,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), words.zone),
    scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] }, r: { distr: 3, range: (_, low, high) => [Math.max(1, (low || 1) / 3), (high || 10) * 3] } },
    axes: [{ ...axis, values: clock(words.zone) }, { ...axis, label: words.posts }, { ...axis, scale: "r", side: 1, label: words.statistic, grid: { show: false } }],
    series: [
      { label: words.time, value: (_, at) => (at === null ? "" : clock(words.zone)(null, [at])[0]) },
      { ...whole, label: words.posts, stroke: ink, width: 1, paths: stepped, spanGaps: true, points: { show: false } },
      { ...whole, label: words.strong, stroke: ink, width: 1, dash: [2, 3], paths: stepped, spanGaps: true, points: { show: false } },
      ...names.map((name, line) => ({ ...round, label: name, stroke: resolved(LINES[line]), width: 2, dash: DASHES[line], spanGaps: true, points: { show: true, size: 6 } })),
      ...thresholds.map(({ head }) => head),
    ],
  }, [moments, ofPosts(0), ofPosts(1), ofLine(lines[0], 0), ofLine(lines[1], 0), ...thresholds.map(({ data }) => data)], place));
}

document.getElementById("course")?.addEventListener("change", draw);
document.addEventListener("themechange", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", draw);
draw();
