import { quoteArg } from '../../std/quote.ts';
import { runTool } from '../cache/process.ts';

/** Something to try in throw-away network and mount namespaces: the kernel's own answer is better than its configuration. */
export interface Trial {
  readonly name: string;
  /** sh commands; all must succeed. `$SCRATCH` is a directory on the state directory's file system. */
  readonly commands: readonly string[];
}

const pair = 'ip link add name hp0 type veth peer name hp1';

export const trials: readonly Trial[] = [
  { name: 'veth', commands: [pair] },
  { name: 'bridge', commands: ['ip link add name hpb type bridge'] },
  {
    name: 'nftables',
    commands: [
      `printf '%s\\n' 'table inet hp {' 'set s { type ipv4_addr . inet_service; flags timeout; }' 'chain p { type nat hook prerouting priority dstnat; tcp dport 1 ct state invalid counter' 'ip daddr 192.0.2.1 dnat ip to numgen inc mod 2 map { 0 : 192.0.2.2, 1 : 192.0.2.3 }; }' '}' | nft -f -`,
    ],
  },
  { name: 'conntrack', commands: ['conntrack -L'] },
  {
    name: 'overlay',
    commands: [
      'mkdir -p "$SCRATCH/lower" "$SCRATCH/upper" "$SCRATCH/work" "$SCRATCH/merged"',
      'mount -t overlay overlay -o "lowerdir=$SCRATCH/lower,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" "$SCRATCH/merged"',
      'touch "$SCRATCH/merged/written"',
    ],
  },
  { name: 'macvlan', commands: [pair, 'ip link add link hp0 name hpm type macvlan mode bridge'] },
  { name: 'tbf', commands: ['tc qdisc add dev lo root tbf rate 1mbit burst 32kb latency 400ms'] },
  { name: 'netem', commands: ['tc qdisc add dev lo root netem delay 1ms'] },
  { name: 'ipvs', commands: ['test -e /proc/net/ip_vs'] },
  {
    name: 'socket-destroy',
    commands: [
      'ip link set lo up',
      'socat TCP-LISTEN:7,bind=127.0.0.1 - </dev/null >/dev/null 2>&1 & for i in 1 2 3 4 5 6 7 8 9 10; do ss -Hltn sport = 7 | grep -q . && break; sleep 0.02; done',
      'ss -K -ltn sport = 7 >/dev/null',
      '! ss -Hltn sport = 7 | grep -q .',
    ],
  },
];

/** The one script that runs `wanted`, each trial in a network namespace of its own. */
export function trialScript(wanted: readonly Trial[]): string {
  const each = wanted.map(({ name, commands }) => {
    const script = commands.map((command) => `{ ${command}; } || exit 1`).join('\n');
    return `if said=$(unshare --net sh -c ${quoteArg(script)} 2>&1); then echo "${name} ok"; else echo "${name} $(echo "no: $said" | tr '\\n' ' ')"; fi`;
  });
  return [...each, ''].join('\n');
}

/** By name: `undefined` where the trial went well, else what was said. */
export function parseTrials(stdout: string): ReadonlyMap<string, string | undefined> {
  return new Map(
    stdout.split('\n').flatMap((line): [string, string | undefined][] => {
      const match = /^(\S+) (?:(ok)|no: ?(.*))$/.exec(line);
      if (match?.[1] === undefined) return [];
      return [[match[1], match[2] === 'ok' ? undefined : (match[3] ?? '').trim() || 'it failed without a word']];
    }),
  );
}

/** Tries them in mount, PID and network namespaces that end with the script, so nothing of it is left. */
export async function runTrials(
  wanted: readonly Trial[],
  opts: { scratch: string | undefined; signal: AbortSignal },
): Promise<ReadonlyMap<string, string | undefined>> {
  const { stdout, stderr } = await runTool(['sh', '-c', trialScript(wanted)], {
    signal: opts.signal,
    ownMounts: true,
    env: { SCRATCH: opts.scratch, LC_ALL: 'C' },
    fails: undefined,
  });
  const found = parseTrials(stdout);
  // Where not even the namespaces could be made, the reason is the same for all.
  const unasked = stderr.trim() || 'it could not be tried';
  return new Map(wanted.map(({ name }) => [name, found.has(name) ? found.get(name) : unasked]));
}
