// What charts share: the clock below them, and colours as a canvas takes them.

export function clock(zone) {
  const form = new Intl.DateTimeFormat(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone,
  });
  return (_, moments) => moments.map((at) => form.format(new Date(at * 1000)));
}

// A canvas knows no light-dark(): ask the browser what it makes of it here.
export function resolvedColour(value) {
  const probe = document.createElement("span");
  probe.style.color = value;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
