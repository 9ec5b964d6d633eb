import { userInfo } from 'node:os';
import { OperatorError } from '../errors/operator-error.ts';
import type { SpecNode } from '../spec/spec.ts';
import { runProcess } from './process.ts';
import { sshFailed } from './ssh-errors.ts';
import { dependsOnHost, sshConfigTexts } from './ssh-files.ts';

/** How to reach a node by ssh: what cluster.yaml says. What is absent comes from the ssh configuration. */
export interface SshTarget {
  /** The node's name in cluster.yaml. When the ssh configuration has a HostName for it, it is dialled by this name. */
  readonly name: string;
  readonly address: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
  readonly knownHostsFile?: string | undefined;
  readonly proxyJump?: string | undefined;
  /** Milliseconds until a node that does not answer counts as unreachable. */
  readonly connectTimeout?: number | undefined;
  /** `auto`: sudo unless the login is root already. */
  readonly sudo?: 'auto' | 'always' | 'never' | undefined;
  /** As `ssh -F`; ~/.ssh/config and /etc/ssh/ssh_config otherwise. */
  readonly configFile?: string | undefined;
}

/** The target of a node of the spec. */
export function sshTargetOf(node: SpecNode): SshTarget {
  const { user, port, identityFile, knownHostsFile, proxyJump, configFile, connectTimeoutMs, sudo } = node.ssh;
  return {
    name: node.name,
    address: node.ssh.host ?? node.address.text,
    user,
    port,
    identityFile,
    knownHostsFile,
    proxyJump,
    configFile,
    connectTimeout: connectTimeoutMs,
    sudo,
  };
}

/** What ssh makes of a target. */
export interface Resolved {
  readonly destination: string;
  readonly user: string;
  readonly hostName: string;
  readonly port: number;
  /** Options that make host keys strict, unless the user's configuration settled it otherwise. */
  readonly hostKeyPolicy: readonly string[];
}

/**
 * Options of every call. No questions are asked (BatchMode), nothing of the user's configuration that belongs to
 * interactive logins is done: forwardings, local commands, terminals, a remote command.
 */
export function sshArguments(target: SshTarget): string[] {
  return [
    ...(target.configFile === undefined ? [] : ['-F', target.configFile]),

    '-o',
    'BatchMode=yes',
    '-o',
    'ClearAllForwardings=yes',
    '-o',
    'PermitLocalCommand=no',
    '-o',
    'RemoteCommand=none',
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.identityFile === undefined ? [] : ['-i', target.identityFile]),
    ...(target.knownHostsFile === undefined ? [] : ['-o', `UserKnownHostsFile="${target.knownHostsFile}"`]),
    ...(target.proxyJump === undefined ? [] : ['-o', `ProxyJump=${target.proxyJump}`]),
  ];
}

/**
 * Asks `ssh -G` what it would do. The node is dialled by its name when the configuration gives that name a HostName, by
 * its address otherwise. Where the configuration makes no difference between hosts, one answer is everybody's: two more
 * processes a node are a fifth of what it takes to connect to hundreds.
 */
export async function resolveTarget(target: SshTarget, signal?: AbortSignal): Promise<Resolved> {
  const texts = await sshConfigTexts(target.configFile);
  if (!texts.some(dependsOnHost)) return resolvedAs(target, target.address, await commonAnswers(target, texts, signal));
  const byName = await sshG(target, target.name, signal);
  const useName = byName.hostname !== target.name && byName.hostname !== target.name.toLowerCase();
  const seen = useName ? byName : await sshG(target, target.address, signal);
  return {
    ...resolvedAs(target, useName ? target.name : target.address, seen),
    hostName: seen.hostname ?? target.address,
  };
}

function resolvedAs(target: SshTarget, destination: string, seen: Answers): Resolved {
  return {
    destination,
    user: seen.user ?? userInfo().username,
    hostName: target.address,
    port: Number(seen.port ?? 22),
    // `ask` is what ssh has when nobody chose; with BatchMode it would still accept nothing, but say so less clearly.
    hostKeyPolicy: seen.stricthostkeychecking === 'ask' ? ['-o', 'StrictHostKeyChecking=yes'] : [],
  };
}

const common = new Map<string, Promise<Answers>>();

/** By what ssh is told and what it reads; a failure is not kept, because its text names the node. */
async function commonAnswers(
  target: SshTarget,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Answers> {
  const key = JSON.stringify([sshArguments(target), texts]);
  const known = await common.get(key)?.catch(() => undefined);
  if (known !== undefined) return known;
  const asked = sshG(target, target.address, signal);
  common.set(key, asked);
  return await asked;
}

type Answers = Readonly<Partial<Record<string, string>>>;

async function sshG(target: SshTarget, destination: string, signal: AbortSignal | undefined): Promise<Answers> {
  const argv = ['ssh', '-G', ...sshArguments(target), '--', destination];
  const ended = await runProcess(argv, { timeout: 10_000, signal });
  if (ended.why === 'aborted' && signal !== undefined) throw signal.reason;
  if (ended.missing) {
    throw new OperatorError('NODE_SSH_CONFIG', 'There is no ssh program on this machine', {
      hint: 'install the OpenSSH client (Debian: apt-get install openssh-client)',
    });
  }
  if (ended.exitCode !== 0) {
    const place = { node: target.name, destination, user: target.user ?? '', hostName: target.address, port: 22 };
    throw sshFailed(place, ended.stderr);
  }
  return parseSshG(ended.stdout);
}

/** `ssh -G` prints one `keyword value` a line, keywords in lower case; the first of several counts. */
export function parseSshG(text: string): Answers {
  const answers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) answers[line.slice(0, space)] ??= line.slice(space + 1).trim();
  }
  return answers;
}
