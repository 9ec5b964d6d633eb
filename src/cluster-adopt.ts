import { parseClusterText } from './cluster-file.ts';
import type { NewClusterFile } from './cluster-init.ts';
import { formatDiagnostic } from './errors/diagnostic.ts';
import { OperatorError } from './errors/operator-error.ts';
import { openNodes } from './node/nodes.ts';
import type { NodePort } from './node/port.ts';
import type { SshTarget } from './node/ssh-config.ts';
import type { Emit } from './report/event.ts';
import { adopt } from './spec/init/adopt.ts';
import { collectEvidence, type MasterProbe } from './spec/init/evidence.ts';
import type { InitFlags } from './spec/init/flags.ts';
import { printClusterFile } from './spec/init/print.ts';
import type { ClusterFile } from './spec/schema.ts';

/** Flags of `init` that mean something for a cluster that exists; the rest is read from the cluster. */
const usable = new Set(['name', 'balancer', 'sshUser', 'sshPort', 'sshConfig', 'identityFile', 'proxyJump']);

/**
 * Describes a kubeadm cluster that exists as a cluster.yaml, by looking at it through one of its masters. Changes
 * nothing. The text is given also when rules object to what was found (then `warnings` has the objections): most
 * clusters that are adopted are broken, and the file is where to start.
 */
export async function adoptCluster(
  master: string,
  flags: InitFlags,
  opts: { readonly file: string; readonly emit: Emit; readonly signal: AbortSignal; readonly sudoPassword?: string },
): Promise<NewClusterFile> {
  const useless = Object.keys(flags).filter((key) => !usable.has(key));
  if (useless.length > 0) {
    throw new OperatorError('USAGE', `--from-cluster reads from the cluster what ${useless.join(', ')} would say`, {
      hint: 'leave them out, and edit the file afterwards',
    });
  }
  const entry = entryTarget(master, flags);
  const password = opts.sudoPassword === undefined ? {} : { sudoPassword: opts.sudoPassword };
  await using stack = new AsyncDisposableStack();
  const open = async (target: SshTarget): Promise<NodePort> => {
    const nodes = stack.use(await openNodes([target], password));
    const node = nodes.byName.get(target.name);
    if (node === undefined) throw new RangeError(`No node ${target.name} was opened`);
    return node;
  };
  const first = await open(entry);
  const evidence = await collectEvidence(
    probeOf(first),
    ({ name, address }) => {
      opts.emit({ kind: 'note', text: `looking at ${name} (${address})` });
      const node = open({ ...entry, name, address });
      return async (argv, options) => await probeOf(await node)(argv, options);
    },
    { signal: opts.signal },
  );
  const { file, remarks } = adopt(evidence, sshOf(flags, entry));
  const named = withFlags(file, flags);
  const text = printClusterFile(named, remarks);
  const read = parseClusterText(text, opts.file);
  return {
    text,
    notes: remarks.map((remark) => remark.text),
    warnings: (read.ok ? read.warnings : read.diagnostics).map(formatDiagnostic),
  };
}

/** `[user@]host[:port]`, as ssh takes it. */
function entryTarget(master: string, flags: InitFlags): SshTarget {
  const match = /^(?:([^@\s]+)@)?(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+|[0-9a-fA-F:]{3,}))(?::(\d+))?$/.exec(master);
  const host = match?.[2] ?? match?.[3];
  if (match === null || host === undefined || host.startsWith('-')) {
    throw new OperatorError('USAGE', `\`${master}\` is no place to log in`, {
      hint: 'a master as [user@]host[:port], such as root@10.0.0.1',
    });
  }
  const port = match[4] ?? flags.sshPort;
  return {
    name: host,
    address: host,
    user: match[1] ?? flags.sshUser,
    port: port === undefined ? undefined : Number(port),
    identityFile: flags.identityFile,
    proxyJump: flags.proxyJump,
    configFile: flags.sshConfig,
  };
}

function probeOf(node: NodePort): MasterProbe {
  return async (argv, { signal }) =>
    await node.probe(argv, { timeout: 30_000, ...(signal === undefined ? {} : { signal }) });
}

function sshOf(flags: InitFlags, entry: SshTarget): ClusterFile['spec']['ssh'] {
  const ssh = {
    ...(entry.user === undefined ? {} : { user: entry.user }),
    ...(entry.port === undefined ? {} : { port: entry.port }),
    ...(flags.sshConfig === undefined ? {} : { configFile: flags.sshConfig }),
    ...(flags.identityFile === undefined ? {} : { identityFile: flags.identityFile }),
    ...(flags.proxyJump === undefined ? {} : { proxyJump: flags.proxyJump }),
  };
  return Object.keys(ssh).length === 0 ? undefined : ssh;
}

function withFlags(file: ClusterFile, flags: InitFlags): ClusterFile {
  const described = file.spec.balancer === 'none' ? undefined : file.spec.balancer;
  const balancer = { ...described, ...(flags.balancer === undefined ? {} : { product: flags.balancer }) };
  return {
    ...file,
    metadata: { name: flags.name ?? file.metadata.name },
    spec: file.spec.balancer === undefined ? file.spec : { ...file.spec, balancer },
  };
}
