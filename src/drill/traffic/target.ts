import { readFileSync } from 'node:fs';
import { checkServerIdentity, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
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
  readonly authorization: string | undefined;
  /** The apiserver that is at the other end; `header` is what it calls itself in the lab. */
  server(socket: TLSSocket, header: string | undefined): string | undefined;
}

export function targetOf(config: TrafficConfig): Target {
  const ca = config.caFile === undefined ? undefined : readFileSync(config.caFile, 'utf8');
  const name = config.serverName ?? config.host;
  const { servers } = config;
  return {
    host: config.host,
    port: config.port,
    options: {
      host: config.host,
      port: config.port,
      // One curve, the one that every server has: offering more than one, or a post-quantum one, costs the client CPU.
      secureContext: createSecureContext({ ...(ca === undefined ? {} : { ca }), ecdhCurve: 'X25519' }),
      rejectUnauthorized: ca !== undefined,
      servername: /:|^[\d.]+$/.test(name) ? '' : name,
      checkServerIdentity: (_host, cert) => checkServerIdentity(name, cert),
    },
    authorization:
      config.tokenFile === undefined ? undefined : `Bearer ${readFileSync(config.tokenFile, 'utf8').trim()}`,
    server(socket, header) {
      if (servers === 'header') return header;
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
      return fingerprint === undefined ? undefined : (servers[fingerprint] ?? fingerprint.slice(0, 8));
    },
  };
}
