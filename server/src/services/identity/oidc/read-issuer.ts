import { AppError } from '#platform/app-error.ts';

/** The issuer as it was given, which tokens repeat to the letter. Throws `invalid_request`. Where it leads is the guard's to judge. */
export function readIssuer(text: string): string {
  const wrong = (detail: string) => new AppError('invalid_request', detail, { pointer: '/issuer' });
  if (!URL.canParse(text)) throw wrong('This is not an address. Give one such as https://login.example.com.');
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '') {
    throw wrong('The address of an issuer has no ? and no #. Leave them out.');
  }
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    throw wrong('Sign-ins are answered over https only, except on this machine. Give an address with https.');
  }
  return text;
}

/** Whether an issuer may be spoken to without TLS. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
}
