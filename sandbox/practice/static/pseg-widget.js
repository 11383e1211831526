import { coolDown, draw, post } from './practice.js';

// The widget keeps the user name between its steps, and the ways to get a code.
let identifier = '';
let options = [];

const call = (service, body) => post(`/idp/idx/${service}`, body);

// Shows the step the server named, or the refusal within the step that is open.
async function show(answer, open) {
  if (answer.success) return location.assign(answer.success);
  options = answer.options ?? options;
  if (open && answer.message) return tell(open, answer.message);
  const form = (await draw(answer.step)).querySelector('form');
  steps[answer.step](form, answer);
  return tell(form, answer.message ?? '');
}

function tell(form, message) {
  const error = form.querySelector('.o-form-error-container');
  if (error) error.textContent = message;
}

const steps = {
  identify(form) {
    on(form, () => {
      identifier = form.identifier.value;
      return call('identify', { identifier });
    });
  },
  password(form) {
    form.querySelector('.identifier').textContent = identifier;
    on(form, () => call('challenge/password', { identifier, credentials: { passcode: form['credentials.passcode'].value } }));
  },
  select(form) {
    form.addEventListener('submit', (event) => event.preventDefault());
    form.querySelector('.authenticator-list').append(...options.map(({ id, label, to }) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: `${label} ` });
      button.dataset.method = id;
      button.append(Object.assign(document.createElement('span'), { className: 'target', textContent: to }));
      button.addEventListener('click', async () => show(await call('challenge/send', { method: id })));
      return button;
    }));
  },
  code(form, { sentTo, wait }) {
    form.querySelector('.target').textContent = sentTo;
    form.querySelector('.switch-authenticator').addEventListener('click', (event) => {
      event.preventDefault();
      show({ step: 'select' });
    });
    const again = form.querySelector('.resend');
    coolDown(again, wait);
    again.addEventListener('click', async () => show(await call('challenge/send', { method: '' }), form));
    on(form, () => call('challenge/answer', { credentials: { passcode: form['credentials.passcode'].value } }));
  },
  captcha(form) {
    form.addEventListener('submit', (event) => event.preventDefault());
  },
};

function on(form, ask) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('input[type=submit]');
    button.disabled = true;
    await show(await ask(), form);
    button.disabled = false;
  });
}

show({ step: 'identify' });
