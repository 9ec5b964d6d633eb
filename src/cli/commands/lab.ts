import { Command } from 'commander';
import { labArtefactsCommand } from './lab-artefacts.ts';
import { labBalancerCommand } from './lab-balancer.ts';
import { labBreakCommand } from './lab-break.ts';
import { labDoctorCommand } from './lab-doctor.ts';
import { labDownCommand } from './lab-down.ts';
import { labExecCommand } from './lab-exec.ts';
import { labHealCommand } from './lab-heal.ts';
import { labListCommand } from './lab-list.ts';
import { labProxyCommand } from './lab-proxy.ts';
import { labSnapshotCommand } from './lab-snapshot.ts';
import { labSshCommand } from './lab-ssh.ts';
import { labStatusCommand } from './lab-status.ts';
import { labUpCommand } from './lab-up.ts';

/** `hairpin lab …`: a rehearsal on one Linux machine. Each verb is a file beside this one (lab-up.ts, lab-down.ts, …). */
export function labCommand(): Command {
  return new Command('lab')
    .description('rehearse on this machine: real nodes behind a faithful balancer')
    .addCommand(labUpCommand())
    .addCommand(labDownCommand())
    .addCommand(labBalancerCommand())
    .addCommand(labListCommand())
    .addCommand(labDoctorCommand())
    .addCommand(labArtefactsCommand())
    .addCommand(labStatusCommand())
    .addCommand(labExecCommand())
    .addCommand(labSnapshotCommand())
    .addCommand(labSshCommand())
    .addCommand(labProxyCommand())
    .addCommand(labBreakCommand())
    .addCommand(labHealCommand());
}
