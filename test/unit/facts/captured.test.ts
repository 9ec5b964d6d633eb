import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Ask } from '../../../src/facts/probe.ts';
import { parseFacts } from '../../../src/facts/script.ts';
import type { Fact } from '../../../src/facts/types.ts';

// Captured by scripts/capture-facts.ts from real nodes (v1.37.2, steer) whose third master's join had failed half-way.
const directory = join(import.meta.dirname, '../../fixtures/facts');
const ask = JSON.parse(readFileSync(join(directory, 'half-joined.ask.json'), 'utf8')) as Ask;
const captured = (node: string) => parseFacts(readFileSync(join(directory, `half-joined-${node}.txt`), 'utf8'), ask);

function value<T>(fact: Fact<T>): T {
  if (fact.is === 'unknown') throw new Error(`unknown: ${fact.reason}`);
  return fact.value;
}

describe('parseFacts() of captured nodes', () => {
  test.each(readdirSync(directory).filter((file) => file.endsWith('.txt')))('%s, whole', async (file) => {
    const facts = parseFacts(readFileSync(join(directory, file), 'utf8'), ask);
    await expect(`${JSON.stringify(facts, undefined, 2)}\n`).toMatchFileSnapshot(
      `../../golden/facts/${file.replace('.txt', '.json')}`,
    );
  });

  test('the phase that kubeadm reached is told from what is on the disk', () => {
    const phases = ['m1', 'm2', 'm3', 'w1'].map((node) => `${node} ${value(captured(node).kubeadm).phase}`);
    expect(phases).toEqual(['m1 control-plane', 'm2 control-plane', 'm3 half-join', 'w1 worker']);
  });

  test('the member that never started is a learner without a name, its id exact', () => {
    expect(value(captured('m1').etcd).members.map(({ id, name, learner }) => ({ id, name, learner }))).toEqual([
      { id: '79f36d9ab5d44c5', name: 'm1', learner: false },
      { id: '3b802209d98108ce', name: 'm2', learner: false },
      { id: '3f95bc0ff60643dc', name: '', learner: true },
    ]);
  });

  test('what cannot be known says why', () => {
    const { etcd, api } = captured('m3');
    expect([etcd, api]).toEqual([
      { is: 'unknown', reason: 'etcd does not listen on 2379' },
      { is: 'unknown', reason: 'no apiserver listens on 6443' },
    ]);
  });

  test('certificates carry names, addresses and expiry, and all masters have the same CA', () => {
    const of = (node: string, path: string) => value(captured(node).certificates).find((c) => c.path === path);
    expect(of('m1', '/etc/kubernetes/pki/apiserver.crt')).toMatchObject({
      subject: 'CN=kube-apiserver',
      issuer: 'CN=kubernetes',
      addresses: ['10.96.0.1', '172.16.104.54', '172.16.105.26'],
      dnsNames: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'm1',
      ],
    });
    const ca = '/etc/kubernetes/pki/ca.crt';
    expect(of('m2', ca)?.fingerprint).toBe(of('m1', ca)?.fingerprint);
    expect(of('m1', '/etc/kubernetes/admin.conf')?.subject).toBe('O=kubeadm:cluster-admins, CN=kubernetes-admin');
  });

  test('a text that was cut off is known as far as it goes', () => {
    const whole = readFileSync(join(directory, 'half-joined-m1.txt'), 'utf8');
    const cut = parseFacts(whole.slice(0, whole.indexOf('begin listening') + 40), ask);
    expect(cut.interfaces.is).toBe('known');
    expect(cut.listening).toEqual({ is: 'unknown', reason: 'the node did not get that far' });
    expect(cut.api).toEqual({ is: 'unknown', reason: 'the node did not get that far' });
  });
});
