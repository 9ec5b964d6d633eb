import { expect, test } from 'vitest';
import { dependsOnHost } from '../../../src/node/ssh-files.ts';

test.each([
  ['', false],
  ['# Host m1\nUser root\nPort = 2222\n', false],
  ['Host *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n', false],
  ['Include /etc/ssh/ssh_config.d/*.conf\n\nHost *\n', false],
  ['host m1\n  User root\n', true],
  ['Host=*.example.com\n', true],
  ['Host * !m1\n', true],
  ['Match user root\n', true],
  ['Include conf.d/*\n', true],
  ['HostName %h.example.com\n', true],
  ['CanonicalizeHostname yes\n', true],
])('%j makes a difference between hosts: %s', (text, expected) => {
  expect(dependsOnHost(text)).toBe(expected);
});
