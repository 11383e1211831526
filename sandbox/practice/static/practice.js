// What the pages of all practice sites share: forms that draw themselves late, sessions that end, requests of the page's own.

const after = (ms) => new Promise((done) => setTimeout(done, ms));

/** Draws the template with this id into the page's stage, as late as the server said, and returns the stage. */
export async function draw(id) {
  const stage = document.querySelector('[data-stage]');
  stage.replaceChildren(Object.assign(document.createElement('div'), { className: 'spinner' }));
  await after(Number(document.body.dataset.late));
  stage.replaceChildren(document.getElementById(id).content.cloneNode(true));
  return stage;
}

/** Sends a request of the page's own and gives the JSON answer. A broken site shows its maintenance page. */
export async function send(address, options) {
  const answer = await fetch(address, options);
  heed(answer.headers.get('Practice-Late'), answer.headers.get('Practice-Ends'));
  if (answer.status >= 500) {
    location.assign('/maintenance');
    return new Promise(() => {});
  }
  return answer.json();
}

/** Posts JSON and gives the JSON answer. */
export const post = (address, body, headers = {}) =>
  send(address, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });

/** Enables the form's button once somebody has typed into every field and left it: values set by a script do not count. */
export function needTyping(form, button) {
  const fields = [...form.querySelectorAll('input[required]')];
  const typed = new Set();
  const left = new Set();
  const check = () => { button.disabled = !fields.every((field) => left.has(field) && field.value !== ''); };
  for (const field of fields) {
    field.addEventListener('keydown', (event) => event.isTrusted && typed.add(field));
    field.addEventListener('blur', () => { if (typed.has(field)) left.add(field); check(); });
    field.addEventListener('input', check);
  }
  button.disabled = true;
}

/** Keeps a "send again" button still for some milliseconds. */
export function coolDown(button, ms) {
  button.disabled = true;
  setTimeout(() => { button.disabled = false; }, ms);
}

// Takes the server's word on how late the next form is and when the session ends.
function heed(late, ends) {
  if (late) document.body.dataset.late = late;
  if (ends) setTimeout(() => location.assign('/session-ended'), Number(ends));
}

heed(null, document.body.dataset.ends);
for (const late of document.querySelectorAll('template[data-late]')) {
  after(Number(document.body.dataset.late)).then(() => {
    late.replaceWith(late.content.cloneNode(true));
    for (const button of document.querySelectorAll('[data-cool-down]')) coolDown(button, Number(button.dataset.coolDown));
  });
}
document.querySelector('form[data-submit]')?.submit();
