/* Light or dark, as the browser asks or as somebody chose here. Loaded before anything is drawn, so that nothing flashes. */

(() => {
  const KEPT = "vigie-theme";
  const root = document.documentElement;
  const usual = root.dataset.theme ?? "";

  function kept() {
    try {
      return localStorage.getItem(KEPT) ?? "";
    } catch {
      return ""; // storage is forbidden here: the browser's own choice holds
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem(KEPT, theme);
    } catch {
      return;
    }
  }

  function show(theme) {
    const shown = theme || usual;
    if (shown) root.dataset.theme = shown;
    else delete root.dataset.theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  show(kept());

  document.addEventListener("DOMContentLoaded", () => {
    for (const select of document.querySelectorAll("select[data-theme-choice]")) {
      select.value = kept();
      select.closest("[hidden]")?.removeAttribute("hidden");
      select.addEventListener("change", () => {
        keep(select.value);
        show(select.value);
      });
    }
  });
})();
