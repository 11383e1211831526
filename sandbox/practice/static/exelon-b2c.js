// What the sign-in pages share: requests with the page's token, and the way to the next page.
import { send } from './practice.js';

const { csrf, transId, hosts, api } = window.SETTINGS;
const query = `tx=${encodeURIComponent(transId)}&p=${hosts.policy}`;

/** Posts form fields to a service of this page and gives its JSON answer. */
export const submit = (path, fields) =>
  send(`${hosts.tenant}/${path}?${query}`, { method: 'POST', headers: { 'X-CSRF-TOKEN': csrf }, body: new URLSearchParams(fields) });

/** Shows the refusal of an answer and tells whether there was one. */
export function refused(answer, where) {
  if (answer.redirect) location.assign(answer.redirect);
  where.textContent = answer.status === '200' ? '' : answer.message ?? '';
  return answer.status !== '200' || Boolean(answer.redirect);
}

/** Goes on to the page after this one. */
export const confirmed = () =>
  location.assign(`${hosts.tenant}/api/${api}/confirmed?csrf_token=${csrf}&${query}`);
