import { post, send } from './practice.js';

const after = (ms) => new Promise((done) => setTimeout(done, ms));
const meterDiv = document.getElementById('meterDiv');
const accounts = document.querySelector('.AccountslctClass');
let loading = Promise.resolve(); // the menu of the account that was chosen last

document.querySelector('#paperlessModal .close')?.addEventListener('click', async () => {
  await post('/portal/Dashboard/DismissPaperless', {});
  document.getElementById('paperlessModal').remove();
});

if (meterDiv) await begin();

async function begin() {
  await load(meterDiv.dataset.account);
  await after(Number(document.body.dataset.late));
  document.querySelector('.mdl-spinner').remove();
  document.querySelector('.pickers').hidden = false;
  meterDiv.querySelector('md-select').addEventListener('click', openMenu);
  if (accounts) letChoose();
}

// The menu of meters stands at the end of the page and is drawn anew for each account.
async function load(account) {
  document.querySelector('.md-select-menu-container')?.remove();
  const list = await send(`/portal/Usage/GetMeters?account=${account}`);
  const menu = document.createElement('md-select-menu');
  menu.append(...list.map(option));
  const container = Object.assign(document.createElement('div'), { className: 'md-select-menu-container' });
  container.append(menu);
  document.body.append(container);
  pick(menu.firstElementChild);
}

function option(meter) {
  const kind = meter.service_class === 'gas' ? 'Gas' : 'Electric';
  const item = document.createElement('md-option');
  item.setAttribute('value', `000${meter.meter_number}`);
  item.setAttribute('role', 'option');
  item.append(Object.assign(document.createElement('div'), { className: 'md-text', textContent: `${kind} - ${meter.meter_number}` }));
  item.addEventListener('click', () => pick(item));
  return item;
}

function pick(item) {
  meterDiv.querySelector('.md-text').textContent = item.textContent;
  item.closest('.md-select-menu-container').classList.remove('md-active', 'md-clickable');
  meterDiv.querySelector('md-select').setAttribute('aria-expanded', 'false');
}

// The menu opens below its field, as soon as it is there: while it is fetched, a press must not be lost.
async function openMenu() {
  await loading;
  const { left, bottom, width } = meterDiv.querySelector('md-select').getBoundingClientRect();
  const menu = document.querySelector('.md-select-menu-container');
  Object.assign(menu.style, { left: `${left + scrollX}px`, top: `${bottom + scrollY}px`, width: `${width}px` });
  menu.classList.add('md-active', 'md-clickable');
  meterDiv.querySelector('md-select').setAttribute('aria-expanded', 'true');
}

function letChoose() {
  const button = accounts.querySelector('[data-id="accountList"]');
  const list = accounts.querySelector('.dropdown');
  button.addEventListener('click', () => { list.hidden = !list.hidden; });
  list.addEventListener('click', async ({ target }) => {
    const { account } = target.closest('a').dataset;
    list.hidden = true;
    button.textContent = account;
    loading = load(account);
    await loading;
  });
}
