import { z } from 'zod';
import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort } from '../node/port.ts';
import { formatDuration } from '../std/duration.ts';
import { type Holder, holderIsGone } from './holder.ts';
import { nodePaths } from './on-node.ts';

export interface NodeLock extends AsyncDisposable {
  readonly node: string;
  /** Commands of a dead run that still ran here and were ended. */
  readonly ended: readonly string[];
  /** Whom the lock was taken from, when its holder was gone. */
  readonly takenFrom: Holder | undefined;
}

export interface LockOptions {
  readonly holder: Holder;
  readonly signal: AbortSignal;
  /** Told when the lock is not ours any more: somebody judged us dead. The run must stop. */
  readonly onLost: (error: OperatorError) => void;
  /** Milliseconds between signs of life. */
  readonly every?: number;
}

// A run gives a sign of life every 20 s; a holder on another machine counts as gone after four that did not come.
const signOfLife = 20_000;
const goneAfterSeconds = 90;

/**
 * Compare and swap under flock: writes our line when there is no lock, or when the lock is exactly the one that was
 * judged stale. Then ends what a dead run left running, and removes secret files that it left.
 */
const acquireScript = `
set -u
lock=$1 mine=$2 expected=$3 under=$4
mkdir -p -m 700 -- "\${lock%/*}"
exec 9>>"$lock.mutex"
flock 9
if [ -e "$lock" ]; then
  there=$(cat "$lock")
  if [ "$there" != "$expected" ]; then
    echo "held $(( $(date +%s) - $(stat -c %Y -- "$lock") )) $there"
    exit 0
  fi
fi
umask 077
printf '%s\\n' "$mine" >"$lock.new" && mv -f -- "$lock.new" "$lock" || exit 1
alive() {
  read -r stat 2>/dev/null </proc/$1/stat || return 1
  set -f; set -- "$2" \${stat##*) }; set +f
  [ "\${21}" = "$1" ]
}
for file in "$under"/*; do
  [ -e "$file" ] || continue
  read -r pid start group <"$file"
  if alive "$pid" "$start"; then
    kill -TERM "-$group" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      alive "$pid" "$start" || break
      sleep 0.1
    done
    kill -KILL "-$group" 2>/dev/null
    echo "ended \${file##*/}"
  fi
  rm -f -- "$file"
done
find "\${lock%/*}" -maxdepth 1 -type f -name '*.yaml' -delete
echo taken
`;

const touchScript = '[ "$(cat "$1" 2>/dev/null)" = "$2" ] && touch -- "$1"';
const releaseScript = '[ "$(cat "$1" 2>/dev/null)" = "$2" ] && rm -f -- "$1"; exit 0';

/** Takes the lock of one node. Throws `NODE_LOCKED` with who holds it; takes over from a holder that is gone. */
export async function lockNode(node: NodePort, opts: LockOptions): Promise<NodeLock> {
  const mine = JSON.stringify(opts.holder);
  let expected = '';
  let takenFrom: Holder | undefined;
  // Twice: once to find it held by a dead run, once to take it over; a third answer means that others are at it as well.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await acquire(node, mine, expected, opts.signal);
    if (answer.is === 'taken') return new HeldLock(node, mine, { ...opts, ended: answer.ended, takenFrom });
    const holder = parseHolder(answer.text);
    const gone = holder === undefined ? answer.age > goneAfterSeconds : isGone(holder, answer.age, opts.holder);
    if (!gone) throw locked(node.name, holder, answer.age);
    expected = answer.text;
    takenFrom = holder;
  }
  throw locked(node.name, takenFrom, 0);
}

/** All nodes at once; when one is locked by somebody else, none stays locked by us. */
export async function lockNodes(nodes: readonly NodePort[], opts: LockOptions): Promise<Locks> {
  const locks = new Locks();
  const results = await Promise.allSettled(nodes.map((node) => lockNode(node, opts)));
  for (const result of results) if (result.status === 'fulfilled') locks.add(result.value);
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failed.length > 0) {
    await locks[Symbol.asyncDispose]();
    throw failed.find((error) => error instanceof OperatorError && error.code === 'NODE_LOCKED') ?? failed[0];
  }
  return locks;
}

export class Locks implements AsyncDisposable {
  readonly all: NodeLock[] = [];

  add(lock: NodeLock): void {
    this.all.push(lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.all.map((lock) => lock[Symbol.asyncDispose]()));
  }
}

class HeldLock implements NodeLock {
  readonly node: string;
  readonly ended: readonly string[];
  readonly takenFrom: Holder | undefined;
  readonly #port: NodePort;
  readonly #mine: string;
  readonly #timer: NodeJS.Timeout;

  constructor(
    port: NodePort,
    mine: string,
    opts: LockOptions & { ended: readonly string[]; takenFrom: Holder | undefined },
  ) {
    this.node = port.name;
    this.ended = opts.ended;
    this.takenFrom = opts.takenFrom;
    this.#port = port;
    this.#mine = mine;
    this.#timer = setInterval(() => void this.#touch(opts.onLost), opts.every ?? signOfLife);
    this.#timer.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const argv = ['sh', '-c', releaseScript, 'hairpin-unlock', nodePaths.lock, this.#mine];
    // A node that cannot be reached keeps its lock; the next run finds its holder gone.
    await this.#port.change(argv, { timeout: 10_000 }).catch(() => undefined);
  }

  async #touch(onLost: (error: OperatorError) => void): Promise<void> {
    try {
      const argv = ['sh', '-c', touchScript, 'hairpin-lock', nodePaths.lock, this.#mine];
      const { exitCode } = await this.#port.change(argv, { timeout: 15_000 });
      if (exitCode === 0) return;
      clearInterval(this.#timer);
      onLost(
        new OperatorError('NODE_LOCK_LOST', `The lock on ${this.node} was taken away while this run was at work`, {
          hint: `see who works on ${this.node} (cat ${nodePaths.lock} there), then run the same command again`,
        }),
      );
    } catch {
      // One sign of life that did not arrive means nothing; the step that needs the node will tell.
    }
  }
}

type Answer =
  | { readonly is: 'taken'; readonly ended: readonly string[] }
  | { readonly is: 'held'; readonly age: number; readonly text: string };

async function acquire(node: NodePort, mine: string, expected: string, signal: AbortSignal): Promise<Answer> {
  const argv = ['sh', '-c', acquireScript, 'hairpin-lock', nodePaths.lock, mine, expected, nodePaths.underWay];
  const { stdout, stderr, exitCode } = await node.change(argv, { timeout: 30_000, signal });
  const held = /^held (-?\d+) (.*)$/m.exec(stdout);
  if (held !== null) return { is: 'held', age: Number(held[1]), text: held[2] ?? '' };
  if (exitCode !== 0 || !/^taken$/m.test(stdout)) {
    throw new OperatorError('NODE_FILE', `Cannot lock ${node.name}`, {
      cause: stderr.trim().split('\n').at(-1) ?? '',
      hint: `${nodePaths.lock} could not be written there; is /run writable?`,
    });
  }
  return { is: 'taken', ended: [...stdout.matchAll(/^ended (.*)$/gm)].map((match) => match[1] ?? '') };
}

function isGone(holder: Holder, age: number, us: Holder): boolean {
  return holderIsGone(holder, us) ?? age > goneAfterSeconds;
}

function locked(node: string, holder: Holder | undefined, age: number): OperatorError {
  const seen = formatDuration(Math.max(0, age) * 1000);
  return new OperatorError('NODE_LOCKED', `Cannot change ${node}: another run holds its lock`, {
    cause:
      holder === undefined
        ? `who holds it cannot be read; last sign of life ${seen} ago`
        : `held by ${holder.user}@${holder.host} (pid ${holder.pid}, ${holder.command}) since ${holder.since}, last sign of life ${seen} ago`,
    hint: `wait for that run to end; if it is dead, the lock counts for nothing ${goneAfterSeconds} s after its last sign of life`,
  });
}

const holderSchema = z.object({
  run: z.string(),
  command: z.string(),
  user: z.string(),
  host: z.string(),
  machine: z.string(),
  pid: z.number(),
  pidStart: z.string(),
  since: z.string(),
});

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
