import type { Judgement } from '../judge/judge.ts';
import type { SavedDrill } from '../run/store.ts';
import { connectionsInWords, operationsInWords } from './words.ts';

/** JUnit's XML as CI systems read it: a suite a drill, a case a client class and one for what is everybody's. */
export function drillJunit({ header }: SavedDrill, judged: Judgement): string {
  const { verdict, window } = judged;
  const seconds = window === undefined ? 0 : (window.endAt - window.beginAt) / 1000;
  const breaches = verdict.is === 'over-budget' ? verdict.breaches : [];
  const clients = judged.clients.map((client) => client.client);
  const ownerOf = (breach: string) => clients.find((client) => breach.startsWith(`${client}: `));
  const cases = [
    ...judged.clients.map((client) => ({
      name: client.client,
      failures: breaches.filter((breach) => ownerOf(breach) === client.client),
      said: connectionsInWords(client),
    })),
    {
      name: 'writes, leases and addresses',
      failures: breaches.filter((breach) => ownerOf(breach) === undefined),
      said: operationsInWords(judged.operations),
    },
  ];
  const bad = verdict.is === 'bad-experiment' ? verdict.reasons.join('; ') : undefined;
  const failed = cases.filter((one) => one.failures.length > 0).length;
  const attributes = [
    `name="${xml(header.scenario)}"`,
    `tests="${cases.length}"`,
    `failures="${bad === undefined ? failed : 0}"`,
    `errors="${bad === undefined ? 0 : cases.length}"`,
    `time="${seconds.toFixed(3)}"`,
    `timestamp="${xml(header.startedAt)}"`,
  ].join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite ${attributes}>`,
    ...cases.flatMap(({ name, failures, said }) => [
      `  <testcase classname="${xml(`${header.site}.${header.scenario}`)}" name="${xml(name)}" time="${seconds.toFixed(3)}">`,
      ...(bad === undefined ? [] : [`    <error message="${xml(`a bad experiment: ${bad}`)}"/>`]),
      ...(bad === undefined ? failures.map((failure) => `    <failure message="${xml(failure)}"/>`) : []),
      `    <system-out>${xml(said)}</system-out>`,
      '  </testcase>',
    ]),
    '</testsuite>',
    '',
  ].join('\n');
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}]/gu, '?');
}
