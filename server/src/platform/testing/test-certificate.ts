import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';

/** A certificate for one host name that signs itself, made for one test run. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

const der = (tag: number, ...parts: readonly (Buffer | number[])[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const integer = (...bytes: number[]) => der(0x02, bytes);
const text = (tag: number, value: string) => der(tag, Buffer.from(value));

const ecdsaWithSha256 = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
const commonName = der(0x06, [0x55, 0x04, 0x03]);
const alternativeNames = der(0x06, [0x55, 0x1d, 0x11]);
const basicConstraints = der(0x06, [0x55, 0x1d, 0x13]);

/** Written out in DER: the machines that run tests need no openssl. Valid from 2020 to 2049. */
export function makeTestCertificate(host: string): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(commonName, text(0x0c, host))));
  const validity = sequence(text(0x17, '200101000000Z'), text(0x17, '490101000000Z'));
  const names = sequence(text(0x82, host));
  const extensions = sequence(
    sequence(basicConstraints, der(0x01, [0xff]), der(0x04, sequence(der(0x01, [0xff])))),
    sequence(alternativeNames, der(0x04, names)),
  );
  const body = sequence(
    der(0xa0, integer(2)),
    integer(1, Math.floor(performance.now()) & 0x7f),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = sequence(body, ecdsaWithSha256, der(0x03, [0], signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: new X509Certificate(whole).toString(),
  };
}
