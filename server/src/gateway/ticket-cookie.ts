const seconds = 600;
const longest = 4_096;

const nameOf = (secure: boolean) => (secure ? '__Host-damask-sign-in' : 'damask-sign-in');

/** The header `Set-Cookie` for what a browser carries through a sign-in; an empty text takes it away. */
export function ticketCookie(ticket: string, secure: boolean): string {
  const age = ticket === '' ? 0 : seconds;
  return `${nameOf(secure)}=${ticket}; Max-Age=${age}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

/** Undefined where there is none, or more than one: then somebody planted it. */
export function readTicket(header: string | undefined, secure: boolean): string | undefined {
  const name = `${nameOf(secure)}=`;
  const found = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(name))
    .map((part) => part.slice(name.length));
  const [ticket] = found;
  return found.length === 1 && ticket !== undefined && ticket.length <= longest && /^[\w-]+$/.test(ticket)
    ? ticket
    : undefined;
}
