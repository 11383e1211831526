// Comforts of the customer's pages. Everything works without them.
"use strict";

(() => {
  const every = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-once")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.querySelectorAll("input[type=text][name=password]").forEach((input) => { input.type = "password"; });
    const button = event.submitter || form.querySelector("button:not([type])");
    if (button && button.dataset.busy) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.busy;
    }
  });

  // Shows and hides the password.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show]");
    if (!button) return;
    const field = document.getElementById(button.dataset.show);
    const show = field.type === "password";
    field.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
    const text = button.textContent;
    button.textContent = button.dataset.hideText;
    button.dataset.hideText = text;
    field.focus();
  });

  // Takes the code out of a whole pasted message, when just one number in it can be the code.
  document.addEventListener("paste", (event) => {
    const field = event.target;
    const digits = Number(field.dataset && field.dataset.digits);
    if (!digits) return;
    const runs = event.clipboardData.getData("text").match(/\d[\d\s-]*\d|\d/g) || [];
    const fitting = runs.map((run) => run.replace(/\D/g, "")).filter((run) => run.length === digits);
    if (fitting.length !== 1) return;
    event.preventDefault();
    field.value = fitting[0];
  });

  // The time left, second by second; read aloud at a few moments only.
  const spoken = (left) => left % 60 === 0 && [300, 120, 60].includes(left) || left === 30;
  const tick = (clock) => {
    if (!clock.ends) clock.ends = performance.now() + Number(clock.dataset.left) * 1000;
    const left = Math.max(0, Math.round((clock.ends - performance.now()) / 1000));
    const words = clock.dataset;
    clock.textContent = left === 0 ? words.over
      : words.format.replace("{m}", Math.floor(left / 60)).replace("{s}", String(left % 60).padStart(2, "0"));
    if (spoken(left)) {
      const say = left > 60 ? words.sayMinutes : left === 60 ? words.sayMinute : words.saySeconds;
      clock.nextElementSibling.textContent = say.replace("{n}", left > 60 ? left / 60 : left);
    }
  };
  setInterval(() => every("[data-left]", tick), 1000);

  // Says whether the customer is here, away (reading the code in another app, say) or gone.
  const presence = document.body.querySelector("[sse-connect]") && document.querySelector("meta[name=presence]");
  if (presence) {
    const tab = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
    const tell = (state) => navigator.sendBeacon(presence.content, new URLSearchParams({ tab, state }));
    let left = false; // the page is told last that it is hidden, when it has been told already that it is left
    const present = () => { if (!left) tell(document.visibilityState === "hidden" ? "away" : "here"); };
    present();
    setInterval(present, 10000);
    document.addEventListener("visibilitychange", present);
    window.addEventListener("pagehide", () => {
      left = true;
      tell("gone");
    });
  }

  // A page that the back button brings out of the browser's memory may be long out of date.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  const ready = () => every("[data-show][hidden]", (button) => { button.hidden = false; });
  document.addEventListener("htmx:sseMessage", ready);
  ready();
})();
