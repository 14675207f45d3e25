// A tone for a new alert, by its level. Silent until somebody turns it on; whatever is heard is seen as well.

const KEPT = "vigie-sound";
const TONES = { // hertz, and when each begins, in seconds
  alert: [[880, 0], [880, 0.25], [1175, 0.5]],
  confirmed: [[660, 0], [990, 0.25]],
  watch: [[523, 0]],
};
const LOUDEST = ["alert", "confirmed", "watch"];

/** Make the button work; return what is called with the levels that came. */
export function makeSound(button) {
  let isOn = kept() === "on";
  let context = null;
  show();
  if (isOn) wake();

  button?.addEventListener("click", () => {
    isOn = !isOn || context?.state !== "running";
    keep(isOn ? "on" : "off");
    if (isOn) wake().then(() => play("watch"));
    else show();
  });
  // A browser lets a page be heard only after somebody touched it.
  for (const touch of ["pointerdown", "keydown"]) {
    addEventListener(touch, () => isOn && context?.state !== "running" && wake(), { passive: true });
  }

  async function wake() {
    context ??= new AudioContext();
    show();
    await context.resume();
    show();
  }

  function show() {
    if (!button) return;
    const isAsleep = isOn && context?.state !== "running";
    button.setAttribute("aria-pressed", String(isOn && !isAsleep));
    button.textContent = isAsleep ? button.dataset.asleep : isOn ? button.dataset.on : button.dataset.off;
  }

  function play(level) {
    if (!isOn || context?.state !== "running" || !TONES[level]) return;
    for (const [hertz, at] of TONES[level]) {
      const begins = context.currentTime + at;
      const tone = new OscillatorNode(context, { frequency: hertz });
      const volume = new GainNode(context, { gain: 0 });
      volume.gain.setValueAtTime(0, begins);
      volume.gain.linearRampToValueAtTime(0.25, begins + 0.02);
      volume.gain.linearRampToValueAtTime(0, begins + 0.2);
      tone.connect(volume).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + 0.22);
    }
  }

  return (levels) => play(LOUDEST.find((level) => levels.includes(level)));
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage is forbidden here: silent until the button is pressed
  }
}

function keep(state) {
  try {
    localStorage.setItem(KEPT, state);
  } catch {
    return;
  }
}
