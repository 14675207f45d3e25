// The time of the page: the server's, which may be that of an exercise, and is right where a watch of this machine is not.

let ahead = 0; // ms, of the clock of this machine

/** Take the server's time, as it told it just now. */
export function setTime(moment) {
  const at = Date.parse(moment);
  if (!Number.isNaN(at)) ahead = at - Date.now();
}

/** Return the time now. */
export function now() {
  return new Date(Date.now() + ahead);
}
