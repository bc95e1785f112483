import { call, login, setLogin } from './call.mjs';
import { button, clear, element, field, say, when } from './elements.mjs';

const main = document.querySelector('main');
const given = () => new URLSearchParams(location.hash.slice(1)).get('code') ?? '';

async function show() {
  const answer = await call('GET', '/v1/login');
  if (answer.ok) {
    setLogin(answer.body);
    return given() === '' ? askForCode('') : showAsker(given());
  }
  const again = button('I have signed in', show);
  again.id = 'again';
  clear(
    main,
    element('h1', {}, 'Sign in first'),
    element(
      'p',
      {},
      'A command line wants to act for you. ',
      element('a', { href: '/account', target: '_blank' }, 'Sign in'),
      ', then come back here.',
    ),
    element('p', {}, again),
    say(answer.status === 401 ? '' : answer.body.detail),
  );
}

function askForCode(problem) {
  const code = field('Code, as XXXX-XXXX', 'code');
  const next = button('Go on', () => showAsker(code.value.trim().toUpperCase()));
  clear(main, element('h1', {}, 'Which command line?'), element('p', {}, code, ' ', next), say(problem));
}

async function showAsker(code) {
  const path = `/v1/me/command-line-logins/${encodeURIComponent(code)}`;
  const answer = await call('GET', path);
  if (!answer.ok) return askForCode('There is no command line that waits with this code. Begin again there.');
  const note = say('');
  const allow = button('Let it act for me', async () => {
    const approved = await call('POST', `${path}/approval`, {});
    if (!approved.ok) note.textContent = approved.body.detail;
    else if (approved.body.location !== null) location.href = approved.body.location;
    else clear(main, element('h1', {}, 'Done'), element('p', { id: 'done' }, 'You can close this page.'));
  });
  allow.id = 'allow';
  const { name, address, created_at } = answer.body;
  clear(
    main,
    element('h1', {}, 'A command line wants to act for you'),
    element('p', {}, `It runs on ${name}, called from ${address} and began ${when(created_at)}.`),
    element(
      'p',
      {},
      'It shows the code ',
      element('strong', { id: 'shown' }, code),
      '. Go on only when yours does, and when it was you who began.',
    ),
    element('p', {}, `It may then do all that you may, as ${login().account.name}, until you end it under Account.`),
    element('p', {}, allow),
    note,
  );
}

window.addEventListener('hashchange', show);
await show();
