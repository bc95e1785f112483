import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import type { VendorScript } from '#platform/testing/vendor-server.ts';
import type { AdapterOptions } from './create-adapter.ts';
import { beginStream, openVendor, streamOf, type Vendor, vendors } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(vendor: Vendor, script: VendorScript, options?: Partial<AdapterOptions>) {
  const opened = await openVendor(vendor.protocol, script, options);
  closing.push(opened.close);
  return opened;
}

const drainedOrClosed = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });

const json = { 'content-type': 'application/json' };
const text = 'Grüße 👋 an alle.';

for (const vendor of vendors) {
  const of = `of ${vendor.protocol}`;
  const start = vendor.opening.map(vendor.frame).join('') + vendor.frame(vendor.piece('so far'));

  test(`a stream ${of} gives the same, at whatever byte it is split`, async () => {
    const bytes = Buffer.from(streamOf(vendor, ['Grüße ', '👋 an', ' alle.']));
    const crlf = Buffer.from(bytes.toString().replaceAll('\n', '\r\n'));
    const { call } = await open(vendor, async ({ number }, response) => {
      const source = number % 2 === 0 ? crlf : bytes;
      const at = number % source.length;
      beginStream(vendor, response);
      response.write(source.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      response.end(source.subarray(at));
    });
    const calls = Array.from({ length: crlf.length }, () => () => call({ stream: true }));
    while (calls.length > 0) {
      for (const result of await Promise.all(calls.splice(0, 8).map((begin) => begin()))) {
        assert.equal(result.ok, true);
        assert.equal(result.text, text);
        assert.deepEqual([result.usage.input_tokens, result.usage.output_tokens], [11, 7]);
        assert.equal(result.ok && result.stopReason, 'stop');
      }
    }
  });

  test(`a whole answer ${of} gives text, stop reason and usage`, async () => {
    const { call } = await open(vendor, (_, response) => {
      response.writeHead(200, json).end(JSON.stringify(vendor.whole(text, vendor.usage(11, 7))));
    });
    const result = await call();
    assert.equal(result.text, text);
    assert.deepEqual([result.ok, result.ok && result.stopReason], [true, 'stop']);
    assert.deepEqual([result.usage.input_tokens, result.usage.output_tokens], [11, 7]);
  });

  test(`a wish to wait ${of} is kept between a second and a minute, in whatever form it comes`, async () => {
    const forms = ['2', '0', 'Wed, 21 Oct 2015 07:28:00 GMT', '99999999', 'abc', '', undefined];
    const { call } = await open(vendor, ({ number }, response) => {
      const form = forms[number - 1];
      response.writeHead(429, form === undefined ? json : { ...json, 'retry-after': form });
      response.end(JSON.stringify(vendor.error));
    });
    const waits: unknown[] = [];
    for (const _ of forms) {
      const result = await call({ stream: true });
      assert.ok(!result.ok && result.code === 'provider_busy' && !result.uncertain);
      waits.push(result.retryAfterSeconds);
    }
    assert.deepEqual(waits, [2, 1, 1, 60, 1, 1, 1]);
  });

  test(`a refusal ${of} is told once by its status, in the provider's words without secrets`, async () => {
    const codes = [
      [401, 'provider_auth'],
      [404, 'model_not_found'],
      [413, 'input_too_long'],
      [500, 'provider_error'],
      [502, 'provider_error'],
      [503, 'provider_busy'],
      [529, 'provider_busy'],
    ] as const;
    const { call, server } = await open(vendor, ({ number }, response) => {
      response.writeHead(codes[number - 1]?.[0] ?? 500, json).end(JSON.stringify(vendor.error));
    });
    for (const [status, code] of codes) {
      const result = await call({ stream: status % 2 === 0 });
      assert.ok(!result.ok);
      assert.deepEqual([result.status, result.code], [status, code]);
      assert.match(result.detail, /gone wrong, \[redacted\]/);
    }
    assert.equal(server.calls.length, codes.length);
  });

  test(`silence ${of} before the head or after three pieces ends the call, which is then uncertain`, async () => {
    const { call, server } = await open(
      vendor,
      ({ number }, response) => {
        if (number === 1) return;
        beginStream(vendor, response);
        response.write(vendor.opening.map(vendor.frame).join(''));
        for (const piece of ['a', 'b', 'c']) response.write(vendor.frame(vendor.piece(piece)));
      },
      { firstByteMs: 60, idleMs: 60 },
    );
    for (const heard of ['', 'abc']) {
      const result = await call({ stream: true });
      assert.ok(!result.ok && result.code === 'timeout' && result.uncertain === true);
      assert.equal(result.text, heard);
    }
    for (let wait = 0; wait < 200 && server.abandoned < 2; wait++) await systemClock.sleep(5);
    assert.equal(server.abandoned, 2);
  });

  const cuts: [string, VendorScript][] = [
    ['without its end', (_, response) => void response.end(start)],
    ['with a closed connection', (_, response) => void response.write(start, () => response.destroy())],
    ['with a reset connection', (_, response) => void response.write(start, () => response.socket?.resetAndDestroy())],
    ['right after its head', (_, response) => void response.end()],
    [
      'before its last document is whole',
      (_, response) => {
        const whole = streamOf(vendor, ['so far']);
        const last = vendor.frame(vendor.closing(vendor.usage(11, 7)).at(-1) ?? '');
        response.write(whole.slice(0, whole.length - Math.ceil(last.length / 2)), () => response.destroy());
      },
    ],
  ];
  test(`a stream ${of} that is cut off is truncated, never a success`, async () => {
    const { call } = await open(vendor, ({ number, ...call }, response) => {
      beginStream(vendor, response);
      response.flushHeaders();
      return cuts[number - 1]?.[1]({ number, ...call }, response);
    });
    for (const [how] of cuts) {
      const result = await call({ stream: true });
      assert.ok(!result.ok, how);
      assert.equal(result.code, 'truncated', how);
      assert.equal(result.text, how === 'right after its head' ? '' : 'so far', how);
    }
  });

  test(`a whole answer ${of} that is cut off, of another kind or a web page is never a success`, async () => {
    const whole = JSON.stringify(vendor.whole(text));
    const { call } = await open(vendor, ({ number }, response) => {
      if (number === 1) response.writeHead(200, json).end(whole.slice(0, -4));
      else if (number === 2) response.writeHead(200, json).end('{"hello":"you"}');
      else if (number === 3) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      else if (number === 4) response.writeHead(200, json).end(JSON.stringify(vendor.error));
      else response.writeHead(200, json).end('[]');
    });
    const codes = [
      'truncated',
      'provider_protocol_error',
      'provider_protocol_error',
      'provider_error',
      'provider_protocol_error',
    ];
    for (const code of codes) {
      const result = await call();
      assert.equal(!result.ok && result.code, code);
    }
  });

  test(`an error ${of} inside a stream, framed or bare, ends it with the provider's words`, async () => {
    const { call } = await open(vendor, ({ number }, response) => {
      beginStream(vendor, response);
      response.end(start + (number === 1 ? vendor.frame(vendor.error) : `${JSON.stringify(vendor.error)}\n`));
    });
    for (const _ of [1, 2]) {
      const result = await call({ stream: true });
      assert.ok(!result.ok && result.code === 'provider_error');
      assert.match(result.detail, /gone wrong, \[redacted\]/);
      assert.equal(result.text, 'so far');
    }
  });

  test(`what a stream ${of} has besides is passed over, and broken characters are replaced`, async () => {
    const noise = `${vendor.frame({ type: 'brand_new', x: 1 })}${vendor.frame({ choices: [], candidates: [] })}`;
    const comment = vendor.protocol === 'ollama' ? '\n' : ': ping\n\nevent: news\nid: 7\nretry: 5\n\n';
    const { call } = await open(vendor, (_, response) => {
      beginStream(vendor, response);
      response.write(comment + noise);
      const broken = Buffer.from(streamOf(vendor, ['x', 'OK?']));
      broken[broken.indexOf('?')] = 0xff;
      response.write(broken);
      response.end(vendor.protocol === 'gemini' ? '' : '{"error":"after the end"}\n');
    });
    const result = await call({ stream: true });
    assert.deepEqual([result.ok, result.text], [true, 'xOK\uFFFD']);
  });

  test(`garbage ${of} is a protocol error`, async () => {
    const { call } = await open(vendor, (_, response) => {
      beginStream(vendor, response);
      response.end(vendor.protocol === 'ollama' ? '{not json\n' : 'data: {not json\n\n');
    });
    const result = await call({ stream: true });
    assert.equal(!result.ok && result.code, 'provider_protocol_error');
  });

  test(`a line ${of} of a hundred megabytes is cut off early and not kept`, async () => {
    let written = 0;
    const { call } = await open(vendor, async (_, response) => {
      beginStream(vendor, response);
      response.write('data: "');
      const piece = Buffer.alloc(256 * 1024, 'x');
      while (written < 100 * 1024 * 1024 && !response.destroyed) {
        written += piece.length;
        if (!response.write(piece)) await drainedOrClosed(response);
      }
    });
    const result = await call({ stream: true });
    assert.equal(!result.ok && result.code, 'provider_protocol_error');
    assert.ok(written < 30 * 1024 * 1024, `${written} bytes were taken`);
  });

  test(`usage ${of} that is missing, zero, negative or absurd is unknown, never nothing`, async () => {
    const usages = [
      undefined,
      vendor.usage(0, 0),
      vendor.usage(-1, -5),
      vendor.usage(1e15, 1e15),
      vendor.usage('11', '7'),
      vendor.usage(1.5, 2.5),
    ];
    const { call } = await open(vendor, ({ number }, response) => {
      const usage = usages[Math.floor((number - 1) / 2)];
      if (number % 2 === 1) {
        beginStream(vendor, response);
        const documents = [...vendor.opening, vendor.piece('ok'), ...vendor.closing(usage)];
        response.end(documents.map(vendor.frame).join(''));
      } else response.writeHead(200, json).end(JSON.stringify(vendor.whole('ok', usage)));
    });
    for (const usage of usages) {
      for (const stream of [true, false]) {
        const result = await call({ stream });
        assert.equal(result.ok, true);
        assert.deepEqual([result.usage.input_tokens, result.usage.output_tokens], [null, null], JSON.stringify(usage));
      }
    }
  });

  test(`a stream ${of} that has ended is done although its connection stays open`, async () => {
    const { call } = await open(vendor, (_, response) => {
      beginStream(vendor, response);
      response.write(streamOf(vendor, [text]));
      if (vendor.protocol === 'gemini') response.end();
    });
    const result = await call({ stream: true });
    assert.deepEqual([result.ok, result.text], [true, text]);
  });

  test(`a call ${of} that is aborted ends upstream`, async () => {
    const { begin, server } = await open(vendor, (_, response) => {
      beginStream(vendor, response);
      response.write(start);
    });
    const { done, abort } = begin({ stream: true });
    while (server.calls.length === 0) await systemClock.sleep(5);
    abort();
    const result = await done;
    assert.equal(!result.ok && result.code, 'run_cancelled');
    for (let wait = 0; wait < 200 && server.abandoned === 0; wait++) await systemClock.sleep(5);
    assert.equal(server.abandoned, 1);
  });
}
