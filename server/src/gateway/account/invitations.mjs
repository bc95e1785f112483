import { call } from './call.mjs';
import { button, element, field, say, table, when } from './elements.mjs';

/** Open invitations of a workspace; who may not end one is told so. */
export function invitationTable(items, workspace, may, again) {
  const note = say('');
  const revoke = ({ id }) =>
    button('Revoke', async () => {
      const answer = await call('DELETE', `/v1/invitations/${id}`, undefined, workspace);
      if (answer.ok) await again();
      else note.textContent = answer.body.detail;
    });
  const rows = items.map((one) => [
    one.email ?? '',
    one.name ?? '',
    one.role,
    when(one.created_at),
    when(one.expires_at),
    may ? revoke(one) : '',
  ]);
  return element('div', {}, table(['E-mail', 'Name', 'Role', 'Made', 'Ends', ''], rows, 'invitations'), note);
}

/** The link is shown this once, as a new key is. */
export function invitationForm(roles, workspace, again) {
  const email = field('E-mail (optional)', 'invitation-email');
  const role = element('select', { id: 'invitation-role', 'aria-label': 'Role of whom you invite' });
  for (const one of roles) role.append(element('option', {}, one));
  const note = say('');
  const make = button('Invite', async () => {
    const to = email.value.trim() === '' ? {} : { email: email.value.trim() };
    const answer = await call('POST', '/v1/invitations', { ...to, role: role.value }, workspace);
    if (!answer.ok) {
      note.textContent = answer.body.detail;
      return;
    }
    await again();
    const text = 'Bring this link to them yourself; whoever opens it can join once. It is shown this once: ';
    const shown = element('p', { id: 'new-invitation' }, text, element('code', {}, answer.body.url));
    document.querySelector('#invitations').after(shown);
  });
  make.id = 'invite';
  return element('p', {}, email, ' ', role, ' ', make, note);
}
