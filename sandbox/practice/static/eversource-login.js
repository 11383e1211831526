import { coolDown, draw, post } from './practice.js';

const codeLength = 6;
const config = JSON.parse(document.getElementById('App-LogIn').dataset.config);
const call = (service, body) => post(`/security/account/${service}`, body, { [config.antiForgeryHeaderName]: config.formToken });

const stage = await draw('sign-in');
const form = stage.querySelector('form');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await call('MSLogin', {
    WebId: form.email.value, Password: form.password.value, RememberID: form.rememberId.checked,
    ReturnUrl: '/cg/customer/accountoverview', MfaRememberMeData: '',
  });
  if (!answer.IsSuccess) return tell(form, answer);
  if (answer.status === 'MFA_ENROLL') return offer();
  if (answer.status === 'MFA_CHALLENGE') return challenge(answer);
  return location.assign(answer.Redirect);
});

function tell(where, answer) {
  if (answer.Redirect) return location.assign(answer.Redirect);
  // The messages are HTML, from this site's own server.
  where.querySelector('.login-errors').innerHTML = Object.values(answer.Errors).join('');
}

async function offer() {
  await draw('enroll');
  stage.querySelector('#dt-mfa-askmeagainlater').addEventListener('click', async () => {
    location.assign((await call('MSSkipEnroll', {})).Redirect);
  });
}

async function challenge({ SentTo, Wait }) {
  await draw('challenge');
  const view = stage.querySelector('form');
  const again = view.querySelector('#mfa-resend');
  view.querySelector('.target').textContent = SentTo;
  view.addEventListener('submit', (event) => event.preventDefault());
  view.code.addEventListener('input', async () => {
    if (view.code.value.length < codeLength) return;
    view.code.disabled = true;
    const answer = await call('MSVerify', { PassCode: view.code.value });
    if (answer.IsSuccess) return location.assign(answer.Redirect);
    view.code.disabled = false;
    view.code.value = '';
    tell(view, answer);
  });
  coolDown(again, Wait);
  again.addEventListener('click', async () => {
    const answer = await call('MSResend', {});
    if (answer.Redirect) return location.assign(answer.Redirect);
    coolDown(again, answer.Wait);
  });
}
