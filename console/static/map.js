// The map of the incidents: a base map that needs no network, boundaries of one's own, and each incident as precisely
// as its place is known. It needs leaflet.js and protomaps-leaflet.js before it, and map.css beside it.

import { flavours, isDark, labelRules, paintRules } from "./map_flavours.js";
import { makeMark, nameOf, words } from "./map_marks.js";

/* global L, protomapsL */

const BASE_ATTRIBUTION =
  "Natural Earth ; IGN ADMIN-EXPRESS-COG, INSEE, DILA, La Poste (Licence Ouverte 2.0) ; © GeoNames (CC BY 4.0)";
const FRANCE = [[42.2, -5], [51.2, 8.4]];
const WORLD_ZOOM = 6; // the last zoom of the archive that holds the whole world
const DETAIL_ZOOM = 9; // the last one that holds France
const MOST_ZOOM = 16;
const AS_POINT = new Set(["point", "site"]);
const AS_AREA = new Set(["quartier", "commune", "epci", "dep", "region", "country"]);
const REACH = 100_000; // metres around home within which a map that nobody has moved shows every incident
const ABOVE = { confirmed: 4, alert: 3, watch: 2, monitoring: 1 };

/**
 * Show a map in an element. `home` is `[lat, lon]`, shown first at `zoom`, and farther out while incidents near it lie
 * outside, until a person moves the map; without it, the boundaries, else the first incidents. `boundariesUrl` and
 * `online` may be left out: then there are no boundaries, and nothing is asked of another host. `online` is
 * `{template, attribution}`, the address of raster tiles. `onPick` is called with the latitude and the longitude of a
 * click, in degrees.
 *
 * Returns `setIncidents(features)`, which may be called at any rate, and `ready`, which is kept when the boundaries are
 * drawn or have failed.
 */
export function makeMap(element, options) {
  const { pmtilesUrl, boundariesUrl, online, home, zoom = 11, onPick } = options;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, {
    minZoom: 2,
    maxZoom: MOST_ZOOM,
    zoomControl: false,
    fadeAnimation: !still,
    zoomAnimation: !still,
    markerZoomAnimation: !still,
    inertia: !still,
  });
  if (home) map.setView(home, zoom, { animate: false });
  else map.fitBounds(FRANCE, { animate: false });
  map.attributionControl.setPrefix("Leaflet");
  const said = words();
  L.control.zoom({ zoomInTitle: said.zoomIn, zoomOutTitle: said.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  element.setAttribute("role", "region");
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", said.map);

  addBase(map, pmtilesUrl);
  if (online) addOnline(map, online);
  const view = { isOurs: !home, isMoved: false, home: home && map.getBounds() }; // until something better than the first view is known, or a person moves the map
  map.on("mousedown touchstart wheel keydown", () => { view.isOurs = false; view.isMoved = true; });
  if (onPick) map.on("click", ({ latlng }) => onPick(latlng.lat, latlng.wrap().lng));
  const ready = boundariesUrl ? addBoundaries(map, boundariesUrl, view) : Promise.resolve();
  return { ...incidentsOn(map, view, { still, home, zoom }), ready };
}

function addBase(map, url) {
  const flavour = () => flavours[isDark() ? "dark" : "light"];
  const layer = protomapsL.leafletLayer({
    sources: { world: { url, maxDataZoom: WORLD_ZOOM }, france: { url, maxDataZoom: DETAIL_ZOOM } },
    paintRules: paintRules(flavour()),
    labelRules: labelRules(flavour()),
    backgroundColor: flavour().water,
    attribution: escaped(BASE_ATTRIBUTION),
  });
  layer.addTo(map);
  function repaint() {
    layer.paintRules = paintRules(flavour());
    layer.labelRules = labelRules(flavour());
    layer.backgroundColor = flavour().water;
    layer.clearLayout();
    layer.rerenderTiles();
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  document.addEventListener("themechange", repaint); // somebody chose, on the page
}

function addOnline(map, { template, attribution }) {
  // Over the base map, not instead of it: when the network is cut, there still is a map.
  L.tileLayer(template, { maxZoom: MOST_ZOOM, zIndex: 2, attribution: escaped(attribution) }).addTo(map);
}

async function addBoundaries(map, url, view) {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const layer = L.geoJSON(await answer.json(), {
      style: { className: "boundary", fill: false },
      onEachFeature: (feature, shape) => {
        const name = feature.properties?.name;
        if (name) shape.bindTooltip(textElement(name), { sticky: true });
      },
    }).addTo(map);
    if (view.isOurs && layer.getBounds().isValid()) {
      map.fitBounds(layer.getBounds(), { animate: false });
      view.isOurs = false;
    }
  } catch (error) {
    console.error(`boundaries: ${error}`);
    map.attributionControl.addAttribution(escaped(words().noBoundaries));
  }
}

function incidentsOn(map, view, { still, home, zoom }) {
  const shown = new Map(); // id -> {mark, marker, circle, told}
  let latest = null;

  function setIncidents(features) {
    // One drawing a frame, of the newest that was told: what came between was never to be seen.
    if (latest === null) requestAnimationFrame(draw);
    latest = features;
  }

  function draw() {
    const features = latest;
    latest = null;
    const drawn = new Set();
    for (const feature of features) {
      const place = placed(feature);
      if (!place) continue;
      drawn.add(place.id);
      const told = JSON.stringify(place);
      const before = shown.get(place.id);
      if (before?.told === told) continue;
      shown.set(place.id, { ...update(before ?? added(place), place), told });
    }
    for (const [id, one] of shown) {
      if (!drawn.has(id)) {
        one.marker.remove();
        one.circle?.remove();
        shown.delete(id);
      }
    }
    if (view.isOurs && shown.size) fit();
    else if (view.home && !view.isMoved) widen();
  }

  // A wall is moved by nobody: what is near must be seen on it.
  function widen() {
    const bounds = L.latLngBounds(view.home.getSouthWest(), view.home.getNorthEast());
    for (const { marker, circle } of shown.values()) {
      if (marker.getLatLng().distanceTo(view.home.getCenter()) <= REACH) bounds.extend(circle ? circle.getBounds() : marker.getLatLng());
    }
    if (view.widened?.equals(bounds)) return;
    const isHome = view.home.equals(bounds);
    // Without animation: while one runs, Leaflet lets the next one drop.
    if (!isHome) map.fitBounds(bounds, { paddingTopLeft: [24, 52], paddingBottomRight: [24, 8], animate: false });
    else if (view.widened) map.setView(home, zoom, { animate: false });
    view.widened = bounds;
  }

  function added(place) {
    const mark = makeMark();
    const icon = L.divIcon({ html: mark.element, className: "incident", iconSize: [32, 44], iconAnchor: [16, 44] });
    const marker = L.marker(place.at, { icon, keyboard: false, interactive: false }).addTo(map);
    mark.element.addEventListener("focus", () => {
      view.isOurs = false;
      map.panInside(marker.getLatLng(), { padding: [48, 48], animate: !still });
    });
    return { mark, marker };
  }

  function update({ mark, marker, circle }, place) {
    mark.say(place);
    marker.setLatLng(place.at).setZIndexOffset(1000 * (ABOVE[place.level] ?? 0));
    if (!place.isArea) {
      circle?.remove();
      return { mark, marker };
    }
    const ring = circle ?? L.circle(place.middle, { radius: place.radius, interactive: false }).addTo(map);
    ring.setLatLng(place.middle).setRadius(place.radius);
    ring.getElement().setAttribute("class", `incident-area hazard-${place.hazard} level-${place.level}`);
    return { mark, marker, circle: ring };
  }

  function fit() {
    const bounds = L.latLngBounds([]);
    for (const { marker, circle } of shown.values()) bounds.extend(circle ? circle.getBounds() : marker.getLatLng());
    map.fitBounds(bounds.pad(0.1), { maxZoom: 11, animate: false });
  }

  return { setIncidents };
}

// What is to be drawn of a feature; null where nothing is to be, because nobody knows where it is.
function placed({ geometry, properties }) {
  const { id, level, hazard, precision, name, radius_km: radiusKm, href } = properties;
  const isArea = AS_AREA.has(precision);
  if (geometry?.type !== "Point" || !(isArea || AS_POINT.has(precision))) return null;
  const [lon, lat] = geometry.coordinates;
  const told = { id, level, hazard, name, href: ownHref(href), label: nameOf({ name, level, hazard, precision }) };
  if (!isArea) return { ...told, isArea, at: [lat, lon] };
  const radius = 1000 * radiusKm;
  const rim = L.latLng(lat, lon).toBounds(2 * radius).getNorth();
  // The mark stands on the rim: in the middle it would look like a point that is known.
  return { ...told, isArea, at: [rim, lon], middle: [lat, lon], radius };
}

function ownHref(href) {
  if (!href) return null;
  const url = new URL(href, document.baseURI);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : null;
}

function textElement(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function escaped(text) {
  return textElement(text ?? "").innerHTML;
}
