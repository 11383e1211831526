// Keeps a page in step with its stream. An event that carries what is shown already is dropped, so that nothing half
// typed is lost when a connection is made anew; any other one takes the focus along, so that it is read aloud.
"use strict";

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const main = event.target;
  const key = event.detail.lastEventId;
  if (key && key === main.dataset.key) {
    event.preventDefault();
    return;
  }
  main.dataset.key = key;
});

document.addEventListener("htmx:sseMessage", (event) => {
  const first = event.target.querySelector("[autofocus]") || event.target.querySelector("h1");
  if (first) first.focus();
  window.scrollTo(0, 0);
});

// Where a stream cannot be had, because something between holds it back, a page that waits loads itself again.
(() => {
  let silent = 0;
  document.addEventListener("htmx:sseOpen", () => { silent = -Infinity; });
  document.addEventListener("htmx:sseError", () => { silent = Math.max(silent, 0); });
  setInterval(() => {
    silent += 1;
    if (silent > 2 && document.querySelector("[data-refresh]") && document.visibilityState === "visible") location.reload();
  }, 2000);
})();
