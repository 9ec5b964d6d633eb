import { Command } from 'commander';

/** `hairpin lab …`: a rehearsal on one Linux machine. Each verb is a file beside this one (lab-up.ts, lab-down.ts, …). */
export function labCommand(): Command {
  return new Command('lab').description('rehearse on this machine: real nodes behind a faithful balancer');
}
