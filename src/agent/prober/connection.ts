import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { checkServerIdentity, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Evidence } from '../backend/backend.ts';

/** What is needed to talk to one apiserver. Certificates are PEM. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** The endpoint's host: the certificate must be good for it, not only signed by the CA (any kubelet has one of those). */
  readonly endpoint: string;
  readonly ca: string;
  /** The node's own client certificate, for clusters without anonymous access; read again at each dial: it rotates. */
  readonly credentials?: () => Promise<{ readonly cert: string; readonly key: string }>;
}

export interface ProbeTiming {
  /** design.md: "a PING every 100 ms"; workers probe gently. */
  readonly pingMs: number;
  readonly readyzMs: number;
  /** After this /readyz counts as a no. The kubelet's own probes of the apiserver wait 15 s; an operator would not. */
  readonly readyzTimeoutMs: number;
  /** First pause between dials; doubles up to `redialMaxMs`, with jitter. */
  readonly redialMs: number;
  readonly redialMaxMs: number;
}

export const masterTiming: ProbeTiming = {
  pingMs: 100,
  readyzMs: 1000,
  readyzTimeoutMs: 2000,
  redialMs: 20,
  redialMaxMs: 1000,
};

export interface Told {
  readonly evidence: (seen: Evidence) => void;
  /** For the log: why a dial or a connection ended. */
  readonly trouble: (text: string) => void;
}

/**
 * Keeps one TLS HTTP/2 connection to an apiserver until `signal` aborts, and tells what it sees. A verdict is somebody
 * else's business. Resolves when the last connection is closed; never throws.
 */
export async function keepProbing(
  target: ProbeTarget,
  told: Told,
  opts: { timing: ProbeTiming; signal: AbortSignal; now: () => number; random: () => number },
): Promise<void> {
  const { timing, signal, now } = opts;
  let pause = timing.redialMs;
  while (!signal.aborted) {
    const startedAt = now();
    told.evidence({ is: 'asked', at: startedAt });
    try {
      const session = await dial(target, signal);
      told.evidence({ is: 'answered', at: now(), rttMs: now() - startedAt });
      pause = timing.redialMs;
      const why = await attend(session, told, opts);
      if (signal.aborted) return;
      told.evidence({ is: 'ended', at: now() });
      told.trouble(why);
      continue;
    } catch (error) {
      if (signal.aborted) return;
      if (isRefused(error)) told.evidence({ is: 'refused', at: now() });
      told.trouble(error instanceof Error ? error.message : String(error));
    }
    await sleep(pause * (0.75 + opts.random() / 2), signal);
    pause = Math.min(pause * 2, timing.redialMaxMs);
  }
}

/** A dial that is not answered ends with the kernel's own time-out; until then it is one long question. */
async function dial(target: ProbeTarget, signal: AbortSignal): Promise<ClientHttp2Session> {
  const credentials = target.credentials === undefined ? {} : await target.credentials();
  const socket: TLSSocket = tlsConnect({
    host: target.address,
    port: target.port,
    ca: target.ca,
    ...credentials,
    // SNI may not be an address (RFC 6066 §3); the identity check below is for the endpoint either way.
    servername: /[:]|^[\d.]+$/.test(target.endpoint) ? '' : target.endpoint,
    checkServerIdentity: (_host, cert) => checkServerIdentity(target.endpoint, cert),
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.2',
  });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    const abort = () => socket.destroy(new Error('stopped'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    });
  });
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    throw new Error(`${target.address} does not speak HTTP/2 (ALPN gave ${JSON.stringify(socket.alpnProtocol)})`);
  }
  return http2Connect(
    `https://${target.endpoint.includes(':') ? `[${target.endpoint}]` : target.endpoint}:${target.port}`,
    {
      createConnection: () => socket,
      // A hostile or broken server must not make the agent hold memory: one small answer at a time is all it asks for.
      settings: { enablePush: false, initialWindowSize: 65_535 },
      maxSessionMemory: 1,
    },
  );
}

/** Asks until the connection ends, and says why it did. */
async function attend(
  session: ClientHttp2Session,
  told: Told,
  opts: { timing: ProbeTiming; signal: AbortSignal; now: () => number },
): Promise<string> {
  const { timing, signal, now } = opts;
  let why = 'the connection ended';
  let pinging = false;
  let asking = false;

  const ping = () => {
    // One at a time: an unanswered PING is the measurement, a queue of them is noise.
    if (pinging || session.destroyed) return;
    pinging = true;
    told.evidence({ is: 'asked', at: now() });
    try {
      session.ping((error, duration) => {
        pinging = false;
        if (error === null) told.evidence({ is: 'answered', at: now(), rttMs: duration });
      });
    } catch {
      // The session closed between the check and the call; its close event follows.
    }
  };

  const readyz = () => {
    if (asking || session.destroyed || session.closed) return;
    asking = true;
    const request = session.request({ ':path': '/readyz' });
    const late = setTimeout(() => {
      told.evidence({ is: 'readyz-overdue', at: now() });
      request.close();
    }, timing.readyzTimeoutMs);
    request.on('response', (headers) => {
      clearTimeout(late);
      told.evidence({ is: 'readyz', at: now(), ok: headers[':status'] === 200 });
    });
    request.on('error', () => undefined);
    request.on('close', () => {
      clearTimeout(late);
      asking = false;
    });
    request.resume();
    request.end();
  };

  return await new Promise<string>((resolve) => {
    const timers = [setInterval(ping, timing.pingMs), setInterval(readyz, timing.readyzMs)];
    const stop = () => session.destroy();
    signal.addEventListener('abort', stop, { once: true });
    session.on('error', (error) => {
      why = error.message;
    });
    session.on('goaway', (code) => {
      why = `GOAWAY ${code}`;
      session.close();
      // Streams that the server still serves are none of ours but /readyz: go at once and redial.
      session.destroy();
    });
    session.once('close', () => {
      for (const timer of timers) clearInterval(timer);
      signal.removeEventListener('abort', stop);
      resolve(why);
    });
    readyz();
    ping();
  });
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
