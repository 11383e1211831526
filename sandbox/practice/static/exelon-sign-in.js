import { draw } from './practice.js';
import { confirmed, refused, submit } from './exelon-b2c.js';

const stage = await draw('sign-in');
const form = stage.querySelector('form');
const fields = [form.signInName, form.password];

// An empty field is told beside it, before anything is sent.
function complete() {
  for (const field of fields) {
    const error = field.nextElementSibling;
    error.textContent = field.value ? '' : 'Please fill this in.';
  }
  return fields.every((field) => field.value);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!complete()) return;
  const button = form.querySelector('#next');
  button.disabled = true;
  const answer = await submit('SelfAsserted', { request_type: 'RESPONSE', signInName: form.signInName.value, password: form.password.value });
  if (!refused(answer, form.querySelector('.error.pageLevel'))) return confirmed();
  button.disabled = false;
});
