import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpensshNode, type OpensshOptions } from './openssh.ts';
import type { NodePort } from './port.ts';
import type { SshTarget } from './ssh-config.ts';

/** The nodes of a cluster, by name, in the order of the spec. Disposing closes all connections. */
export interface Nodes extends AsyncDisposable {
  readonly byName: ReadonlyMap<string, NodePort>;
}

// A unix socket's path has at most 104 bytes; ssh adds 17 while it binds, and a socket's own name takes 9 here.
const longestSocketDir = 104 - 17 - 9 - 1;

/** Makes a node of each target. Nothing is connected yet: each connects at its first command. */
export async function openNodes(
  targets: readonly SshTarget[],
  opts: Omit<OpensshOptions, 'socketDir'> = {},
): Promise<Nodes> {
  const base = join(tmpdir(), 'hairpin-');
  // mkdtemp makes it 0700.
  const socketDir = await mkdtemp(base.length + 6 <= longestSocketDir ? base : '/tmp/hairpin-');
  const nodes = targets.map((target) => new OpensshNode(target, { ...opts, socketDir }));
  return {
    byName: new Map(nodes.map((node) => [node.name, node])),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
      await rm(socketDir, { recursive: true, force: true });
    },
  };
}
