import { expect, test } from 'vitest';
import { sshArguments, sshTargetOf } from '../../../src/node/ssh-config.ts';
import type { SpecNode } from '../../../src/spec/spec.ts';
import { address } from '../../../src/std/address.ts';

const node: SpecNode = {
  name: 'm1',
  role: 'control-plane',
  address: address('172.16.104.54'),
  addresses: [address('172.16.104.54')],
  interface: undefined,
  ssh: {
    host: 'bastion-name',
    user: 'ops',
    port: 2222,
    configFile: '/c/ssh_config',
    identityFile: '/c/key',
    knownHostsFile: '/c/known_hosts',
    proxyJump: 'jump.example',
    connectTimeoutMs: 7000,
    sudo: 'always',
  },
};

test('sshTargetOf() loses nothing of what the spec says about ssh', () => {
  expect(sshTargetOf(node)).toEqual({
    name: 'm1',
    address: 'bastion-name',
    user: 'ops',
    port: 2222,
    identityFile: '/c/key',
    knownHostsFile: '/c/known_hosts',
    proxyJump: 'jump.example',
    configFile: '/c/ssh_config',
    connectTimeout: 7000,
    sudo: 'always',
  });
});

test('the jump host, the known hosts, the login and the key reach ssh', () => {
  const line = sshArguments(sshTargetOf(node)).join(' ');
  expect(
    ['ProxyJump=jump.example', 'UserKnownHostsFile="/c/known_hosts"', '-l ops', '-p 2222', '-i /c/key'].filter(
      (option) => !line.includes(option),
    ),
  ).toEqual([]);
});
