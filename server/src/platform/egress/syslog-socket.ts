import { createSocket } from 'node:dgram';
import { lookup as systemLookup } from 'node:dns/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AppError } from '../app-error.ts';
import { parseAllowList } from './allow-list.ts';
import { createGuard } from './guard.ts';

/** Where messages of RFC 5424 go. */
export interface SyslogSocket {
  /** Resolves when the system has taken them; syslog itself never confirms. Errors: `unavailable`, `egress_denied`. */
  send(messages: readonly string[]): Promise<void>;
  close(): void;
}

/** Milliseconds in which a receiver must connect, and go on taking what is sent. */
const patience = 10_000;
const ports: Readonly<Record<string, number>> = { 'tls:': 6_514, 'tcp:': 601, 'udp:': 514 };

/** True for `tls://host:port`, `tcp://host:port`, and `udp://` of this machine. */
export function isSyslogAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search } = new URL(text);
  if (!(protocol in ports) || hostname === '' || pathname.length > 1 || search !== '') return false;
  return protocol !== 'udp:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

/**
 * TCP and TLS frame by counting octets (RFC 6587, RFC 5425); the address is judged when it is connected to. UDP serves on
 * this machine only, where little gets lost.
 */
export function createSyslogSocket(address: string, allow: readonly string[], within = patience): SyslogSocket {
  const { protocol, hostname, port: given } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  const port = given === '' ? (ports[protocol] as number) : Number(given);
  if (protocol === 'udp:') return createUdp(host, port);
  // Who sends logs a refusal with the others of the stream.
  const guard = createGuard(parseAllowList(allow), { surface: 'own', onDenied: () => undefined });
  let socket: Socket | undefined;

  async function open(): Promise<Socket> {
    if (socket && !socket.destroyed && socket.writable) return socket;
    const found = await systemLookup(host).catch((error: unknown) => {
      throw failed(host, error);
    });
    guard.checkAddress(host, port, found.address);
    const target = { host: found.address, port };
    const made = protocol === 'tls:' ? connectTls({ ...target, servername: host }) : connectTcp(target);
    made.on('timeout', () => made.destroy(new Error('It did not answer in time')));
    made.setTimeout(within);
    await new Promise<void>((resolve, reject) => {
      made.once(protocol === 'tls:' ? 'secureConnect' : 'connect', resolve);
      made.once('error', (error) => reject(failed(host, error)));
    });
    made.setTimeout(0);
    // Said with the next message: until then nobody waits for it.
    made.on('error', () => made.destroy());
    // A receiver that closes its side takes nothing more.
    made.on('end', () => made.destroy());
    made.resume();
    made.unref();
    socket = made;
    return made;
  }

  return {
    async send(messages) {
      const connected = await open();
      const bytes = messages.map((message) => `${Buffer.byteLength(message)} ${message}`).join('');
      await new Promise<void>((resolve, reject) => {
        const broken = () => reject(failed(host, new Error('The connection broke')));
        connected.once('close', broken);
        // One that takes nothing more would hold up what is sent, and the end of the process, for ever.
        connected.setTimeout(within);
        connected.write(bytes, (error) => {
          connected.setTimeout(0);
          connected.off('close', broken);
          if (error) reject(failed(host, error));
          else resolve();
        });
      });
    },
    close: () => void socket?.destroy(),
  };
}

function createUdp(host: string, port: number): SyslogSocket {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  socket.unref();
  return {
    async send(messages) {
      for (const message of messages) {
        await new Promise<void>((resolve, reject) => {
          socket.send(message, port, host, (error) => (error ? reject(failed(host, error)) : resolve()));
        });
      }
    },
    close: () => socket.close(),
  };
}

function failed(host: string, cause: unknown): AppError {
  return new AppError(
    'unavailable',
    `The syslog receiver ${host} does not take messages. Check DAMASK_AUDIT_SYSLOG and that it listens.`,
    {},
    { cause },
  );
}
