import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** What became of a datagram to an endpoint. */
export type Renewed =
  /** EPERM: the rule took and dropped it, which renews the element. */
  | { readonly is: 'renewed' }
  /** It went out: there is no such rule (any more). */
  | { readonly is: 'passed' }
  /** No route, or something stranger: neither renewed nor known to be gone. */
  | { readonly is: 'failed'; readonly why: string };

export interface Renewer {
  send(address: string, port: number): Promise<Renewed>;
  close(): void;
}

/** The element lives for 3 s (design.md); two of these may be lost, and a flushed table is found within this time. */
export const renewEveryMs = 800;

const nothing = Buffer.alloc(0);

/** One socket a family, opened when first needed. An empty datagram is enough: nothing ever receives it. */
export function openRenewer(): Renewer {
  const sockets = new Map<'udp4' | 'udp6', Socket>();
  const socketFor = (address: string): Socket => {
    const type = isIPv6(address) ? 'udp6' : 'udp4';
    const known = sockets.get(type);
    if (known !== undefined) return known;
    const made = createSocket({ type });
    made.on('error', () => {
      made.close();
      sockets.delete(type);
    });
    made.unref();
    sockets.set(type, made);
    return made;
  };
  return {
    async send(address, port) {
      return await new Promise<Renewed>((resolve) => {
        try {
          socketFor(address).send(nothing, port, address, (error) => {
            if (error === null || error === undefined) resolve({ is: 'passed' });
            else if ('code' in error && error.code === 'EPERM') resolve({ is: 'renewed' });
            else resolve({ is: 'failed', why: error.message });
          });
        } catch (error) {
          resolve({ is: 'failed', why: String(error) });
        }
      });
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
