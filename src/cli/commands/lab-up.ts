import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import {
  BadSpecError,
  diagnoseHost,
  type LabContext,
  type LabFlags,
  type LabSpec,
  labStatus,
  OperatorError,
  parseLabFlags,
  parseLabYaml,
  requireFit,
  restoreSnapshot,
  snapshotSpec,
  startLab,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { formatLabStatus } from './lab-status.ts';

type Options = LabFlags & { readonly file?: string; readonly from?: string; readonly output?: string };

/** `hairpin lab up`. */
export function labUpCommand(): Command {
  return new Command('up')
    .description('bring a lab up: nodes, the network between them, a balancer and a DNS server')
    .option('--lab <name>', 'name of the lab (default: lab)')
    .option('--tier <tier>', 'wire: namespaces and stand-ins for apiservers; node: real nodes (default: wire)')
    .option('--masters <n>', 'how many control-plane nodes (default: 3)')
    .option('--workers <n>', 'how many workers (default: 1)')
    .option('--clients <n>', 'how many clients outside of the cluster (default: 1)')
    .option('--balancer <name>', 'a product (alibaba-clb, …) or a behaviour (drop, works, local, one-arm, proxy)')
    .option('--network <kind>', 'routed or segment (default: what the balancer needs)')
    .option('--bare', 'nodes with sshd and nothing of Kubernetes: a bundle has to bring it')
    .option('--endpoint <kind>', 'vip or domain (default: vip)')
    .option('--kubernetes <version>', 'for the node tier (default: v1.37.2)')
    .option('--ip <families>', '4, 6 or dual (default: 4)')
    .option('-f, --file <lab.yaml>', 'read all of this from a file instead')
    .option('--from <snapshot>', 'bring back what `lab snapshot` kept, under --lab if given')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab up --tier wire --masters 3 --balancer azure-ilb --ip dual\n')
    .action(async (options: Options) =>
      runCommand(options, async ({ emit, signal, print }) => {
        const spec = await wantedLab(options);
        const nodes = spec.machines.filter(({ role }) => role !== 'client').length;
        requireFit(await diagnoseHost(spec.tier, { signal, nodes, kubernetes: spec.kubernetes }));
        const { from } = options;
        const prepare = from === undefined ? {} : { prepare: (cx: LabContext) => restoreSnapshot(cx, from) };
        const lab = await startLab(spec, { emit, signal, onlyThis: true, ...prepare });
        const status = await labStatus(lab.name, { signal });
        print(status, () => formatLabStatus(status));
        return undefined;
      }),
    );
}

async function wantedLab(options: Options): Promise<LabSpec> {
  const { file, from, output: _output, ...flags } = options;
  if (file === undefined && from === undefined) return parseLabFlags(flags);
  const source = from === undefined ? '--file' : '--from';
  const mixed = Object.keys({ ...flags, ...(from !== undefined && file !== undefined ? { file } : {}) }).filter(
    (key) => key !== 'lab',
  );
  if (mixed.length > 0) {
    throw new OperatorError('USAGE', `${source} and --${mixed.join(', --')} exclude each other`, {
      hint: file === undefined ? 'a snapshot comes back as it was' : `write it into ${file}`,
    });
  }
  if (from !== undefined) return await snapshotSpec(from, flags.lab);
  if (file === undefined) return parseLabFlags(flags);
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new OperatorError('USAGE', `Cannot read ${file}`, { cause });
  });
  const result = parseLabYaml(text, file, { name: flags.lab });
  if (!result.ok) throw new BadSpecError(result.diagnostics);
  return result.spec;
}
