import { draw, post, send } from './practice.js';

const perPage = 10;
const atFirst = 5;

if (document.querySelector('react-myaccount-container').dataset.nag === 'true') await nag();
const { accounts, serviceAccounts } = await send('/mysce/api/v1/serviceaccounts');
if (accounts === 0) await draw('none');
else if (accounts === 1) (await draw('single')).querySelector('.rows').append(...serviceAccounts.map(row('single-row')));
else await several();

// One thing to dismiss after the other: the second factor is offered, then a survey.
async function nag() {
  await pressed('optIn', '.later, .never');
  await post('/mysce/api/v1/preferences', {});
  await pressed('survey', '.fsrDeclineButton');
}

async function pressed(overlay, buttons) {
  const stage = await draw(overlay);
  await new Promise((done) => {
    for (const button of stage.querySelectorAll(buttons)) button.addEventListener('click', done);
  });
  stage.replaceChildren();
}

function row(template) {
  return (meter) => {
    const drawn = document.getElementById(template).content.cloneNode(true);
    drawn.querySelector('[class*=__address]').textContent = meter.service_address;
    drawn.querySelector('[class*=__number]').textContent = meter.service_identifier;
    drawn.querySelector('[class*=__tariff]').textContent = meter.tariff;
    return drawn;
  };
}

async function several() {
  const stage = await draw('multi');
  const search = stage.querySelector('#searchMyAccounts');
  const more = stage.querySelector('.show-more');
  const show = (page, upTo) => {
    const found = serviceAccounts.filter((one) => one.service_identifier.includes(search.value));
    const here = found.slice(page * perPage, (page + 1) * perPage);
    stage.querySelector('.rows').replaceChildren(...here.slice(0, upTo).map(row('multi-row')));
    more.hidden = here.length <= upTo;
    more.onclick = () => show(page, perPage);
    stage.querySelector('.pager').replaceChildren(...pagination(page, Math.ceil(found.length / perPage), (to) => show(to, atFirst)));
  };
  search.addEventListener('input', () => show(0, atFirst));
  show(0, atFirst);
}

// The pages around this one, as buttons, with the next one at the end.
function pagination(page, pages, go) {
  const button = (text, to) => {
    const item = document.getElementById('pagination').content.cloneNode(true);
    const inner = item.querySelector('button');
    inner.textContent = text;
    inner.disabled = to === page || to < 0 || to >= pages;
    inner.addEventListener('click', () => go(to));
    return item;
  };
  const near = [page - 1, page, page + 1].filter((at) => at >= 0 && at < pages);
  return [button('Previous', page - 1), ...near.map((at) => button(String(at + 1), at)), button('Next', page + 1)];
}
