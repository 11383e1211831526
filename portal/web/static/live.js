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
