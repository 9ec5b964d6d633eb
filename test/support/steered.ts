import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNodeFiles } from '../../src/cluster-plan.ts';
import { pkiFiles } from '../../src/lab/pki/pki.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { steerFiles } from '../../src/render/steer/files.ts';
import type { SpecNode } from '../../src/spec/spec.ts';
import { makeSpec } from './any-spec.ts';

// The machine's /etc with the rendered files over it and a /run of its own; the CA is where kubeadm puts it. Only the
// tools named are on PATH, besides what every node has.
const start = `
set -eu
tree=$1 ca=$2 tools=$3
mount -t tmpfs tmpfs /run
mount -t overlay overlay -o "lowerdir=$tree/etc:/etc" /etc
mkdir /run/bin
for tool in bash cat conntrack cut head ip mkdir nft printf sed sleep timeout $tools; do
  ln -s "$(command -v "$tool")" "/run/bin/$tool" 2>/dev/null || true
done
PATH=/run/bin exec bash /etc/hairpin/steer.sh run
`;

export interface Steered extends AsyncDisposable {
  /** What the loop has said so far. */
  readonly log: readonly string[];
  /** Ends the loop as SIGKILL would: nothing is cleaned up. */
  kill(): Promise<void>;
}

/** Runs the static form of steering in a machine of a wire lab, from the files that a node would get. */
export async function steerMachine(lab: Lab, name: string, tools: string): Promise<Steered> {
  const { spec } = lab;
  const template = makeSpec({
    masters: 1,
    workers: 0,
    ip: 4,
    version: 'v1.37.2',
    bundle: false,
    cni: 'none',
    strategy: { name: 'direct' },
  }).nodes[0] as SpecNode;
  const nodes = spec.machines
    .filter((machine) => machine.role !== 'client')
    .map((machine): SpecNode => {
      const role = machine.role === 'worker' ? 'worker' : 'control-plane';
      const address = machine.addresses[0] ?? template.address;
      return { ...template, name: machine.name, role, address, addresses: machine.addresses };
    });
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`The lab has no ${name}`);
  const files = steerFiles(
    {
      node,
      masters: nodes.filter(({ role }) => role === 'control-plane'),
      apiServerPort: spec.apiServerPort,
      host: spec.endpoint.domain ?? spec.endpoint.addresses[0]?.text ?? '',
      endpoints: spec.endpoint.addresses,
      port: spec.endpoint.port,
      device: 'eth0',
    },
    'test',
  );
  const tree = await mkdtemp(join(tmpdir(), 'hairpin-steer-'));
  const ca = {
    path: '/etc/kubernetes/pki/ca.crt',
    mode: 0o644,
    content: await readFile(pkiFiles(lab.cx.paths).caFile, 'utf8'),
  };
  await writeNodeFiles(tree, [...files, ca]);
  const stop = new AbortController();
  const log: string[] = [];
  const ended = lab
    .exec(name, ['unshare', '-m', 'bash', '-c', start, 'steered', tree, ca.path, tools], {
      signal: stop.signal,
      onLine: (_stream, line) => log.push(line),
    })
    .catch(() => undefined);
  const kill = async () => {
    stop.abort();
    await ended;
  };
  return {
    log,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(tree, { recursive: true, force: true });
    },
  };
}
