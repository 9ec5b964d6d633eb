import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { OperatorError } from '../../errors/operator-error.ts';
import { formatHostPort } from '../../std/address.ts';
import { enterArgv } from '../cgroup/cgroup.ts';
import { inNetns } from '../commands/command.ts';
import type { RunningLab } from './open-lab.ts';

export interface ProxyRequest {
  /** A machine; absent means the endpoint, as an outside client sees it. */
  readonly machine?: string | undefined;
  /** Absent means the endpoint's port. */
  readonly port?: number | undefined;
  /** A port of 127.0.0.1 on this machine (0: any free one), or the path of a Unix socket. */
  readonly listen: number | string;
}

/** Where a running proxy listens and what it leads to. */
export interface Proxy extends AsyncDisposable {
  readonly listening: string;
  readonly target: string;
}

/**
 * Lets programs outside of the lab reach a port inside. The listener is in our own namespace and only on loopback; each
 * connection is carried by a process inside the lab, so no route or address of the lab is ever needed out here.
 */
export async function startProxy(lab: RunningLab, request: ProxyRequest): Promise<Proxy> {
  const { netns, target } = aim(lab, request);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    carry(lab, netns, target, socket);
  });
  const listening = await listen(server, request.listen);
  return {
    listening,
    target,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (typeof request.listen === 'string') await rm(request.listen, { force: true });
    },
  };
}

function carry(lab: RunningLab, netns: string, target: string, socket: Socket): void {
  // -t: how long the other direction may go on after one has ended; a request may be answered long after its end.
  const [file = '', ...args] = enterArgv(lab.cx.cgroups, inNetns(netns, ['socat', '-t', '3600', '-', `TCP:${target}`]));
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const end = () => {
    child.kill('SIGKILL');
    socket.destroy();
  };
  child.once('error', end);
  child.stdin.on('error', () => undefined);
  socket.on('error', end);
  socket.once('close', end);
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
}

/** From where, and where to. The endpoint has to be dialled by a client: the fabric's own packets are not balanced. */
function aim(lab: RunningLab, request: ProxyRequest): { readonly netns: string; readonly target: string } {
  const { topology } = lab.cx;
  const port = request.port ?? lab.spec.endpoint.port;
  if (request.machine === undefined) {
    const client = topology.machines.find(({ machine }) => machine.role === 'client');
    const vip = lab.spec.endpoint.addresses[0];
    if (client === undefined || vip === undefined) {
      throw new OperatorError('USAGE', `Lab \`${lab.name}\` has no outside client, so nobody could dial the endpoint`, {
        hint: 'name a machine (hairpin lab proxy m1), or bring the lab up with --clients 1',
      });
    }
    return { netns: client.netns, target: formatHostPort(vip, port) };
  }
  const found = topology.machines.find(({ machine }) => machine.name === request.machine);
  const address = found?.machine.addresses[0];
  if (found === undefined || address === undefined) {
    throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${lab.name}\` has no machine \`${request.machine}\``, {
      hint: `it has ${topology.machines.map(({ machine }) => machine.name).join(', ')}`,
    });
  }
  return { netns: topology.fabric.netns, target: formatHostPort(address, port) };
}

async function listen(server: Server, where: number | string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new OperatorError('LAB_PROXY', `Cannot listen on ${where}`, { cause, hint: 'choose another --listen' })),
    );
    if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });
  const address = server.address();
  return address === null || typeof address === 'string' ? String(address) : `127.0.0.1:${address.port}`;
}
