import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { inRange, isSpecial, parseAddress, parseRange, type Range, unwrap } from './address.ts';
import { parseAllowList } from './allow-list.ts';

const special = (text: string) => isSpecial(unwrap(parseAddress(text) as Uint8Array));

test('addresses are read as the system writes them', () => {
  const cases: [string, string][] = [
    ['1.2.3.4', '01020304'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['::ffff:1.2.3.4', '00000000000000000000ffff01020304'],
    ['64:ff9b::255.255.255.255', '0064ff9b0000000000000000ffffffff'],
    ['[fe80::1]', 'fe800000000000000000000000000001'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1::', `0001${'0'.repeat(28)}`],
  ];
  for (const [text, hex] of cases) assert.equal(Buffer.from(parseAddress(text) ?? []).toString('hex'), hex, text);
  for (const text of ['', 'localhost', '1.2.3', '01.2.3.4', '1.2.3.256', ':::', '1:2', 'g::1', '127.1']) {
    assert.equal(parseAddress(text), null, text);
  }
});

test('ranges cut at any bit', () => {
  const inside = (text: string, range: string) => inRange(parseAddress(text) as Uint8Array, parseRange(range) as Range);
  assert.ok(inside('172.31.255.255', '172.16.0.0/12'));
  assert.ok(!inside('172.32.0.0', '172.16.0.0/12'));
  assert.ok(inside('9.9.9.9', '0.0.0.0/0'));
  assert.ok(!inside('::1', '0.0.0.0/0'));
  assert.ok(inside('fdff::1', 'fc00::/7') && !inside('fe00::1', 'fc00::/7'));
  for (const bad of ['1.2.3.4/33', '::/129', '1.2.3.4/x', '1.2.3.4/', 'a/8', '1.2.3.4/8/8', ''])
    assert.equal(parseRange(bad), null, bad);
});

test('every range that is not the public internet is special, in every spelling', () => {
  const ipv4 = [
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
  ];
  ipv4.push('172.16.0.1', '172.31.255.255', '192.0.0.192', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255');
  ipv4.push('168.63.129.16', '192.0.2.1', '198.51.100.1', '203.0.113.1', '240.0.0.1');
  for (const text of ipv4) {
    const hex = Buffer.from(parseAddress(text) as Uint8Array).toString('hex');
    const [high, low] = [hex.slice(0, 4), hex.slice(4)];
    const forms = [
      text,
      `::ffff:${text}`,
      `::${high}:${low}`,
      `::ffff:0:${high}:${low}`,
      `64:ff9b::${text}`,
      `2002:${high}:${low}::`,
    ];
    for (const form of forms) assert.ok(special(form), form);
  }
  const ipv6 = [
    '::',
    '::1',
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
  ];
  ipv6.push('2001::1', '2001:0:7f00:1::', '3fff::1', '5f00::1', '64:ff9b:1::7f00:1', '4000::1');
  for (const text of ipv6) assert.ok(special(text), text);
  const open = [
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '2606:4700::1111',
    '2a00::1',
    '::ffff:8.8.8.8',
  ];
  for (const text of open) assert.ok(!special(text), text);
});

test('random addresses are read as URL reads them', () => {
  for (let round = 0; round < 3000; round++) {
    // The same addresses in every run, half of their groups zero.
    const bytes = createHash('sha256').update(`address ${round}`).digest();
    const groups = Array.from({ length: 8 }, (_, group) =>
      (bytes[16 + group] as number) % 2 ? 0 : bytes.readUInt16BE(2 * group),
    );
    const text = groups.map((group) => group.toString(16)).join(':');
    const short = new URL(`http://[${text}]`).hostname;
    assert.equal(isIP(short.slice(1, -1)), 6);
    assert.deepEqual(parseAddress(short), parseAddress(text), short);
  }
});

test('an entry of the allow list permits exactly what it says', () => {
  const list = parseAllowList([
    '10.1.0.0/16',
    '192.168.0.5:8080',
    '[fd00::1]:443',
    'Ollama.LAN',
    'db.lan:5432',
    '::ffff:10.9.0.0/112',
  ]);
  const address = (text: string, port = 80) => list.allowsAddress(parseAddress(text) as Uint8Array, port);
  assert.ok(address('10.1.255.1') && address('::ffff:10.1.2.3') && !address('10.2.0.1'));
  assert.ok(address('192.168.0.5', 8080) && !address('192.168.0.5', 80) && !address('192.168.0.6', 8080));
  assert.ok(address('fd00::1', 443) && !address('fd00::1', 80) && !address('fd00::2', 443));
  assert.ok(address('10.9.3.3') && !address('10.10.0.1'));
  assert.ok(
    list.allowsHost('ollama.lan', 1) && list.allowsHost('OLLAMA.lan.', 2) && !list.allowsHost('x.ollama.lan', 1),
  );
  assert.ok(list.allowsHost('db.lan', 5432) && !list.allowsHost('db.lan', 80));
  assert.ok(
    list.namesPort('db.lan', 5432) && !list.namesPort('ollama.lan', 5432) && list.namesPort('192.168.0.5', 8080),
  );
  const none = parseAllowList([]);
  assert.ok(!none.allowsHost('localhost', 80) && !none.allowsAddress(parseAddress('127.0.0.1') as Uint8Array, 80));
  for (const bad of ['', '10.0.0.0/33', 'http://x', 'a b', '*', 'host:99999', 'host:0', 'x/8']) {
    assert.throws(() => parseAllowList([bad]), /not a CIDR/, bad);
  }
});
