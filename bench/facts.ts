/**
 * `npm run bench:facts`: how long it takes to look at 200 nodes (goal: ≤ 10 s). Each node is a connection of its own to a
 * real sshd on the loopback, so the cost of ssh is real; what the node prints is a captured master's answer, because 200
 * real nodes would share this machine's processors. Cold: with connecting. Warm: over the kept connections.
 */
import { join } from 'node:path';
import { gatherFacts } from '../src/facts/gather.ts';
import { emptyAsk } from '../src/facts/probe.ts';
import { openNodes } from '../src/node/nodes.ts';
import { startSshd } from '../test/support/sshd.ts';

const count = Number(process.argv[2] ?? 200);
const fixture = join(import.meta.dirname, '../test/fixtures/facts/half-joined-m1.txt');

// Answers as remote-command.ts wants it: start mark, output, end mark. The first line is the clock. Without a process that
// a real node would not have: what it costs to look there is not asked here.
const command = `
for word in $SSH_ORIGINAL_COMMAND; do case $word in [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*) marker=$word; break ;; esac; done
printf '\\036%s+1\\n' "$marker" >&2
date +%s%N
cat ${fixture}
printf '\\036%s=0\\n' "$marker" >&2
`;
// What both ends agree on by themselves, and the exchange without sntrup761, which is most of a connection in OpenSSH 9.0 to 9.8
// (110 ms of processor time for both ends together; mlkem768, which took its place in 10.0, costs next to nothing).
for (const kex of ['as both ends agree', 'curve25519-sha256']) {
  const offered = kex === 'curve25519-sha256' ? [`KexAlgorithms ${kex}`] : [];
  using sshd = await startSshd({ extra: ['MaxStartups 1000', ...offered], command });
  await using nodes = await openNodes(
    Array.from({ length: count }, (_, i) => ({
      name: `n${i}`,
      address: '127.0.0.1',
      port: sshd.port,
      identityFile: join(sshd.dir, 'user'),
      knownHostsFile: sshd.knownHosts,
      user: 'root',
      connectTimeout: 30_000,
    })),
  );
  const asked = [...nodes.byName.values()].map((node) => ({ node, ask: emptyAsk }));
  for (const round of ['cold', 'warm']) {
    const { ms, nodes: reports } = await gatherFacts(asked);
    const seen = reports.filter((report) => report.is === 'seen');
    const known = seen.filter((report) => report.facts.etcd.is === 'known' && report.facts.clock.is === 'known').length;
    console.log(
      `key exchange ${kex.padEnd(18)}  ${round}  ${count} nodes in ${(ms / 1000).toFixed(1)} s; ${seen.length} seen, ${known} of them whole; goal 10 s`,
    );
  }
}
