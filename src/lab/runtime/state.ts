import { readFile, rename, writeFile } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { labPaths } from '../paths.ts';
import type { LabSpec } from '../spec/lab-spec.ts';

/** What a lab remembers about itself, in `lab.json`. Written before anything is made. */
export interface LabState {
  readonly version: 1;
  readonly phase: 'starting' | 'up';
  readonly startedAt: string;
  readonly spec: LabSpec;
  readonly cgroups: readonly string[];
}

/** Atomic: a reader sees the old text or the new one. */
export async function writeState(state: LabState): Promise<void> {
  const path = labPaths(state.spec.name).state;
  await writeFile(`${path}.tmp`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** `undefined` where there is none: no such lab, or one whose `up` was killed before it could write. */
export async function readState(lab: string): Promise<LabState | undefined> {
  const text = await readFile(labPaths(lab).state, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new OperatorError('LAB_NAME_UNKNOWN', `Cannot read the state of lab \`${lab}\``, { cause: error });
  });
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as LabState;
  if (state.version !== 1) {
    throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${lab}\` was made by another version of hairpin`, {
      hint: `take it down: hairpin lab down --lab ${lab}`,
    });
  }
  return state;
}
