// What changes, as the server tells it. Says at once when it is not told any more, and comes back by itself.

import { now, setTime } from "./clock.js";

const DEAD_AFTER = 40_000; // ms without a sign of life; there is one every 15 s
const AGAIN_AFTER = 3_000; // ms

/**
 * Follow the stream from the change of a number on. `on` has a function for each kind of event that is wanted (`incident`, `feed`,
 * `listening`), and `batch`, `lost` and `back`: `batch` comes when a batch is whole.
 */
export function follow(after, on) {
  let number = after;
  let source = null;
  let heardAt = Date.now();
  let isLost = false;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(`/live?after=${encodeURIComponent(number)}`);
    source.addEventListener("error", onError);
    source.addEventListener("again", open);
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("alive", (event) => {
      heard(event);
      setTime(JSON.parse(event.data).at);
      on.batch?.();
    });
    for (const kind of ["incident", "feed", "listening"]) {
      source.addEventListener(kind, (event) => {
        heard(event);
        on[kind]?.(JSON.parse(event.data));
      });
    }
  }

  function heard(event) {
    heardAt = Date.now();
    if (event.lastEventId) number = event.lastEventId;
    if (!isLost) return;
    isLost = false;
    on.back?.();
  }

  function lose() {
    if (isLost) return;
    isLost = true;
    on.lost?.(new Date(now() - (Date.now() - heardAt)));
  }

  function onError() {
    lose();
    // A browser comes back by itself after a cut, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_AFTER);
  }

  setInterval(() => {
    if (Date.now() - heardAt < DEAD_AFTER) return;
    lose();
    heardAt = Date.now(); // the next attempt has its own time
    open();
  }, 5_000);
  addEventListener("offline", lose);
  addEventListener("online", () => isLost && open());
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
