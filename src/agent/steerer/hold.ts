import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdTestArgv, holdTestMs, readHoldTest } from './hold-test.ts';
import type { RunTool } from './run-tool.ts';

/**
 * Whether held refusals move to another backend on this kernel. Until that is known (2 s after the first start on a
 * kernel) they are held: that was measured on Linux 6.18 and nothing speaks against others; when it cannot be found out,
 * they are not.
 */
export interface HoldKnowledge {
  readonly works: () => boolean;
  /** What the operator should know; `undefined` when it works. */
  readonly problem: () => string | undefined;
}

export interface HoldDeps {
  /** Where the verdict is kept for the next start; removed by a reboot, as /run is. */
  readonly file: string;
  readonly kernel: string;
  /** The pods process, which may make namespaces; a text when it cannot. */
  readonly ask: () => Promise<boolean | string>;
  readonly run: RunTool;
  readonly log: (text: string) => void;
}

/** A boot is a busy time: what could not be found out then is tried again. */
const attempts = 3;
const pauseMs = 20_000;

/** Finds out in the background. */
export function learnHold({ file, kernel, ask, run, log }: HoldDeps): HoldKnowledge {
  let verdict: boolean | string | undefined;
  const findOnce = async () => {
    const kept = await readFile(file, 'utf8').catch(() => '');
    const [of, said] = kept.trim().split(' ');
    if (of === kernel && (said === 'yes' || said === 'no')) return said === 'yes';
    let found = await ask();
    if (typeof found === 'string') {
      const why = found;
      // Without the pods process: with the capabilities of a user namespace, where the kernel lets everybody make one.
      found = readHoldTest(await run(holdTestArgv(['--user', '--keep-caps']), { timeoutMs: holdTestMs }));
      if (typeof found === 'string') found = `${why}; ${found}`;
    }
    if (typeof found === 'boolean') await writeFile(file, `${kernel} ${found ? 'yes' : 'no'}\n`).catch(() => undefined);
    return found;
  };
  const find = async () => {
    let found = await findOnce();
    for (let i = 1; i < attempts && typeof found === 'string'; i += 1) {
      await sleep(pauseMs, undefined, { ref: false });
      found = await findOnce();
    }
    return found;
  };
  void find()
    .catch((error: unknown) => String(error))
    .then((found) => {
      verdict = found;
      log(
        found === true
          ? `a refused connection can be held until another apiserver takes it (tried on ${kernel})`
          : (problemOf(found) ?? ''),
      );
    });
  const problemOf = (found: typeof verdict) => {
    if (found === false)
      return `on this kernel (${kernel}) a held refusal finds no other apiserver: refusals are not held`;
    if (typeof found === 'string')
      return `whether refusals can be held could not be found out, so they are not: ${found}`;
    return undefined;
  };
  return { works: () => verdict === undefined || verdict === true, problem: () => problemOf(verdict) };
}
