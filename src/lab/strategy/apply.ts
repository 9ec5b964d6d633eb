import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { OperatorError } from '../../errors/operator-error.ts';
import { programId } from '../../program/identity.ts';
import { localProgram } from '../../program/source.ts';
import { agentUser } from '../../render/agent/paths.ts';
import { setHostsBlock } from '../../render/hosts/block.ts';
import type { Unsuitable, Wanted } from '../../strategy/strategy.ts';
import { pkiFiles } from '../pki/pki.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import type { LabContext } from '../tier/tier.ts';
import { programDirectory, strategyPaths } from './paths.ts';
import { placeStrategy, type StrategyForm } from './place.ts';
import { startUnit, unitProcess } from './units.ts';
import { proberId } from './user.ts';

/** A strategy in force on the nodes of a wire-tier lab. */
export interface AppliedStrategy {
  readonly unsuitable: Unsuitable | undefined;
  /** Units that run, by node. */
  readonly units: ReadonlyMap<string, readonly string[]>;
}

/**
 * Puts a strategy's rendered files on the lab's nodes and starts its units: the same texts as `up` writes, real haproxy,
 * keepalived, nft and agent, in front of the stand-ins. Kubernetes is what is missing, and systemd: a unit that ends stays
 * ended. Goes with the lab. Throws `LAB_STRATEGY` when it cannot be rendered for this lab.
 */
export async function applyStrategy(lab: RunningLab, form: StrategyForm): Promise<AppliedStrategy> {
  const { cx, spec } = lab;
  const { unsuitable, wanted } = placeStrategy(spec, form, await programId());
  if (wanted.size === 0) {
    throw new OperatorError('LAB_STRATEGY', `${form.strategy.name} does not fit lab \`${lab.name}\``, {
      cause: unsuitable?.reason,
      hint: unsuitable?.hint ?? 'see `hairpin plan`',
    });
  }
  const needsProgram = [...wanted.values()].some((each) => each.program);
  const program = needsProgram ? await unpackProgram(cx.signal) : undefined;
  await Promise.all([...wanted].map(([machine, what]) => writeTree(cx, machine, what, program)));
  await Promise.all(
    [...wanted].map(async ([machine, { units }]) => {
      for (const { unit } of units) await startUnit(cx, machine, unit);
    }),
  );
  await Promise.all([...wanted].map(([machine, what]) => untilHolds(cx, machine, what)));
  return {
    unsuitable,
    units: new Map([...wanted].map(([machine, { units }]) => [machine, units.map(({ unit }) => unit)])),
  };
}

async function writeTree(cx: LabContext, machine: string, wanted: Wanted, program: string | undefined): Promise<void> {
  const paths = strategyPaths(cx.paths, machine);
  for (const dir of [paths.run, paths.state, join(paths.tree, 'etc'), join(paths.tree, 'usr/local/lib/hairpin')]) {
    await mkdir(dir, { recursive: true, mode: 0o755 });
  }
  if (program !== undefined) await mkdir(join(paths.tree, 'usr/local/lib/hairpin', program));
  const ca = await readFile(pkiFiles(cx.paths).caFile, 'utf8');
  const files = [
    ...wanted.files,
    { path: '/etc/kubernetes/pki/ca.crt', content: ca, mode: 0o644 },
    {
      path: '/etc/passwd',
      content: await withUser('/etc/passwd', `:x:${proberId}:${proberId}::/nonexistent:/usr/sbin/nologin`),
      mode: 0o644,
    },
    { path: '/etc/group', content: await withUser('/etc/group', `:x:${proberId}:`), mode: 0o644 },
  ];
  for (const { path, content, mode } of files) {
    const target = join(paths.tree, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, content);
    await chmod(target, mode);
  }
  const hosts = join(cx.paths.node(machine), 'hosts');
  await copyFile(hosts, paths.hostsBefore);
  // In place: the file is bound over /etc/hosts of what runs already.
  if (wanted.hosts.length > 0) await writeFile(hosts, setHostsBlock(await readFile(hosts, 'utf8'), wanted.hosts));
}

async function withUser(file: string, rest: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.includes(`\n${agentUser}:`) ? text : `${text}${agentUser}${rest}\n`;
}

/**
 * The executable as nodes get it, unpacked once for all labs of this machine; gives its id. Building it takes half a minute
 * of both cores: whoever measures something asks for it before.
 */
export function unpackProgram(signal: AbortSignal): Promise<string> {
  unpacking ??= unpack(signal).catch((error: unknown) => {
    unpacking = undefined;
    throw error;
  });
  return unpacking;
}

let unpacking: Promise<string> | undefined;

async function unpack(signal: AbortSignal): Promise<string> {
  const source = await localProgram();
  const dir = programDirectory(source.id);
  if (await stat(join(dir, 'hairpin')).catch(() => undefined)) return source.id;
  const { bytes } = await source.archive(process.arch === 'arm64' ? 'arm64' : 'x64', { signal });
  const part = `${dir}.${process.pid}`;
  await mkdir(part, { recursive: true, mode: 0o755 });
  await writeFile(`${part}.tar.gz`, bytes);
  await promisify(execFile)('tar', ['-xzf', `${part}.tar.gz`, '-C', part]);
  await promisify(execFile)('rm', ['-f', `${part}.tar.gz`]);
  await rename(part, dir).catch(async (error: unknown) => {
    // Another process was first.
    if (!(await stat(join(dir, 'hairpin')).catch(() => undefined))) throw error;
  });
  return source.id;
}

/** What the plan would wait for on this node. */
async function untilHolds(cx: LabContext, machine: string, { holds, units }: Wanted): Promise<void> {
  const end = performance.now() + 15_000;
  for (const hold of holds) {
    for (;;) {
      const why = await missing(cx, machine, hold);
      if (why === undefined) break;
      if (performance.now() > end) {
        throw new OperatorError('LAB_STRATEGY', `The strategy is not in force on ${machine}: ${why}`, {
          cause: units.map(({ unit }) => unit).join(', '),
          hint: `see ${cx.paths.logs}`,
        });
      }
      await sleep(50, undefined, { signal: cx.signal });
    }
  }
}

async function missing(cx: LabContext, machine: string, hold: Wanted['holds'][number]): Promise<string | undefined> {
  if (hold.is === 'unit-active') {
    return (await unitProcess(cx, machine, hold.unit)) === undefined ? `${hold.unit} has ended` : undefined;
  }
  if (hold.is !== 'address-present') return undefined;
  const netns = `hp-${cx.topology.spec.name}-${machine}`;
  const { stdout } = await cx.run(['ip', '-n', netns, '-oneline', 'address', 'show', 'to', hold.address.text]);
  return stdout.trim() === '' ? `it does not have ${hold.address.text}` : undefined;
}
