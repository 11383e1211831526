import { draw, send } from './practice.js';

const pageSize = 5;
const { token } = document.querySelector('[data-stage]').dataset;
const fetchPage = (number) =>
  send(`/cg/customer/api/account?pageNumber=${number}&pageSize=${pageSize}`, { headers: { Authorization: `Bearer ${token}` } });

const first = await fetchPage(1);
if (first.TotalCount === 0) await draw('none');
else await list();

async function list() {
  const stage = await draw('accounts');
  const rows = stage.querySelector('tbody');
  const more = stage.querySelector('#load-more');
  let number = 1;
  const add = ({ Accounts, TotalCount }) => {
    rows.append(...Accounts.flatMap(lines));
    more.hidden = number * pageSize >= TotalCount;
  };
  more.addEventListener('click', async () => add(await fetchPage(number += 1)));
  add(first);
}

function lines(account) {
  return account.Meters.map((meter) => line(account, meter));
}

function line(account, meter) {
  const row = document.createElement('tr');
  const cells = [
    ['account-number', 'Account number', account.BillingAccountIdentifier], ['meter-number', 'Meter number', meter.MeterNumber],
    ['service-address', 'Service address', account.ServiceAddress], ['service-class', 'Service', meter.ServiceType],
    ['status', 'Status', account.AccountStatus],
  ];
  for (const [name, label, text] of cells) Object.assign(row.insertCell(), { className: name, textContent: text }).dataset.label = label;
  return row;
}
