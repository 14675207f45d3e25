// The mark of an incident: a link whose shape says the hazard, and whose letter and frame say the level.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  fire: "M16 3 L30 28 L2 28 Z",
  flood: "M16 2 C22 10 28 14 28 19.5 A12 10.5 0 0 1 4 19.5 C4 14 10 10 16 2 Z",
  industrial: "M9 4 L23 4 L30 16 L23 28 L9 28 L2 16 Z",
  other: "M4 4 H28 V28 H4 Z",
};
const LETTER_AT = { fire: 24.5, flood: 23.5, industrial: 21.5, other: 21.5 };

const WORDS = {
  fr: {
    map: "Carte des incidents",
    zoomIn: "Zoomer",
    zoomOut: "Dézoomer",
    noBoundaries: "limites locales non chargées",
    hazards: { fire: "feu", flood: "inondation", industrial: "accident industriel", other: "autre danger" },
    levels: {
      signal: "signal",
      watch: "veille",
      alert: "alerte",
      confirmed: "confirmé",
      monitoring: "suivi",
      resolved: "terminé",
      rejected: "écarté",
    },
    letters: { signal: "S", watch: "V", alert: "A", confirmed: "C", monitoring: "…", resolved: "✓", rejected: "✕" },
    around: "lieu connu à cette zone près",
  },
  en: {
    map: "Map of the incidents",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    noBoundaries: "local boundaries not loaded",
    hazards: { fire: "fire", flood: "flood", industrial: "industrial accident", other: "other danger" },
    levels: {
      signal: "signal",
      watch: "watch",
      alert: "alert",
      confirmed: "confirmed",
      monitoring: "monitoring",
      resolved: "resolved",
      rejected: "rejected",
    },
    letters: { signal: "S", watch: "W", alert: "A", confirmed: "C", monitoring: "…", resolved: "✓", rejected: "✕" },
    around: "place known to within this area",
  },
};

/** Return the words in the language of the page: English where it says so, else French. */
export function words() {
  return document.documentElement.lang.startsWith("en") ? WORDS.en : WORDS.fr;
}

/** Return what a screen reader says of an incident, and a pointer shows. */
export function nameOf({ name, level, hazard, precision }) {
  const said = words();
  const parts = [name, said.levels[level] ?? level, said.hazards[hazard] ?? hazard];
  return (precision === "point" || precision === "site" ? parts : [...parts, said.around]).join(", ");
}

/** Make a mark; `say(place)` changes what it shows and leaves the element, and so the focus, where it is. */
export function makeMark() {
  const element = document.createElement("a");
  element.draggable = false; // a drag that begins here is the map's
  const svg = drawnElement("svg", { viewBox: "0 0 32 44", width: 32, height: 44, "aria-hidden": "true" });
  const stem = drawnElement("path", { class: "stem", d: "M16 28 V43" });
  const foot = drawnElement("circle", { class: "foot", cx: 16, cy: 41, r: 3 });
  const ring = drawnElement("path", { class: "ring" });
  const shape = drawnElement("path", { class: "shape" });
  const letter = drawnElement("text", { x: 16, "text-anchor": "middle" });
  svg.append(stem, foot, ring, shape, letter);
  const name = document.createElement("span");
  name.setAttribute("aria-hidden", "true");
  element.append(svg, name);

  function say({ level, hazard, label, href, isArea }) {
    const form = hazard in SHAPES ? hazard : "other";
    element.className = `incident-mark hazard-${form} level-${level} ${isArea ? "is-area" : "is-point"}`;
    element.setAttribute("aria-label", label);
    element.setAttribute("role", "link");
    element.tabIndex = 0;
    if (href) element.setAttribute("href", href);
    else element.removeAttribute("href");
    ring.setAttribute("d", SHAPES[form]);
    shape.setAttribute("d", SHAPES[form]);
    letter.setAttribute("y", LETTER_AT[form]);
    letter.textContent = words().letters[level] ?? "?";
    name.textContent = label;
  }

  return { element, say };
}

function drawnElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
