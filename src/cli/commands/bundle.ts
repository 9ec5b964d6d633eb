import { Command } from 'commander';
import { createBundle, defaults, formatBytes, type PackedBundle } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface Options {
  readonly kubernetes: string;
  readonly bundle: string;
  readonly from?: string;
  readonly output: string;
}

/** `hairpin bundle`: what nodes without a network of their own are made members with. */
export function bundleCommand(madeBy: string): Command {
  return new Command('bundle')
    .description('one file with everything that a bare Debian node needs, for `prepare: { bundle: FILE }`')
    .helpCommand(false)
    .addCommand(createCommand(madeBy));
}

function createCommand(madeBy: string): Command {
  return new Command('create')
    .description('collect programs, packages and images of one Kubernetes version and pack them')
    .option('--kubernetes <version>', 'the version to pack', defaults.kubernetes)
    .option('--bundle <file>', 'where to write it', 'bundle.tar.gz')
    .option('--from <dir>', 'prefer the binaries in this directory (kubeadm, runc, …; CNI plugins in cni/)')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin bundle create --kubernetes v1.36.3 --bundle ./v1.36.3.tar.gz\n')
    .action((opts: Options) =>
      runCommand(opts, async ({ emit, signal, print }) => {
        const { kubernetes, bundle: path, from } = opts;
        const packed = await createBundle({
          kubernetes,
          path,
          madeBy,
          emit,
          signal,
          ...(from === undefined ? {} : { from }),
        });
        print(packed, () => shown(packed));
        return undefined;
      }),
    );
}

function shown({ path, bytes, sha256, manifest }: PackedBundle): string {
  const { version, arch, suite, files, packages, images } = manifest;
  return [
    `${path}: Kubernetes ${version} for ${suite} on ${arch}, ${formatBytes(bytes)}`,
    `  sha256    ${sha256}`,
    `  files     ${files.length}`,
    `  packages  ${packages.map(({ name }) => name).join(' ')}`,
    `  images    ${images.map(({ ref }) => ref).join(' ')}`,
    `Use it in cluster.yaml: prepare: { bundle: ${path} }`,
  ].join('\n');
}
