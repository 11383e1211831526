import { coolDown, draw, post } from './practice.js';

const toastMs = 5000;
const twoStep = '/portal/PreLogin/TwoStepVerification';

// Failures show in a toast, which goes away by itself.
function toast(message) {
  const shown = Object.assign(document.createElement('div'), { className: 'toast toast-error' });
  shown.append(Object.assign(document.createElement('div'), { className: 'toast-message', textContent: message }));
  document.getElementById('toast-container').append(shown);
  setTimeout(() => shown.remove(), toastMs);
}

function onSubmit(form, ask) {
  const button = form.querySelector('[type=submit]');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    follow(await ask());
    button.disabled = false;
  });
}

function follow({ Message, Redirect }) {
  if (Redirect) location.assign(Redirect);
  else if (Message) toast(Message);
}

if (document.getElementById('two-step')) {
  const form = (await draw('two-step')).querySelector('form');
  const again = form.querySelector('#btnresend');
  onSubmit(form, () => post(twoStep, { code: form.code.value }));
  coolDown(again, Number(again.dataset.wait));
  again.addEventListener('click', async () => {
    follow(await post(`${twoStep}/Resend`, {}));
    coolDown(again, Number(again.dataset.wait));
  });
} else {
  const form = (await draw('login')).querySelector('form');
  onSubmit(form, () => post('/portal/PreLogin/Validate', { username: form.usernamex.value, password: form.passwordx.value }));
}
