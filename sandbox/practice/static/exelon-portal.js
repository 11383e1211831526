import { draw, post, send } from './practice.js';

const perPage = 10;

document.getElementById('profile-setup-close')?.addEventListener('click', async () => {
  await post('/accounts/welcome', {});
  document.getElementById('profile-setup-modal').remove();
});

const session = await send('/api/Services/MyAccountService.svc/GetSession');
const bearer = { headers: { Authorization: `Bearer ${session.token}` } };
const accounts = '/.euapi/mobile/custom/auth/accounts';

if (document.getElementById('chooser')) await choose();
else await summary();

async function summary() {
  const { data } = await send(accounts, bearer);
  if (data.length === 0) return draw('none');
  const { data: account } = await send(`${accounts}/${session.accountNumber}`, bearer);
  const stage = await draw('dashboard');
  const put = (id, text) => { stage.querySelector(id).textContent = text; };
  put('#account-number', account.accountNumber);
  put('#account-address', `${account.addressLine}, ${account.city}, ${account.state} ${account.zipCode}`);
  put('#account-premise', account.premiseNumber);
  put('#account-service', account.serviceType);
  return put('#account-rate', account.rateSchedule);
}

async function choose() {
  const { data } = await send(accounts, bearer);
  const stage = await draw('chooser');
  const search = stage.querySelector('#account-search');
  const previous = stage.querySelector('#changeAccountDT_previous');
  const next = stage.querySelector('#changeAccountDT_next');
  let page = 0;
  const show = () => {
    const found = data.filter((account) => account.accountNumber.includes(search.value));
    const pages = Math.max(1, Math.ceil(found.length / perPage));
    stage.querySelector('tbody').replaceChildren(...found.slice(page * perPage, (page + 1) * perPage).map(row));
    stage.querySelector('#changeAccountDT_info').textContent = `Page ${page + 1} of ${pages}`;
    previous.disabled = page === 0;
    next.disabled = page + 1 >= pages;
  };
  search.addEventListener('input', () => { page = 0; show(); });
  previous.addEventListener('click', () => { page -= 1; show(); });
  next.addEventListener('click', () => { page += 1; show(); });
  show();
}

function row(account) {
  const line = document.createElement('tr');
  for (const [label, text] of [['Account number', account.accountNumber], ['Service address', account.address], ['Status', account.status]]) {
    const cell = line.insertCell();
    cell.dataset.label = label;
    cell.textContent = text;
  }
  const view = Object.assign(document.createElement('button'), { type: 'button', textContent: 'View' });
  view.setAttribute('aria-label', `Select account for ${account.address}`);
  view.addEventListener('click', async () => {
    await post('/api/Services/AccountList.svc/ViewAccount', { accountNumber: account.accountNumber });
    location.assign('/accounts/dashboard');
  });
  line.insertCell().append(view);
  return line;
}
