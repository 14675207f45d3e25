// Messages: what is typed is filled in and counted anew by the server while one types; a signed text is copied.

const PAUSE_MS = 400;
const form = document.getElementById("write");

async function refresh() {
  const said = new URLSearchParams(new FormData(form));
  said.set("step", "fill");
  const answer = await fetch(form.action, { method: "POST", body: said, credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const texts = page.getElementById("texts");
  if (texts) document.getElementById("texts").replaceChildren(...texts.children);
}

if (form instanceof HTMLFormElement) {
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE_MS);
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue; // without https a browser has none
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
}
document.getElementById("problems")?.focus();
