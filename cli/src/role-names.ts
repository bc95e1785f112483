const roles = ['viewer', 'runner', 'author', 'operator', 'admin', 'owner'];

/** How roles are named in help and messages. */
export const roleNames = `${roles.join(', ')}, or custom:<name>`;

/** Whether it can be the name of a role; whether there is such a custom one, the server knows. */
export function isRole(text: string | undefined): text is string {
  return text !== undefined && (roles.includes(text) || /^custom:[a-z0-9][a-z0-9_-]{0,99}$/.test(text));
}
