import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { type Address, address } from '../../std/address.ts';
import type { LabContext } from '../tier/tier.ts';
import { type DnsRecord, dnsmasqConfig, formatHosts, initialRecords, parseHosts } from './records.ts';

type DnsDir = Pick<LabContext['paths'], 'dns'>;

/** Starts the lab's DNS server in its namespace; resolves when it serves. Missing addresses are put on the loopback device. */
export async function startDns(cx: LabContext): Promise<void> {
  const { netns, addresses } = cx.topology.dns;
  const files = filesIn(cx.paths);
  await mkdir(cx.paths.dns, { recursive: true, mode: 0o755 });
  await rm(files.pid, { force: true });
  await writeFile(files.hosts, formatHosts(initialRecords(cx.topology)));
  await writeFile(files.config, dnsmasqConfig({ addresses, hostsFile: files.hosts, pidFile: files.pid }));
  for (const missing of await notThere(cx, addresses)) {
    const plus = missing.family === 4 ? ['/32'] : ['/128', 'nodad'];
    const argv = ['ip', '-n', netns, 'address', 'add', `${missing.text}${plus[0]}`, 'dev', 'lo', ...plus.slice(1)];
    await succeed(cx, argv);
  }
  await cx.daemon('dns', ['dnsmasq', `--conf-file=${files.config}`], { netns });
  // dnsmasq writes its pid file when its sockets are bound.
  for (const end = performance.now() + 10_000; ; ) {
    if ((await readFile(files.pid, 'utf8').catch(() => '')) !== '') return;
    if (performance.now() > end) {
      throw new OperatorError('LAB_DAEMON_DOWN', 'The DNS server of the lab did not start within 10 s', {
        hint: `see ${join(cx.paths.logs, 'dns.log')}`,
      });
    }
    await sleep(5, undefined, { signal: cx.signal });
  }
}

/** What the lab's DNS server answers. */
export async function readDns(paths: DnsDir): Promise<readonly DnsRecord[]> {
  return parseHosts(await readFile(filesIn(paths).hosts, 'utf8'), address);
}

/** Makes `name` resolve to `addresses` from now on (to nothing when there are none). Clients may keep the old answer for a second. */
export async function setDns(paths: DnsDir, name: string, addresses: readonly Address[]): Promise<void> {
  const files = filesIn(paths);
  const records = (await readDns(paths)).filter((r) => r.name !== name);
  await writeFile(`${files.hosts}.new`, formatHosts([{ name, addresses }, ...records]));
  await rename(`${files.hosts}.new`, files.hosts);
  const pid = Number(await readFile(files.pid, 'utf8').catch(() => ''));
  const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  if (comm.trim() !== 'dnsmasq') {
    throw new OperatorError('LAB_DAEMON_DOWN', 'The DNS server of the lab does not run', {
      hint: 'the change is written and is used when it starts again',
    });
  }
  process.kill(pid, 'SIGHUP');
}

function filesIn(paths: DnsDir) {
  return {
    config: join(paths.dns, 'dnsmasq.conf'),
    hosts: join(paths.dns, 'hosts'),
    pid: join(paths.dns, 'dnsmasq.pid'),
  };
}

async function notThere(cx: LabContext, wanted: readonly Address[]): Promise<readonly Address[]> {
  const found = await succeed(cx, ['ip', '-n', cx.topology.dns.netns, '-json', 'address', 'show']);
  const links = JSON.parse(found) as { addr_info: { local: string }[] }[];
  const present = new Set(links.flatMap((link) => link.addr_info.map((a) => a.local)));
  return wanted.filter((a) => !present.has(a.text));
}

async function succeed(cx: LabContext, argv: readonly string[]): Promise<string> {
  const result = await cx.run(argv, { signal: cx.signal });
  if (result.exitCode !== 0) {
    throw new OperatorError('TOOL_FAILED', `${argv.slice(0, 5).join(' ')} ended with ${result.exitCode}`, {
      cause: result.stderr.trim(),
    });
  }
  return result.stdout;
}
