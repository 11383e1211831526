import { coolDown, draw, post } from './practice.js';

const block = document.querySelector('react-login-main [class^=globalErrorBlock__wrap]');
const header = document.getElementById('headerLogin');
let phones = [];

const call = (service, body) => post(`/mysce/api/v1/${service}`, body);

function tell(message) {
  block.querySelector('span').textContent = message ?? '';
  block.classList.toggle('hidden', !message);
}

// Shows what the server's answer leads to.
async function show(answer, open) {
  if (answer.redirect) return location.assign(answer.redirect);
  phones = answer.phones ?? phones;
  const next = { MFA_REQUIRED: choose, MFA_CHALLENGE: verify, VERIFICATION_PENDING: () => draw('pending') }[answer.status];
  if (next && !(open && answer.message)) await next(answer);
  return tell(answer.message);
}

function onSubmit(form, ask) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    tell('');
    await show(await ask(), form);
  });
}

async function choose() {
  const form = (await draw('phones')).querySelector('form');
  form.querySelector('#mfaPhones').append(...phones.map(({ slot, number }, index) => {
    const label = document.createElement('label');
    const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'phone', value: slot, checked: index === 0 });
    label.append(radio, Object.assign(document.createElement('span'), { className: 'target', textContent: number }));
    return label;
  }));
  onSubmit(form, () => call('authn/send', { phone: form.phone.value, method: form.deliveryMethod.value }));
}

async function verify({ sentTo, wait }) {
  const form = (await draw('code')).querySelector('form');
  const again = form.querySelector('.resend');
  form.querySelector('.target').textContent = sentTo;
  form.querySelector('.switch').addEventListener('click', choose);
  coolDown(again, wait);
  again.addEventListener('click', async () => show(await call('authn/send', {}), form));
  onSubmit(form, () => call('authn/verify', { passCode: form.passCode.value }));
}

const login = (form) => onSubmit(form, () => call('authn', { username: form.username.value, password: form.password.value }));

document.getElementById('headerLoginToggle').addEventListener('click', () => header.classList.toggle('hidden'));
login(header.querySelector('form'));
login((await draw('sign-in')).querySelector('form'));
