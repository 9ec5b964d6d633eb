import { sendProgram } from '../../apply/send-program.ts';
import type { NodePort } from '../../node/port.ts';
import type { ProgramSource } from '../../program/source.ts';
import { versionDirectory } from '../../render/agent/launcher.ts';
import { lostWith, runDir } from '../faults/on-nodes.ts';
import type { TrafficChannel } from '../traffic/channel.ts';

/** Where a node without the agent gets the program; systemd clears it of what is older than a month. */
const versions = '/var/tmp/hairpin-drill';

/** Gives the directory of this version on the node: the agent's where it has one, else it is sent. */
export async function ensureProgram(node: NodePort, program: ProgramSource, signal: AbortSignal): Promise<string> {
  const installed = versionDirectory(program.id);
  const seen = await node.probe(['test', '-e', `${installed}/SHA256SUMS`], { signal });
  if (seen.exitCode === 0) return installed;
  const dir = `${versions}/${program.id}`;
  await sendProgram({
    node,
    program,
    versions,
    dir,
    file: `${versions}.part/${program.id}.tar.gz`,
    launcher: '/nonexistent',
    signal,
    progress: () => undefined,
    before: async () => undefined,
  });
  return dir;
}

/** `$1` is the program's directory, `$2` its argument. Ahead of what is measured, where the kernel allows it. */
const start = `
LD_LIBRARY_PATH=$1/lib; export LD_LIBRARY_PATH
if chrt --rr 1 true 2>/dev/null; then exec chrt --rr 1 "$1/hairpin" agent traffic "$2"; fi
exec "$1/hairpin" agent traffic "$2"`;

/**
 * The same in the network of the pod that has the address `$3`. Pods do not read the node's /etc/hosts, and its own says
 * nothing of the endpoint.
 */
const startInPod = `
for netns in /run/netns/*; do
  nsenter --net="$netns" ip -oneline address show to "$3" 2>/dev/null | grep -q . || continue
  printf '127.0.0.1 localhost\\n' >${runDir}/pod-hosts
  exec nsenter --net="$netns" unshare --mount --propagation private sh -c '
    mount --bind ${runDir}/pod-hosts /etc/hosts; exec sh -c "$0" hairpin-traffic "$1" "$2"' "$4" "$1" "$2"
done
echo "no pod here has the address $3" >&2; exit 66`;

/** Ends the process and gives what it wrote; 3 when nothing is left of it. */
const recover = `
[ -e "$1" ] || exit 3
pid=$(cat "$1.pid")
kill -TERM "$pid" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
cat "$1"`;

/** A traffic process on a node, over the node's port and nothing else. `pod`: in the network of the pod with this address. */
export function onNode(
  node: NodePort,
  opts: { readonly program: string; readonly pod?: string | undefined; readonly spool: string },
): TrafficChannel {
  const { program, pod, spool } = opts;
  return {
    async run(config, io) {
      const argv =
        pod === undefined
          ? ['sh', '-c', start, 'hairpin-traffic', program, config]
          : ['sh', '-c', startInPod, 'hairpin-traffic', program, config, pod, start];
      try {
        const { input, signal } = io;
        const onLine = (stream: 'stdout' | 'stderr', line: string) => {
          if (stream === 'stdout') io.onLine(line);
        };
        const ended = await node.change(argv, { input, signal, onLine });
        const problem = ended.exitCode === 0 ? undefined : `ended with ${ended.exitCode}: ${ended.stderr.slice(-2000)}`;
        return { problem, lost: false };
      } catch (error) {
        return { problem: error instanceof Error ? error.message : String(error), lost: lostWith(error) };
      }
    },
    async recover() {
      try {
        const ended = await node.change(['sh', '-c', recover, 'hairpin-recover', spool], { timeout: 20_000 });
        return ended.exitCode === 0 ? ended.stdout.split('\n').filter((line) => line !== '') : undefined;
      } catch (error) {
        if (lostWith(error)) return undefined;
        throw error;
      }
    },
  };
}
