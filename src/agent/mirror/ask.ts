import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import type { Seen } from './verdict.ts';

export interface AskTarget {
  /** The node's own apiserver. */
  readonly address: string;
  readonly port: number;
  /** The certificate must be good for this name or address, not only signed by the CA: any kubelet has one of those. */
  readonly endpoint: string;
  /** PEM files; the first that can be read is used, read again when a dial fails and now and then. */
  readonly ca: readonly string[];
}

export interface AskOptions {
  readonly timeoutMs: number;
  readonly now: () => number;
  /** What the node's prober thinks of the local apiserver; asked only where /readyz wants a certificate. */
  readonly prober: () => Promise<'ready' | 'not-ready' | undefined>;
}

const caMs = 10_000;

/** Asks /readyz over one kept connection; a connection that does not answer in time is not used again. */
export class Asker implements Disposable {
  #ca: { readonly key: string; readonly text: string; readonly at: number } | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });

  async ask(target: AskTarget, opts: AskOptions): Promise<Seen> {
    const at = opts.now;
    const ca = await this.#caOf(target.ca, at());
    if (ca === undefined) return { is: 'silent', why: `there is no CA yet (${target.ca.join(', ')})`, at: at() };
    try {
      const status = await this.#readyz(target, ca, opts.timeoutMs).catch((error: unknown) => {
        // The other side closed the kept connection while it was idle: that says nothing, a new one does.
        if (error instanceof StaleConnection) return this.#readyz(target, ca, opts.timeoutMs);
        throw error;
      });
      if (status === 200) return { is: 'ready', at: at() };
      if (status === 401 || status === 403) return { is: 'alive', at: at(), prober: await opts.prober() };
      return { is: 'not-ready', at: at() };
    } catch (error) {
      this.#ca = undefined;
      const why = error instanceof Error ? error.message : String(error);
      return { is: 'silent', why: `the apiserver does not answer (${why})`, at: at() };
    }
  }

  /** The kept connection needs none; a new one that fails is tried again with what is on disk then. */
  async #caOf(paths: readonly string[], now: number): Promise<string | undefined> {
    const key = paths.join();
    if (this.#ca?.key === key && now - this.#ca.at < caMs) return this.#ca.text;
    const text = await firstReadable(paths);
    this.#ca = text === undefined ? undefined : { key, text, at: now };
    return text;
  }

  #readyz(target: AskTarget, ca: string, timeoutMs: number): Promise<number> {
    const { address: host, port, endpoint } = target;
    return new Promise((resolve, reject) => {
      const asked = request({
        host,
        port,
        path: '/readyz',
        agent: this.#agent,
        ca,
        // SNI may not be an address (RFC 6066 §3); the identity check is for the endpoint either way.
        servername: /[:]|^[\d.]+$/.test(endpoint) ? '' : endpoint,
        checkServerIdentity: (_host, certificate) => checkServerIdentity(endpoint, certificate),
        minVersion: 'TLSv1.2',
      });
      const late = setTimeout(() => asked.destroy(new Error(`nothing within ${timeoutMs} ms`)), timeoutMs);
      asked.once('error', (error) => {
        clearTimeout(late);
        const isStale = asked.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        reject(isStale ? new StaleConnection(error.message) : error);
      });
      asked.once('response', (response) => {
        response.once('error', reject);
        response.once('close', () => clearTimeout(late));
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      asked.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

class StaleConnection extends Error {}

async function firstReadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}
