import type { ProgramSource } from '../../src/program/source.ts';
import { program } from './facts.ts';

/** For runs that send no program. */
export const noProgram: ProgramSource = {
  id: program,
  archive: () => Promise.reject(new Error('This test has no program to send')),
};
