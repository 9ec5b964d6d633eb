import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalNode } from '../../../src/node/local.ts';

/**
 * A cluster of nodes that are directories: each has its own /etc, /var, /run, /root and /usr/local/bin in a mount
 * namespace that lasts as long as a command, and everything else of this machine. kubeadm, systemctl, kubectl and curl
 * are small stand-ins (`stand-ins/`), which keep the state of the cluster in a directory that all nodes share. Needs root.
 */
export class FakeCluster implements Disposable {
  readonly root: string;
  readonly nodes: ReadonlyMap<string, LocalNode>;

  /** `stepMs` is how long each phase of the stand-in kubeadm takes. */
  constructor(names: readonly string[], opts: { stepMs?: number } = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'hairpin-fake-'));
    mkdirSync(join(this.root, 'shared/pki'), { recursive: true });
    const key = join(this.root, 'shared/pki/ca.key');
    const name = ['-subj', '/CN=kubernetes', '-days', '3650'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        join(this.root, 'shared/pki/ca.crt'),
        ...name,
      ],
      { stdio: 'ignore' },
    );
    writeFileSync(join(this.root, 'shared/step'), String((opts.stepMs ?? 20) / 1000));
    for (const name of names) makeNode(this.root, name);
    this.nodes = fakeNodes(this.root, names);
  }

  /** A file as it is on the node, `undefined` when it is not there. */
  read(node: string, path: string): string | undefined {
    const file = join(this.root, node, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  write(node: string, path: string, content: string): void {
    writeFileSync(join(this.root, node, path), content);
  }

  /** Every file of a node with its content, `except` those below these paths. */
  files(node: string, except: readonly string[] = []): Readonly<Record<string, string>> {
    const base = join(this.root, node);
    const found = readdirSync(base, { recursive: true, withFileTypes: true }).flatMap((entry): [string, string][] => {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(base.length);
      if (except.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return [];
      if (entry.isDirectory()) return [[`${path}/`, '']];
      return entry.isFile() ? [[path, readFileSync(full, 'utf8')]] : [];
    });
    return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const own = ['etc', 'var', 'run', 'root', 'usr/local/bin'];

/** Ports to the nodes of a cluster that exists: a second process (the one that is killed) opens it by its directory. */
export function fakeNodes(root: string, names: readonly string[]): ReadonlyMap<string, LocalNode> {
  return new Map(names.map((name) => [name, new LocalNode(name, enter(join(root, name), join(root, 'shared'), name))]));
}

function enter(dir: string, shared: string, name: string): readonly string[] {
  const script = [
    ...own.map((path) => `mount --bind "$0/${path}" /${path}`),
    'mount --bind "$1" /mnt',
    'hostname "$2"',
    'shift 2',
    'export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'exec "$@"',
  ].join(' && ');
  return ['unshare', '--mount', '--uts', '--propagation', 'private', 'sh', '-c', script, dir, shared, name];
}

function makeNode(root: string, name: string): void {
  const dir = join(root, name);
  for (const path of own) mkdirSync(join(dir, path), { recursive: true });
  for (const path of ['var/lib', 'var/log', 'etc/systemd/system', 'run/systemd/system', 'run/mount']) {
    mkdirSync(join(dir, path), { recursive: true });
  }
  for (const file of ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'alternatives', 'os-release']) {
    if (existsSync(`/etc/${file}`))
      cpSync(`/etc/${file}`, join(dir, 'etc', file), { recursive: true, verbatimSymlinks: true });
  }
  writeFileSync(join(dir, 'etc/hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(dir, 'etc/machine-id'), `${Buffer.from(name.padEnd(16, '0')).toString('hex')}\n`);
  const standIns = join(import.meta.dirname, 'stand-ins');
  for (const file of readdirSync(standIns)) {
    const target = join(dir, 'usr/local/bin', file);
    cpSync(join(standIns, file), target);
    chmodSync(target, 0o755);
  }
}
