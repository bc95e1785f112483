import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeName, signRequest } from './sign-request.ts';

// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, the examples with their published signatures.
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const at = Date.UTC(2013, 4, 24);
const signatureOf = (path: string, headers: Record<string, string>, method = 'GET', body = '') => {
  const url = new URL(path, 'https://examplebucket.s3.amazonaws.com');
  const signed = signRequest({ method, url, headers, body: Buffer.from(body), at }, credentials);
  return /Signature=(.*)$/.exec(signed.authorization ?? '')?.[1];
};

test('requests are signed as the published examples are', () => {
  assert.equal(
    signatureOf('/test.txt', { range: 'bytes=0-9' }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
  assert.equal(
    signatureOf(
      '/test%24file.text',
      { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      'PUT',
      'Welcome to Amazon S3.',
    ),
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  );
  assert.equal(signatureOf('/?lifecycle', {}), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
  assert.equal(
    signatureOf('/?max-keys=2&prefix=J', {}),
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  );
});

test('a token that is lent for a time is signed too', () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/x');
  const signed = signRequest(
    { method: 'GET', url, body: Buffer.alloc(0), at },
    { ...credentials, sessionToken: 'lent' },
  );
  assert.equal(signed['x-amz-security-token'], 'lent');
  assert.match(signed.authorization ?? '', /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
});

test('names are written as signatures need them', () => {
  assert.equal(encodeName("a b!'()*~ü/"), 'a%20b%21%27%28%29%2A~%C3%BC%2F');
});
