import { describe, expect, test } from 'vitest';
import type { Event } from '../../../src/report/event.ts';
import { createJsonReporter } from '../../../src/report/json.ts';
import { createLiveReporter } from '../../../src/report/live.ts';
import { createPlainReporter } from '../../../src/report/plain.ts';

const story: readonly Event[] = [
  { kind: 'note', text: 'prod: 3 masters' },
  { kind: 'task-started', task: 'm1/init', title: 'm1 kubeadm init', estimate: 18_000 },
  { kind: 'task-progress', task: 'm1/init', detail: 'etcd', done: 1, total: 4 },
  { kind: 'warning', text: 'an even number of masters' },
  { kind: 'task-finished', task: 'm1/init', title: 'm1 kubeadm init', detail: 'v1.37.2', ms: 17_900 },
  { kind: 'task-started', task: 'm2/join', title: 'm2 kubeadm join' },
  { kind: 'task-failed', task: 'm2/join', title: 'm2 kubeadm join', reason: 'no route to m1', ms: 64_000 },
];

function sink(columns: number) {
  const written: string[] = [];
  return { write: (text: string) => written.push(text), isTTY: true, columns, text: () => written.join('') };
}

describe('plain', () => {
  test('one line an event, and progress at most every five seconds', () => {
    const out = sink(80);
    const reporter = createPlainReporter(out, () => 0);
    for (const event of story) reporter.emit(event);
    reporter.close();
    expect(out.text()).toBe(
      [
        'prod: 3 masters',
        '  … m1 kubeadm init, about 18.0 s',
        'warning: an even number of masters',
        '  ✔ m1 kubeadm init  v1.37.2  17.9 s',
        '  … m2 kubeadm join',
        '  ✘ m2 kubeadm join  no route to m1  1 m 04 s',
        '',
      ].join('\n'),
    );
  });
});

describe('json', () => {
  test('one object a line, each with its time', () => {
    const out = sink(80);
    const reporter = createJsonReporter(out, () => new Date(0));
    for (const event of story) reporter.emit(event);
    const lines = out.text().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      story.map((event) => ({ at: '1970-01-01T00:00:00.000Z', ...event })),
    );
  });
});

describe('live', () => {
  test('finished lines stay, running ones are erased, and nothing is wider than the terminal', () => {
    const out = sink(60);
    const reporter = createLiveReporter(out, { color: false });
    for (const event of story) reporter.emit(event);
    reporter.close();
    const screen = replay(out.text());
    expect(screen).toEqual([
      'prod: 3 masters',
      'warning: an even number of masters',
      `✔ m1 kubeadm init${' '.repeat(19)}v1.37.2${' '.repeat(11)}17.9 s`,
      '✘ m2 kubeadm join  no route to m1',
      '',
    ]);
    expect(screen.filter((line) => line.length > 60)).toEqual([]);
  });
});

/** What a terminal shows after `text`, for the two control sequences that the live reporter uses. */
function replay(text: string): string[] {
  let lines = [''];
  for (const part of text.split(/(\x1b\[\d+A\x1b\[J|\n)/)) {
    const up = /^\x1b\[(\d+)A/.exec(part);
    if (up !== null) lines = [...lines.slice(0, lines.length - 1 - Number(up[1])), ''];
    else if (part === '\n') lines.push('');
    else lines[lines.length - 1] += part;
  }
  return lines;
}
