import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { findLabCgroups } from '../../src/lab/cgroup/find.ts';
import { labPaths } from '../../src/lab/paths.ts';
import { labOfNetns } from '../../src/lab/topology/names.ts';

/** Everything on this machine that has to do with a lab, in words; nothing is left exactly when this is empty. */
export async function tracesOf(lab: string): Promise<readonly string[]> {
  const { root } = labPaths(lab);
  const netns = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...netns.filter((name) => labOfNetns(name) === lab).map((name) => `namespace ${name}`),
    ...((await findLabCgroups()).get(lab) ?? []).map((dir) => `cgroup ${dir}`),
    ...(existsSync(root) ? [`directory ${root}`] : []),
    ...mounts.filter((line) => line.includes(root) || line.includes(`/hp-${lab}-`)).map((line) => `mount ${line}`),
    ...processesWith([`${root}/`, `hp-${lab}-`]),
  ];
}

/** Processes whose command line names the lab, other than this test run and what it was started by. */
function processesWith(words: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.some((word) => line.includes(word)) ? [`process ${pid} ${line.slice(0, 200)}`] : [];
      } catch {
        return [];
      }
    });
}

/**
 * What a lab must not change out here: packet filter, addresses, routes, rules, neighbours' tables, links and sysctls of
 * the caller's own network namespace. Values that count or clock something by themselves are left out, by name.
 */
export function hostState(): Readonly<Record<string, string>> {
  const out = (argv: readonly string[]) => {
    const [file = '', ...args] = argv;
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
  };
  const sysctls = out(['sysctl', '-a'])
    .split('\n')
    .filter((line) => !movesByItself.test(line))
    .join('\n');
  return {
    ruleset: out(['nft', '--stateless', 'list', 'ruleset']),
    addresses: out(['ip', '-oneline', 'address', 'show']).replaceAll(/_lft \d+sec/g, '_lft'),
    links: out(['ip', '-oneline', 'link', 'show']),
    routes4: out(['ip', '-4', 'route', 'show', 'table', 'all']),
    routes6: out(['ip', '-6', 'route', 'show', 'table', 'all']).replaceAll(/ expires \d+sec/g, ''),
    rules4: out(['ip', '-4', 'rule', 'show']),
    rules6: out(['ip', '-6', 'rule', 'show']),
    sysctls,
  };
}

const movesByItself =
  /^(?:fs\.(?:dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\.\S+)|kernel\.(?:ns_last_pid|random\.\S+|pty\.nr|perf_event_max_sample_rate)|net\.netfilter\.nf_conntrack_count) /;
