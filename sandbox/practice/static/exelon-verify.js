import { draw } from './practice.js';
import { confirmed, refused, submit } from './exelon-b2c.js';

const control = (form, action) => `SelfAsserted/DisplayControlAction/vbeta/${form.dataset.control}/${action}`;

if (document.getElementById('choose')) {
  const form = (await draw('choose')).querySelector('form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = form.mfaEnabledRadio.value;
    if (chosen) verify(`verify-${chosen}`);
    else form.querySelector('.error').textContent = 'Choose one.';
  });
} else {
  verify('verify');
}

// Sends a code without being asked, and waits for it to be typed.
async function verify(template) {
  const form = (await draw(template)).querySelector('form');
  const input = form.querySelector('input');
  const button = form.querySelector('#continueButton');
  const error = form.querySelector('.error');
  const sendCode = async () => refused(await submit(control(form, 'SendCode'), {}), error);

  form.querySelector('[id$=but_send_new_code]').addEventListener('click', sendCode);
  input.addEventListener('blur', () => { button.disabled = input.value === ''; });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    const answer = await submit(control(form, 'VerifyCode'), { verificationCode: input.value });
    if (refused(answer, error)) return;
    await submit('SelfAsserted', { request_type: 'RESPONSE', verificationCode: input.value });
    confirmed();
  });
  await sendCode();
}
