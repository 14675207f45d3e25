// The two looks of the base map, by day and by night, and how its layers are painted and named.

/* global protomapsL */

const DETAIL_FROM = 8; // the map's zoom from which on France is drawn in detail
const COMMUNES_FROM = 10;

export const flavours = {
  light: {
    water: "#cbdde9",
    land: "#f7f5f0",
    country: "#7d766b",
    departement: "#b0a89b",
    commune: "#d9d3c8",
    town: "#3d3932",
    area: "#6b6459",
    halo: "#ffffff",
  },
  dark: {
    water: "#0f1c28",
    land: "#232b32",
    country: "#94a3b0",
    departement: "#5d6a76",
    commune: "#3a454f",
    town: "#d5dde4",
    area: "#9fadb9",
    halo: "#10171d",
  },
};

/** Does the person ask for a dark screen? */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Return how land, water and borders are painted, the first beneath. */
export function paintRules(flavour) {
  const filled = (dataSource, dataLayer, fill, more = {}) => ({
    dataSource,
    dataLayer,
    symbolizer: new protomapsL.PolygonSymbolizer({ fill }),
    ...more,
  });
  const line = (dataSource, kind, width, more = {}) => ({
    dataSource,
    dataLayer: "borders",
    symbolizer: new protomapsL.LineSymbolizer({ color: flavour[kind], width }),
    filter: (zoom, feature) => feature.props.kind === kind && !(zoom >= DETAIL_FROM && feature.props.drawn_again),
    ...more,
  });
  const detail = { minzoom: DETAIL_FROM };
  const overview = { maxzoom: DETAIL_FROM - 1 };
  return [
    filled("world", "land", flavour.land),
    filled("france", "water", flavour.water, detail),
    filled("france", "land", flavour.land, detail),
    line("france", "commune", 0.8, { minzoom: COMMUNES_FROM }),
    line("world", "departement", 0.6, overview),
    line("france", "departement", 1.2, detail),
    line("world", "country", 1.4),
    line("france", "country", 1.8, detail),
  ];
}

/** Return how towns and départements are named, the first before the others where room is scarce. */
export function labelRules(flavour) {
  const named = (dataSource, kind, options, more = {}) => ({
    dataSource,
    dataLayer: "places",
    symbolizer: new protomapsL.CenteredTextSymbolizer({ stroke: flavour.halo, width: 2, ...options }),
    filter: (zoom, feature) =>
      feature.props.kind === kind && !(zoom < feature.props.zoom) && !(zoom >= DETAIL_FROM && feature.props.drawn_again),
    sort: (one, other) => (one.zoom ?? 0) - (other.zoom ?? 0),
    ...more,
  });
  const town = { fill: flavour.town, font: (zoom) => (zoom < DETAIL_FROM ? "12px sans-serif" : "600 13px sans-serif") };
  const area = { fill: flavour.area, font: "italic 12px sans-serif", letterSpacing: 1 };
  return [
    named("france", "town", town, { minzoom: DETAIL_FROM }),
    named("world", "town", town),
    named("france", "departement", area, { minzoom: DETAIL_FROM, maxzoom: 11 }),
    named("world", "departement", area, { minzoom: 7, maxzoom: DETAIL_FROM - 1 }),
  ];
}
