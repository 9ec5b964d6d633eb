import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTool } from '../../src/lab/cache/process.ts';
import { readAptHost } from '../../src/lab/image/apt-host.ts';
import { repoRoot } from '../support/imports.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hairpin-fresh-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const signal = AbortSignal.timeout(1_500_000);

/** Runs sh in the fresh system, with mounts that end with it. The network and its proxies are this machine's. */
async function inside(command: string): Promise<{ code: number; out: string; err: string }> {
  const script =
    'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" sh -c "cd /checkout; $1"';
  // npx tells its children about this machine's npm, files included.
  const npm = Object.fromEntries(
    Object.keys(process.env).flatMap((key) => (/^npm_/i.test(key) ? [[key, undefined]] : [])),
  );
  const authorities = { NODE_EXTRA_CA_CERTS: '/ca.pem', SSL_CERT_FILE: '/ca.pem', SSL_CERT_DIR: undefined };
  const { exitCode, stdout, stderr } = await runTool(['sh', '-c', script, root, command], {
    signal,
    ownMounts: true,
    env: { ...npm, ...authorities, HOME: '/root', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    fails: undefined,
  });
  return { code: exitCode, out: stdout, err: stderr };
}

async function here(script: string, ...args: string[]): Promise<void> {
  const fails = { code: 'TOOL_FAILED', message: 'Cannot make a fresh system' } as const;
  await runTool(['sh', '-euc', script, ...args], { signal, ownMounts: true, cwd: repoRoot, fails });
}

test('scripts/install.sh installs everything on a fresh system, starts nothing, and has nothing to do the second time', async () => {
  const host = await readAptHost();
  await here(
    `debootstrap --variant=minbase "$1" "$0" "$2"
     rm -f "$0/usr/sbin/policy-rc.d"
     mkdir "$0/checkout"; git ls-files -z --cached --others --exclude-standard --deduplicate | xargs -0 cp --parents -t "$0/checkout"
     cp -L "\${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$0/ca.pem"
     cp -L /etc/resolv.conf /etc/hosts "$0/etc/"; [ ! -e ~/.npmrc ] || cp ~/.npmrc "$0/root/"`,
    root,
    host.suite,
    host.mirror.uri,
  );

  const first = await inside('scripts/install.sh');
  expect({ code: first.code, failed: first.code === 0 ? '' : first.err }).toEqual({ code: 0, failed: '' });
  expect(first.err).toMatch(/^packages: \d+ to install: /);
  expect(first.err).toMatch(/\n {2}100 % {2}/);
  expect(first.err).toMatch(/\nnpm: installed in \d+ s/);
  expect(first.err).toContain('  haproxy.service is installed and stays off\n');

  const start = performance.now();
  const second = await inside('scripts/install.sh');
  const quick = performance.now() - start < 3000;
  // Debian's Go may be too old to compile Kubernetes, which is said each time.
  const said = second.err.split('\n').filter((line) => line !== '' && !line.startsWith('go: '));
  expect({ code: second.code, said, quick }).toEqual({ code: 0, said: [], quick: true });

  const state = await inside(
    'ls /usr/sbin/policy-rc.d; systemctl is-enabled haproxy keepalived ssh; bin/hairpin --version; bin/hairpin lab doctor --tier wire',
  );
  expect(state.out.split('\n').slice(0, 3)).toEqual(['disabled', 'disabled', 'disabled']);
  // A chroot has no cgroups and cannot be asked for namespaces; that all programs are found is what counts.
  const tools = state.out.split('\n').filter((line) => /^. tool\//.test(line));
  expect(tools.length > 5 && tools.every((line) => line.startsWith('✔'))).toBe(true);
  expect(state.err).toContain('/usr/sbin/policy-rc.d');
});
