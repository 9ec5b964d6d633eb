import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { adoptCluster, type InitFlags, type NewClusterFile, newClusterFile, OperatorError } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { sudoOption, sudoPassword } from './cluster-options.ts';

type Options = InitFlags & {
  readonly file: string;
  readonly inventory?: string;
  readonly fromCluster?: string;
  readonly force?: boolean;
  readonly askSudoPassword?: boolean;
  readonly output?: string;
};

/** `hairpin init`: writes a commented cluster.yaml from flags, an inventory, or answers given on a terminal. */
export function initCommand(): Command {
  return new Command('init')
    .description('write a commented cluster.yaml; on a terminal without flags it asks')
    .option('-f, --file <cluster.yaml>', 'where to write it; - for standard output', 'cluster.yaml')
    .option('--force', 'replace a file that is there')
    .option('--masters <list>', 'addresses of the masters: 10.0.0.1,m2=10.0.0.2,m3=10.0.0.3+fd00::3')
    .option('--workers <list>', 'addresses of the workers, the same way')
    .option('--endpoint <host:port>', "what clients dial: the balancer's address or name")
    .option('--endpoint-addresses <list>', 'what the name stands for, when DNS does not know it')
    .option('--balancer <product>', 'the product behind the endpoint, such as alibaba-clb')
    .option('--hairpin <behaviour>', 'auto, works, drop, local or one-arm (default: auto, it is measured)')
    .option('--strategy <name>', 'how nodes reach the endpoint (default: auto)')
    .option('--kubernetes <version>', 'such as v1.37.2')
    .option('--image-repository <repository>', "where kubeadm's images come from")
    .option('--pod-subnet <networks>', 'one network, or one of each family: 10.244.0.0/16,fd00:10:244::/56')
    .option('--service-subnet <networks>', 'the same for services')
    .option('--cni <manifest>', 'a manifest for the network of pods')
    .option('--api-server-port <port>', "the apiservers' own port (default: 6443)")
    .option('--ssh-user <name>', 'who logs in')
    .option('--ssh-port <port>', 'where sshd listens')
    .option('--ssh-config <file>', 'given to ssh as -F')
    .option('--identity-file <file>', 'a private key')
    .option('--proxy-jump <host>', 'as in ssh -J')
    .option('--name <name>', "the cluster's name (default: prod)")
    .option('--inventory <file>', 'nodes from an Ansible inventory, INI or YAML')
    .option('--from-cluster <[user@]master>', 'describe a kubeadm cluster that exists, as it is, hacks included')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin init --masters 10.0.0.1,10.0.0.2,10.0.0.3 --workers 10.0.0.4 --endpoint 172.16.105.26:6443 --balancer alibaba-clb\n  hairpin init --inventory hosts.ini --endpoint api.prod.example:6443\n  hairpin init --from-cluster root@10.0.0.1\n',
    )
    .action(async (options: Options) => runCommand(options, async (cx) => init(options, cx)));
}

async function init(options: Options, cx: CommandContext): Promise<undefined> {
  const {
    file,
    inventory: inventoryFile,
    fromCluster,
    force,
    askSudoPassword: _ask,
    output: _output,
    ...given
  } = options;
  if (file !== '-' && force !== true) await refuseExisting(file);
  if (fromCluster !== undefined && inventoryFile !== undefined) {
    throw new OperatorError('USAGE', '--from-cluster and --inventory exclude each other', { hint: 'take one of them' });
  }
  const target = file === '-' ? 'cluster.yaml' : file;
  const made =
    fromCluster === undefined
      ? await fromAnswers(given, { file: target, inventoryFile, signal: cx.signal })
      : await adoptCluster(fromCluster, given, {
          file: target,
          emit: cx.emit,
          signal: cx.signal,
          ...(await sudoPassword(options, cx.signal)),
        });
  for (const text of made.notes) cx.emit({ kind: 'note', text });
  for (const text of made.warnings) cx.emit({ kind: 'warning', text });
  if (file === '-') {
    cx.print({ text: made.text }, () => made.text);
  } else {
    await writeWhole(file, made.text, force === true);
    cx.print({ file, warnings: made.warnings }, () => `wrote ${file}   next: hairpin plan -f ${file}`);
  }
  return undefined;
}

async function fromAnswers(
  given: InitFlags,
  opts: { readonly file: string; readonly inventoryFile: string | undefined; readonly signal: AbortSignal },
): Promise<NewClusterFile> {
  const { inventoryFile, signal } = opts;
  const asks = Object.keys(given).length === 0 && inventoryFile === undefined && isTerminal();
  // The wizard and its library are loaded only when somebody sits at the terminal.
  const flags = asks ? await (await import('./init-wizard.ts')).askForFlags(signal) : given;
  const inventory =
    inventoryFile === undefined ? undefined : { file: inventoryFile, text: await readInventory(inventoryFile) };
  return newClusterFile(flags, { file: opts.file, inventory });
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

async function readInventory(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OperatorError('USAGE', `Cannot read the inventory ${file}`, { cause });
  });
}

async function refuseExisting(file: string): Promise<void> {
  const there = await readFile(file, 'utf8').then(
    () => true,
    () => false,
  );
  if (there) throw exists(file);
}

/** All of it or nothing: a file under another name first, then in its place. Without `replace` nothing is overwritten. */
async function writeWhole(file: string, text: string, replace: boolean): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    if (replace) await rename(temporary, file);
    else await link(temporary, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw exists(file);
    throw new OperatorError('USAGE', `Cannot write ${file}`, { cause });
  } finally {
    await rm(temporary, { force: true });
  }
}

function exists(file: string): OperatorError {
  return new OperatorError('USAGE', `${file} is there already`, {
    hint: 'another name with -f, or --force to replace it',
  });
}
