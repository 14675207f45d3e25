// Rows and lines replaced by their id; what has the focus keeps it, and nothing scrolls by itself.

/** Return the element that some HTML of ours stands for. */
export function elementFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Show new content in an element of the same kind; only cells that differ are touched. */
export function refresh(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const cells = [...fresh.children];
  if (cells.length !== old.children.length) {
    keepingFocus(old, () => old.replaceChildren(...cells));
    return;
  }
  cells.forEach((cell, at) => {
    const shown = old.children[at];
    if (shown.innerHTML === cell.innerHTML && shown.className === cell.className) return;
    keepingFocus(shown, () => {
      shown.className = cell.className;
      shown.replaceChildren(...cell.childNodes);
    });
  });
}

/** Put an element before another one, or last, unless it stands there. */
export function place(parent, element, before) {
  if (element.parentNode === parent && element.nextElementSibling === before) return;
  keepingFocus(element, () => parent.insertBefore(element, before));
}

function keepingFocus(element, change) {
  const active = document.activeElement;
  const key = element.contains(active) ? active.closest("[data-key]")?.dataset.key : null;
  const opened = [...element.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
  change();
  for (const name of opened) element.querySelector(`details[data-key="${name}"]`)?.setAttribute("open", "");
  if (key) element.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
}

/** Replace what an element shows; what was open stays open. */
export function replaceInside(element, html) {
  keepingFocus(element, () => {
    element.innerHTML = html;
  });
}
