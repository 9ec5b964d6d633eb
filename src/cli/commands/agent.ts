import { Command, Option } from 'commander';
import { agentInstallCommand, agentUninstallCommand } from './agent-install.ts';
import { agentStatusCommand } from './agent-status.ts';

const daemons = {
  run: 'probe every apiserver, decide, keep steering alive',
  steerer: 'change the steering table when the agent asks',
  pods: "destroy flows inside pods' namespaces when the steerer asks",
  mirror: 'serve the readiness of the local apiserver over plain HTTP',
} as const;

/** `hairpin agent …`: the daemon of a node. systemd starts its verbs; people ask for its status. */
export function agentCommand(
  runDaemon: (verb: keyof typeof daemons, args: readonly string[]) => Promise<void>,
): Command {
  const agent = new Command('agent')
    .description('the daemon on each node that steers connections to the endpoint to ready apiservers')
    .addCommand(agentStatusCommand())
    .addCommand(agentInstallCommand())
    .addCommand(agentUninstallCommand());
  for (const [verb, summary] of Object.entries(daemons)) {
    agent.addCommand(
      new Command(verb)
        .description(`${summary} (started by systemd)`)
        .addOption(new Option('--config <path>', 'agent.json').default('/etc/hairpin/agent.json'))
        .addHelpText('after', `\nExample:\n  hairpin agent ${verb} --config /etc/hairpin/agent.json\n`)
        .action(async ({ config }: { readonly config: string }) =>
          runDaemon(verb as keyof typeof daemons, ['--config', config]),
        ),
    );
  }
  return agent;
}
