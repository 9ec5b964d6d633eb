import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { OperatorError } from '../../errors/operator-error.ts';
import { isKubeconfig, kubeconfigFor } from '../../kube/kubeconfig.ts';
import { adminConf } from '../../kube/kubectl.ts';
import { resolveTarget, sshArguments, sshTargetOf } from '../../node/ssh-config.ts';
import { controlPlaneNodes, type SpecNode } from '../../spec/spec.ts';
import type { ClusterSession } from './session.ts';

export interface AdminKubeconfig {
  /** A secret: for a file with mode 0600, or for whoever asked for it on standard output. */
  readonly text: string;
  /** `endpoint`, or the name of a master. */
  readonly to: string;
  /** Why this way, in words. */
  readonly because: string;
}

/**
 * An admin kubeconfig that works from this machine: through the endpoint when that answers here, else straight to the
 * first master that does. `to` asks for one of them, whether it answers or not.
 */
export async function adminKubeconfig(opts: {
  readonly session: ClusterSession;
  readonly signal: AbortSignal;
  readonly to?: string | undefined;
  readonly proxyUrl?: string;
}): Promise<AdminKubeconfig> {
  const { session, signal, to = 'auto', proxyUrl } = opts;
  const { spec } = session;
  const masters = controlPlaneNodes(spec);
  const conf = await readAdminConf(session, signal);
  if (to === 'auto') {
    const { host, port } = spec.endpoint;
    if (await answers(host, port)) {
      return {
        text: kubeconfigFor(conf, spec, { to: 'endpoint' }),
        to: 'endpoint',
        because: 'the endpoint answers here',
      };
    }
    const direct = await firstThatAnswers(masters, spec.apiServerPort);
    if (direct === undefined) {
      throw new OperatorError('NOT_REACHABLE_FROM_HERE', 'Neither the endpoint nor a master answers this machine', {
        hint: 'go through ssh: hairpin kubeconfig --via ssh; or write one for elsewhere: --to endpoint',
      });
    }
    const because = 'the endpoint does not answer here, this master does';
    return { text: kubeconfigFor(conf, spec, { to: direct }), to: direct.name, because };
  }
  const target = to === 'endpoint' ? to : masters.find((node) => node.name === to);
  if (target === undefined) {
    throw new OperatorError('USAGE', `There is no master ${to} in ${spec.name}`, {
      hint: `endpoint, or one of ${masters.map((node) => node.name).join(', ')}`,
    });
  }
  return { text: kubeconfigFor(conf, spec, { to: target, proxyUrl }), to, because: 'asked for' };
}

/** `ssh -D` to a master: a SOCKS proxy on this machine's loopback, as long as it is not disposed of. */
export interface Tunnel extends AsyncDisposable {
  readonly proxyUrl: string;
  readonly master: string;
  /** Resolves when ssh has ended. */
  readonly ended: Promise<void>;
}

export async function openTunnel(session: ClusterSession, signal: AbortSignal): Promise<Tunnel> {
  const master = await firstBySsh(session, signal);
  const target = sshTargetOf(master);
  const { destination } = await resolveTarget(target, signal);
  const port = await freePort();
  // ClearAllForwardings is among the usual options and would clear -D too; the first value counts.
  const argv = ['-o', 'ClearAllForwardings=no', ...sshArguments(target), '-N', '-D', `127.0.0.1:${port}`];
  const options = ['-o', 'ExitOnForwardFailure=yes', '-o', 'ServerAliveInterval=5', '-o', 'LogLevel=ERROR'];
  const child = spawn('ssh', [...argv, ...options, '--', destination], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) break;
    if (await listens(port)) {
      return { proxyUrl: `socks5://127.0.0.1:${port}`, master: master.name, ended, [Symbol.asyncDispose]: stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new OperatorError('NODE_UNREACHABLE', `Cannot open a tunnel through ${master.name}`, {
    cause: stderr.trim(),
    hint: 'does its sshd allow TCP forwarding (AllowTcpForwarding)?',
  });
}

async function readAdminConf(session: ClusterSession, signal: AbortSignal): Promise<string> {
  const reasons: string[] = [];
  for (const { name } of controlPlaneNodes(session.spec)) {
    try {
      const text = await session.nodes.get(name)?.readFile(adminConf, { signal });
      if (text !== undefined && isKubeconfig(text)) return text;
      reasons.push(`${name} has no ${adminConf}`);
    } catch (error) {
      if (signal.aborted) throw error;
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new OperatorError('NO_CLUSTER', `No master of ${session.spec.name} has an admin kubeconfig`, {
    cause: reasons.join('\n'),
    hint: 'bring the cluster up first: hairpin up',
  });
}

async function firstBySsh(session: ClusterSession, signal: AbortSignal): Promise<SpecNode> {
  let last: unknown;
  for (const node of controlPlaneNodes(session.spec)) {
    try {
      await session.nodes.get(node.name)?.probe(['true'], { signal });
      return node;
    } catch (error) {
      if (signal.aborted) throw error;
      last = error;
    }
  }
  throw last;
}

async function firstThatAnswers(masters: readonly SpecNode[], port: number): Promise<SpecNode | undefined> {
  const answered = await Promise.all(
    masters.map(async (node) => ((await answers(node.address.text, port)) ? node : undefined)),
  );
  return answered.find((node) => node !== undefined);
}

/** A TLS server is there. Its certificate is kubectl's business: it has the CA. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ host, port, rejectUnauthorized: false, timeout: 2000 });
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('secureConnect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    setTimeout(() => end(false), 2500).unref();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
