import { describe, expect, test } from 'vitest';
import { initPhases, joinPhases, kubeadmProgress } from '../../../src/apply/handlers/kubeadm-progress.ts';
import { parseNodeJournal } from '../../../src/apply/on-node.ts';
import { remainingMs } from '../../../src/apply/remaining.ts';
import { undosOf } from '../../../src/apply/undo.ts';
import type { Undo } from '../../../src/plan/step.ts';
import { withdrawAgent } from '../../../src/render/agent/node-scripts.ts';
import { runStep } from '../../support/steps.ts';

describe('remainingMs()', () => {
  const steps = [
    runStep('a', [], 1000),
    runStep('b', ['a'], 500),
    runStep('c', [], 1200),
    runStep('d', ['b', 'c'], 100),
  ];
  test.each([
    { name: 'the longest chain at the start', done: [], elapsed: {}, left: 1600 },
    { name: 'what a running step has done already', done: [], elapsed: { a: 600, c: 600 }, left: 1000 },
    { name: 'a step that is late counts as ending now', done: [], elapsed: { a: 9000, c: 9000 }, left: 600 },
    { name: 'nothing when all is done', done: ['a', 'b', 'c', 'd'], elapsed: {}, left: 0 },
  ])('$name', ({ done, elapsed, left }) => {
    expect(remainingMs(steps, new Set(done), new Map(Object.entries(elapsed)))).toBe(left);
  });
});

describe('kubeadmProgress()', () => {
  test('tells the phase and how far it is, and never the join command', () => {
    const seen: unknown[] = [];
    const onLine = kubeadmProgress(initPhases, (...args) => seen.push(args));
    for (const line of [
      '[init] Using Kubernetes version: v1.37.2',
      '[certs] Generating "ca" certificate and key',
      '[wait-control-plane] Waiting for the kubelet to boot up the control plane',
      'kubeadm join 172.16.105.26:6443 --token abcdef.0123456789abcdef \\',
      '	--discovery-token-ca-cert-hash sha256:abc',
    ]) {
      onLine('stdout', line);
    }
    expect(seen).toEqual([
      ['init: Using Kubernetes version: v1.37.2', 0, initPhases.length],
      ['certs: Generating "ca" certificate and key', 1, initPhases.length],
      ['wait-control-plane: Waiting for the kubelet to boot up the control plane', 6, initPhases.length],
    ]);
  });

  test('a worker has few phases', () => {
    expect(joinPhases('worker')).toEqual(['preflight', 'kubelet-start', 'kubelet-check']);
  });
});

test('parseNodeJournal() leaves out a line that a crash cut short', () => {
  const whole = { at: 'now', run: 'r', by: 'me', step: 'm1/a', kind: 'run', undo: { is: 'nothing', because: 'x' } };
  const text = `${JSON.stringify(whole)}\n{"at":"now","run":"r","st`;
  expect(parseNodeJournal(text)).toEqual([whole]);
});

describe('undosOf()', () => {
  const record = (undo: Undo) => ({ at: '', run: 'r', by: 'me', step: 'm1/x', kind: 'run' as const, undo });
  const file: Undo = { is: 'restore-file', path: '/etc/hairpin/agent.json' };
  const withdraw: Undo = { is: 'run', argv: withdrawAgent };
  const kubeadm: Undo = { is: 'kubeadm-reset' };

  test('newest first, each once', () => {
    expect(undosOf([file, withdraw, kubeadm, file].map(record))).toEqual([file, kubeadm, withdraw]);
  });

  test('steering is withdrawn again when kubeadm has ended the flows that its table stays for', () => {
    expect(undosOf([kubeadm, file, withdraw].map(record))).toEqual([withdraw, file, kubeadm, withdraw]);
    expect(undosOf([file, withdraw].map(record))).toEqual([withdraw, file]);
  });
});
