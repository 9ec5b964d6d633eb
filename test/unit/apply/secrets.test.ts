import { describe, expect, test } from 'vitest';
import { Secrets } from '../../../src/apply/secrets.ts';

describe('Secrets', () => {
  test('makes a token and a certificate key that kubeadm takes, once', () => {
    const secrets = new Secrets();
    expect(secrets.value('join-token')).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(secrets.value('certificate-key')).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets.value('join-token')).toBe(secrets.value('join-token'));
    expect(new Secrets().value('join-token')).not.toBe(secrets.value('join-token'));
  });

  test('resolve() fills the holes', () => {
    const secrets = new Secrets();
    secrets.set('ca-cert-hash', 'sha256:abc');
    expect(secrets.resolve(['hash: ', { secret: 'ca-cert-hash' }, '\n'])).toBe('hash: sha256:abc\n');
  });

  test.each([
    { name: 'a token that kubeadm printed', text: 'join --token abcdef.0123456789abcdef', out: 'join --token <token>' },
    {
      name: 'a certificate key in a flag',
      text: `--certificate-key ${'ab'.repeat(32)} x`,
      out: '--certificate-key <certificate-key> x',
    },
    {
      name: 'a certificate key in YAML',
      text: `certificateKey: ${'ab'.repeat(32)}`,
      out: 'certificateKey: <certificate-key>',
    },
    {
      name: 'a private key',
      text: 'x -----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY----- y',
      out: 'x <private key> y',
    },
    { name: 'a private key that is cut short', text: '-----BEGIN PRIVATE KEY-----\nAAAA', out: '<private key>' },
    {
      name: 'the key data of a kubeconfig',
      text: 'client-key-data: LS0tLS1CRUdJTiBSU0E=',
      out: 'client-key-data: <secret>',
    },
    { name: 'no secret: a host name', text: 'master.cluster-internal-01', out: 'master.cluster-internal-01' },
    { name: 'no secret: the hash of a CA', text: `sha256:${'ab'.repeat(32)}`, out: `sha256:${'ab'.repeat(32)}` },
  ])('redact() takes out $name', ({ text, out }) => {
    expect(new Secrets().redact(text)).toBe(out);
  });

  test('redact() knows its own values in every form they are printed in', () => {
    const secrets = new Secrets();
    const token = secrets.value('join-token');
    const text = `${token} ${token.slice(7)} ${Buffer.from(token.slice(7)).toString('base64')}`;
    expect(secrets.redact(text)).toBe('<join-token> <join-token> <join-token>');
  });
});
