import { OperatorError } from '../errors/operator-error.ts';

/** What an error about a connection has to name. */
export interface SshPlace {
  /** The node as the spec calls it. */
  readonly node: string;
  /** What was handed to ssh: an address or an alias of the ssh configuration. */
  readonly destination: string;
  /** After the ssh configuration was applied. */
  readonly user: string;
  readonly hostName: string;
  readonly port: number;
}

/**
 * What ssh printed when it could not log in, as the operator's own error. The texts are those of OpenSSH 7.4 to 10 in
 * the C locale; ssh does not translate them.
 */
export function sshFailed(place: SshPlace, stderr: string): OperatorError {
  const where = `${place.user}@${place.hostName} port ${place.port}`;
  const cause = usefulLines(stderr);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|POSSIBLE DNS SPOOFING|differs from the key for/i.test(stderr)) {
    const offending = /(?:Offending (?:[\w-]+ )?key(?: for IP)?|Matching host key) in (\S+)/.exec(stderr)?.[1];
    const fingerprint = /SHA256:[A-Za-z0-9+/=]+/.exec(stderr)?.[0]?.replace(/\.$/, '');
    return new OperatorError(
      'NODE_HOST_KEY',
      `Node ${place.node} (${where}) shows another host key than the known one`,
      {
        cause: [
          ...(offending === undefined ? [] : [`the known key is at ${offending}`]),
          ...(fingerprint === undefined ? [] : [`the key shown is ${fingerprint}`]),
        ].join('\n'),
        hint: `if the machine was really rebuilt, remove that line and put the new key there after comparing its fingerprint on the machine's console; if not, somebody else may be answering`,
      },
    );
  }
  if (/No \S+ host key is known for|Host key verification failed/i.test(stderr)) {
    return new OperatorError('NODE_HOST_KEY', `The host key of node ${place.node} (${where}) is not known yet`, {
      cause,
      hint: `log in once by hand (ssh ${place.destination}) and compare the fingerprint, or add the key to known_hosts`,
    });
  }
  if (/Permission denied|Too many authentication failures|No supported authentication methods/i.test(stderr)) {
    return new OperatorError('NODE_AUTH', `Node ${place.node} does not let ${where} log in`, {
      cause,
      hint: `try it by hand: ssh -o BatchMode=yes ${place.destination}; hairpin uses keys and agents only, so load the key (ssh-add) or name it in the ssh configuration`,
    });
  }
  if (/Bad owner or permissions|Bad configuration option|Can't open user config|terminating, \d+ bad/i.test(stderr)) {
    return new OperatorError('NODE_SSH_CONFIG', `ssh cannot use its configuration for node ${place.node}`, {
      cause,
      hint: 'put the file right; ssh -G HOST reads it without connecting',
    });
  }
  if (/Could not resolve hostname/i.test(stderr)) {
    return new OperatorError(
      'NODE_UNREACHABLE',
      `The address of node ${place.node} does not resolve: ${place.hostName}`,
      {
        cause,
        hint: 'give the node an IP address in cluster.yaml, or a HostName in the ssh configuration',
      },
    );
  }
  return new OperatorError('NODE_UNREACHABLE', `Cannot reach node ${place.node} by ssh at ${where}`, {
    cause,
    hint: /refused/i.test(stderr)
      ? `the machine answers but nothing listens there: is sshd running, and is ${place.port} its port?`
      : 'is the machine on, and does a firewall or a missing jump host stand in between?',
  });
}

/** What sudo printed before the command started. `undefined` when it is not about sudo. */
export function sudoFailed(
  node: string,
  user: string,
  stderr: string,
  gavePassword: boolean,
): OperatorError | undefined {
  if (!/sudo|password|Sorry/i.test(stderr)) return undefined;
  const cause = usefulLines(stderr);
  if (/not found|No such file/i.test(stderr)) {
    return new OperatorError('NODE_SUDO', `User ${user} is not root on node ${node} and there is no sudo`, {
      cause,
      hint: 'install sudo there, or log in as root (spec.ssh.user)',
    });
  }
  if (/not in the sudoers|may not run sudo|not allowed to execute/i.test(stderr)) {
    return new OperatorError('NODE_SUDO', `User ${user} may not use sudo on node ${node}`, {
      cause,
      hint: `let ${user} run any command as root there, or log in as root (spec.ssh.user)`,
    });
  }
  if (/must have a tty/i.test(stderr)) {
    return new OperatorError('NODE_SUDO', `sudo on node ${node} wants a terminal`, {
      cause,
      hint: `remove requiretty for ${user} from its sudoers`,
    });
  }
  if (gavePassword && /incorrect password|Sorry, try again|no password was provided|try again/i.test(stderr)) {
    return new OperatorError('NODE_SUDO', `The sudo password is wrong for ${user} on node ${node}`, {
      hint: 'give it again; it was tried once only, so no account was locked by hairpin',
    });
  }
  return new OperatorError('NODE_SUDO', `sudo wants a password for ${user} on node ${node}`, {
    cause,
    hint: `give it with --ask-sudo-password or HAIRPIN_SUDO_PASSWORD, or allow ${user} NOPASSWD there`,
  });
}

/** Without the frame of at signs and empty lines; at most four lines, which is what a reader takes in. */
function usefulLines(stderr: string): string {
  return stderr
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('@') && !line.startsWith('** '))
    .slice(-4)
    .join('\n');
}
