import { coolDown, draw, needTyping, post } from './practice.js';

const service = '/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/';
const message = document.getElementById('login-message');
const stage = await draw('login');
const login = stage.querySelector('.js-login-form');
const device = stage.querySelector('.js-login-new-device-form-selector');
const again = device.querySelector('.js-resend-mfa-code');
const submit = login.querySelector('.js-login-submit-button');

needTyping(login, submit);

login.addEventListener('submit', async (event) => {
  event.preventDefault();
  submit.disabled = true;
  message.textContent = '';
  const answer = await post(`${service}Login`, {
    LoginEmail: login.LoginEmail.value, LoginPassword: login.LoginPassword.value,
    LoginRememberMe: login.LoginRememberMe.checked, ReturnUrl: '/en/accounts-billing/my-account', OpenIdRelayState: '',
  });
  if (answer.newDevice) return askForCode(answer);
  const next = answer.authRedirectUrl || answer.noMfaRedirectUrl;
  if (next) return location.assign(next);
  message.textContent = answer.loginErrorMsg;
  submit.disabled = false;
});

function askForCode(answer) {
  login.classList.add('hidden');
  device.querySelector('.js-new-device-text').textContent = answer.newDeviceText;
  device.LoginMFACode.inputMode = answer.isNumeric ? 'numeric' : 'text';
  device.classList.remove('hidden');
  again.classList.toggle('hidden', !answer.enableResendMfaCode);
  coolDown(again, answer.waitingTime);
}

device.addEventListener('submit', async (event) => {
  event.preventDefault();
  message.textContent = '';
  const answer = await post(`${service}VerifyFactor`, { MFACode: device.LoginMFACode.value, ReturnUrl: '' });
  if (answer.authRedirectUrl) return location.assign(answer.authRedirectUrl);
  message.textContent = 'Verification failed: this is an invalid code. Please try again.';
  device.LoginMFACode.value = '';
});

again.addEventListener('click', async () => {
  const answer = await post(`${service}ResendMFACode`, {});
  if (answer.authRedirectUrl) return location.assign(answer.authRedirectUrl);
  coolDown(again, answer.waitingTime);
});
