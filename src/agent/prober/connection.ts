import { type ClientHttp2Session, constants, connect as http2Connect } from 'node:http2';
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { checkServerIdentity, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Evidence } from '../backend/backend.ts';
import { type Beat, isDue } from '../beat.ts';
import { pause } from '../pause.ts';
import type { ProbeTiming } from './timing.ts';

/** What is needed to talk to one apiserver. Certificates are PEM. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** The endpoint's host: the certificate must be good for it, not only signed by the CA (any kubelet has one of those). */
  readonly endpoint: string;
  /** Read at each dial: `up` delivers it, and it may be replaced. Throws in words when there is none yet. */
  readonly ca: () => Promise<string>;
  /** The node's own client certificate, for clusters without anonymous access; `undefined`: anonymous. */
  readonly credentials?: () => Promise<Credentials | undefined>;
}

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface Told {
  readonly evidence: (seen: Evidence) => void;
  /** For the log: why a dial or a connection ended, or what is wrong with an answer. */
  readonly trouble: (text: string) => void;
  /** A connection that answers, for other questions; `undefined` when it has gone. */
  readonly connected?: (connection: Connection | undefined) => void;
}

/** What others may do with a kept connection. */
export interface Connection {
  readonly session: ClientHttp2Session;
  /** Sends a PING now instead of at the next turn. */
  ping(): void;
  /** The same, and asks for /readyz. */
  ask(): void;
  /** Dials anew, as when the client certificate has changed. No evidence against the other side. */
  redial(): void;
}

interface ProbeOptions {
  /** Asked anew for each pause, so that a gentle prober can hurry while something is wrong. */
  readonly timing: () => ProbeTiming;
  /** PINGs go out with it. */
  readonly beat: Pick<Beat, 'each'>;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * Keeps one TLS HTTP/2 connection to an apiserver until `signal` aborts, and tells what it sees. A verdict is somebody
 * else's business. Resolves when the last connection is closed; never throws.
 */
export async function keepProbing(target: ProbeTarget, told: Told, opts: ProbeOptions): Promise<void> {
  const { signal, now } = opts;
  let redialMs = opts.timing().redialMs;
  let usedUp = false;
  while (!signal.aborted) {
    const startedAt = now();
    told.evidence({ is: 'asked', at: startedAt });
    try {
      const session = await dial(target, { signal, timeoutMs: opts.timing().dialTimeoutMs });
      told.evidence({ is: 'answered', at: now(), rttMs: undefined });
      const end = await attend(session, told, { ...opts, answeredBefore: usedUp });
      if (signal.aborted) return;
      usedUp = end.is === 'used-up';
      if (usedUp) continue;
      if (end.is === 'ended') told.evidence({ is: 'ended', at: now() });
      told.trouble(end.why);
      // A server that accepts and ends at once is not dialled in a tight loop.
      if (now() - startedAt > 1000) {
        redialMs = opts.timing().redialMs;
        continue;
      }
    } catch (error) {
      if (signal.aborted) return;
      // That end was no news as long as the next connection could be had.
      if (usedUp) told.evidence({ is: 'ended', at: startedAt });
      usedUp = false;
      if (isRefused(error)) told.evidence({ is: 'refused', at: now() });
      told.trouble(error instanceof Error ? error.message : String(error));
    }
    await pause(redialMs * (0.75 + opts.random() / 2), signal);
    redialMs = Math.min(redialMs * 2, opts.timing().redialMaxMs);
  }
}

async function dial(
  target: ProbeTarget,
  opts: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<ClientHttp2Session> {
  const until = AbortSignal.any([opts.signal, AbortSignal.timeout(opts.timeoutMs)]);
  // TCP first and by itself: a refusal is the verdict that has to be quick, and nothing needs to be read for it.
  const tcp = tcpConnect({ host: target.address, port: target.port, noDelay: true });
  await opened(tcp, 'connect', until, `${target.address} did not accept a connection within ${opts.timeoutMs} ms`);
  const late = `${target.address} accepted a connection but did not finish the TLS handshake within ${opts.timeoutMs} ms`;
  try {
    const ca = await target.ca();
    const credentials = await target.credentials?.();
    const socket = tlsConnect({
      socket: tcp,
      ca,
      ...credentials,
      // SNI may not be an address (RFC 6066 §3); the identity check below is for the endpoint either way.
      servername: isIP(target.endpoint) === 0 ? target.endpoint : '',
      checkServerIdentity: (_host, cert) => checkServerIdentity(target.endpoint, cert),
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
    });
    await opened(socket, 'secureConnect', until, late);
    if (socket.alpnProtocol !== 'h2') {
      throw new Error(`${target.address} does not speak HTTP/2 (ALPN gave ${JSON.stringify(socket.alpnProtocol)})`);
    }
    return http2Connect(
      `https://${isIP(target.endpoint) === 6 ? `[${target.endpoint}]` : target.endpoint}:${target.port}`,
      {
        createConnection: () => socket,
        // A hostile or broken server must not make the agent hold memory: small answers are all it asks for.
        settings: { enablePush: false, initialWindowSize: 65_535, maxHeaderListSize: 16_384 },
        maxSessionMemory: 1,
        maxSettings: 32,
      },
    );
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

/** Waits for a socket to open; destroys it when it does not. */
async function opened(
  socket: Socket | TLSSocket,
  event: 'connect' | 'secureConnect',
  until: AbortSignal,
  late: string,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = () => socket.destroy(new Error(late));
    const settle = (then: () => void) => () => {
      until.removeEventListener('abort', abort);
      then();
    };
    until.addEventListener('abort', abort, { once: true });
    if (until.aborted) abort();
    socket.once(event, settle(resolve));
    // Stays on: a socket may fail again after it has opened, and the session that uses it speaks for it then.
    socket.on('error', (error) => settle(() => reject(error))());
    socket.once(
      'close',
      settle(() => reject(new Error('the connection was closed during the handshake'))),
    );
  });
}

/** How a kept connection came to its end. */
type End =
  /** By the other side: a redial follows, and only that gives a verdict. */
  | { readonly is: 'ended'; readonly why: string }
  /**
   * By the other side, with the answer to /readyz: kube-apiserver does this to anonymous requests (feature gate
   * UnauthenticatedHTTP2DOSMitigation), so as long as the node has no certificate there is a new connection for each.
   */
  | { readonly is: 'used-up'; readonly why: string }
  /** By us, because nothing comes any more; a new connection is not held up by TCP's long pauses between tries. */
  | { readonly is: 'abandoned'; readonly why: string }
  /** By us, because somebody asked for a new one. */
  | { readonly is: 'renewed'; readonly why: string };

/** Asks until the connection ends, and says why it did. */
async function attend(
  session: ClientHttp2Session,
  told: Told,
  opts: ProbeOptions & {
    /** /readyz has just been answered over the connection before this one: the next is due after a pause. */
    readonly answeredBefore: boolean;
  },
): Promise<End> {
  const { signal, now } = opts;
  let end: End = { is: 'ended', why: 'the connection was closed by the other side' };
  let pingedAt: number | undefined;
  let lastPing = now();
  let asking = false;
  let leaving: string | undefined;
  let yeses = opts.answeredBefore ? 2 : 0;
  let readyzTimer: NodeJS.Timeout;

  const finish = (how: End) => {
    end = how;
    session.destroy();
  };

  const ping = () => {
    lastPing = now();
    if (session.destroyed || leaving !== undefined) return;
    // One at a time: an unanswered PING is the measurement, a queue of them is noise.
    if (pingedAt !== undefined) {
      const silent = now() - pingedAt;
      if (silent > opts.timing().giveUpMs)
        finish({ is: 'abandoned', why: `no answer to a PING for ${Math.round(silent)} ms` });
      return;
    }
    pingedAt = now();
    told.evidence({ is: 'asked', at: pingedAt });
    try {
      session.ping((error, duration) => {
        pingedAt = undefined;
        if (error === null) told.evidence({ is: 'answered', at: now(), rttMs: duration });
      });
    } catch {
      // The session closed between the check and the call; its close event follows.
    }
  };

  const rest = opts.beat.each((at) => {
    if (isDue(at, lastPing, opts.timing().pingMs)) ping();
  });

  const laterReadyz = () => {
    clearTimeout(readyzTimer);
    const timing = opts.timing();
    const next = yeses >= 2 ? timing.readyzMs : timing.readyzAgainMs;
    readyzTimer = setTimeout(readyz, next * (0.95 + opts.random() / 10));
  };

  const readyz = () => {
    laterReadyz();
    const timing = opts.timing();
    if (asking || session.destroyed || session.closed) return;
    asking = true;
    const request = session.request({ ':path': '/readyz' });
    const late = setTimeout(() => {
      yeses = 0;
      told.evidence({ is: 'readyz-overdue', at: now() });
      told.trouble(`/readyz did not answer within ${timing.readyzTimeoutMs} ms`);
      request.close();
    }, timing.readyzTimeoutMs);
    request.on('response', (headers) => {
      const status = Number(headers[':status']);
      const ok = status === 200;
      yeses = ok ? yeses + 1 : 0;
      told.evidence({ is: 'readyz', at: now(), ok });
      if (leaving !== undefined) end = { is: 'used-up', why: leaving };
      if (!ok)
        told.trouble(`/readyz said ${status}${status === 401 ? ': the client certificate was not accepted' : ''}`);
    });
    // The body is of no interest, but one that never ends would hold the stream: the same patience goes for it.
    request.on('error', () => undefined);
    request.on('close', () => {
      clearTimeout(late);
      asking = false;
      if (leaving !== undefined) session.destroy();
    });
    request.on('end', () => clearTimeout(late));
    request.resume();
    request.end();
  };

  return await new Promise<End>((resolve) => {
    const stop = () => session.destroy();
    signal.addEventListener('abort', stop, { once: true });
    session.on('error', (error) => {
      if (end.is === 'ended') end = { is: 'ended', why: error.message };
    });
    session.on('goaway', (code) => {
      const why = `GOAWAY ${code}`;
      // No other stream is ours: go at once and redial. But an answer under way is worth the wait: GOAWAY overtakes it.
      if (code !== constants.NGHTTP2_NO_ERROR || !asking) finish({ is: 'ended', why });
      else {
        leaving = why;
        end = { is: 'ended', why };
      }
    });
    session.once('close', () => {
      rest();
      clearTimeout(readyzTimer);
      signal.removeEventListener('abort', stop);
      told.connected?.(undefined);
      resolve(end);
    });
    told.connected?.({
      session,
      ping,
      ask() {
        ping();
        readyz();
      },
      redial: () => finish({ is: 'renewed', why: 'dialling anew with the changed client certificate' }),
    });
    if (opts.answeredBefore) laterReadyz();
    else readyz();
    ping();
  });
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
