import { readFileSync } from 'node:fs';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { TrafficConfig } from './config.ts';

/** What every kind of traffic needs to dial, made once: a secure context costs more than a handshake. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly secureContext: SecureContext;
    readonly rejectUnauthorized: boolean;
    readonly servername: string;
    readonly checkServerIdentity: typeof checkServerIdentity;
  };
  /** Opens a connection as cheaply as a new one can be: see `cheap` below. */
  open(): TLSSocket;
  readonly authorization: string | undefined;
  /** The apiserver that is at the other end; `header` is what it calls itself in the lab. */
  server(socket: TLSSocket, header: string | undefined): string | undefined;
}

export function targetOf(config: TrafficConfig): Target {
  const ca = config.caFile === undefined ? undefined : readFileSync(config.caFile, 'utf8');
  const name = config.serverName ?? config.host;
  const { servers } = config;
  // One curve, the one that every server has: offering more than one, or a post-quantum one, costs the client CPU.
  const context = { ...(ca === undefined ? {} : { ca }), ecdhCurve: 'X25519' };
  const options: Target['options'] = {
    host: config.host,
    port: config.port,
    secureContext: createSecureContext(context),
    rejectUnauthorized: ca !== undefined,
    servername: /:|^[\d.]+$/.test(name) ? '' : name,
    checkServerIdentity: (_host, cert) => checkServerIdentity(name, cert),
  };
  // A resumed session of TLS 1.2 costs half of a full handshake of 1.3 (0.56 and 1.05 ms of processor time here, of which
  // TCP is 0.28), and the server no signature: what measures should not be what is measured. A server that does not know
  // the ticket, because it is another one, makes a full handshake of it. P-256 is for certificates that are of that curve.
  const cheap = createSecureContext({ ...context, maxVersion: 'TLSv1.2', ecdhCurve: 'X25519:P-256' });
  let session: Buffer | undefined;
  // A resumed session says no certificate: it is of whoever gave it.
  let giver: string | undefined;
  const offered = new WeakMap<TLSSocket, string>();
  const fingerprintOf = (socket: TLSSocket): string | undefined =>
    socket.getPeerX509Certificate()?.fingerprint256 ?? (socket.isSessionReused() ? offered.get(socket) : undefined);
  return {
    host: config.host,
    port: config.port,
    options,
    open() {
      const socket = connect({ ...options, secureContext: cheap, ...(session === undefined ? {} : { session }) });
      if (giver !== undefined) offered.set(socket, giver);
      socket.once('session', (fresh: Buffer) => {
        session = fresh;
        giver = fingerprintOf(socket);
      });
      return socket;
    },
    authorization:
      config.tokenFile === undefined ? undefined : `Bearer ${readFileSync(config.tokenFile, 'utf8').trim()}`,
    server(socket, header) {
      if (servers === 'header') return header;
      const fingerprint = fingerprintOf(socket);
      return fingerprint === undefined ? undefined : (servers[fingerprint] ?? fingerprint.slice(0, 8));
    },
  };
}
