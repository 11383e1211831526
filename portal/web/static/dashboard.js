// What the dashboard's pages do with scripts: times in the reader's own zone, buttons that copy, forms that are sent once.
"use strict";

const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function roughly(seconds) {
  const say = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
  if (seconds < 60) return "less than a minute";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return say(Math.floor(seconds / 3600), "hour");
  return say(Math.floor(seconds / 86400), "day");
}

function ago(at) {
  const seconds = (Date.now() - at) / 1000;
  if (seconds < 0) return `in ${roughly(-seconds)}`;
  return seconds < 60 ? "just now" : `${roughly(seconds)} ago`;
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if ("ago" in time.dataset) {
      time.textContent = ago(at);
      time.title = zoned.format(at);
    } else {
      time.textContent = zoned.format(at);
    }
  }
}

tellTimes();
setInterval(tellTimes, 20000);
document.addEventListener("htmx:afterSettle", tellTimes);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C"; // it is selected
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("once" in form.dataset)) return;
  if (form.dataset.once === "sent") {
    event.preventDefault();
    return;
  }
  form.dataset.once = "sent";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});

// A page that comes back from the browser's memory is fresh again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.dataset.once = "";
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});
