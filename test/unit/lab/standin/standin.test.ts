import { describe, expect, test } from 'vitest';
import { dnsmasqConfig, formatHosts, parseHosts } from '../../../../src/lab/dns/records.ts';
import { changes, eventsSince, versionAt, type WatchEvent } from '../../../../src/lab/standin/collection.ts';
import { answer, type Exchange } from '../../../../src/lab/standin/handler.ts';
import { createStore } from '../../../../src/lab/store/store.ts';
import { address } from '../../../../src/std/address.ts';

const versions = (events: readonly WatchEvent[]) =>
  events.map((e) =>
    `${e.type} ${(e.object as { metadata: { resourceVersion?: string } }).metadata.resourceVersion ?? ''}`.trim(),
  );

describe('eventsSince()', () => {
  test.each([
    { name: 'without a version: how things are', since: undefined, want: ['ADDED 1000'] },
    { name: 'with 0: the same', since: '0', want: ['ADDED 1000'] },
    { name: 'every change after the version', since: '997', want: ['MODIFIED 998', 'MODIFIED 999', 'MODIFIED 1000'] },
    { name: 'nothing yet after the newest', since: '1000', want: [] },
    { name: 'too long ago', since: '-1', want: ['ERROR'] },
    { name: 'not a version', since: 'x', want: ['ERROR'] },
    { name: 'from the future', since: '5000', want: ['ERROR'] },
  ])('$name', ({ since, want }) => expect(versions(eventsSince(since, 1000))).toEqual(want));

  test('a version from before the compaction is 410', () => {
    expect(eventsSince('1', 10_000)).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
  });
});

test('versions of all stand-ins agree, because they are ticks of the clock', () => {
  expect([versionAt(1_234_567), changes(5, 5), changes(7, 3)]).toEqual([12_345, [], []]);
});

describe('answer()', () => {
  const store = createStore();
  const ask = async (url: string, switches: { ready?: boolean; live?: boolean } = {}, method = 'GET', sent = '') => {
    let head = 0;
    let body = '';
    const exchange: Exchange = {
      method,
      url,
      client: '10.0.0.1',
      body: async () => sent,
      head: (status) => {
        head = status;
      },
      write: () => true,
      end: (text) => {
        body = text ?? '';
      },
      onClose: () => undefined,
    };
    await answer(
      { machine: 'm1', port: 6443 },
      { ready: true, live: true, delayMs: 0, members: [], ...switches },
      exchange,
      async (request) => store(request),
    );
    return `${head} ${body.split('\n')[0]}`;
  };

  test('config maps of the drill are created, replaced, read and listed, and one name is one map', async () => {
    const all = '/api/v1/namespaces/drill/configmaps';
    const map = (value: string, version?: string) =>
      JSON.stringify({
        metadata: { name: 'a', labels: { set: 's' }, ...(version === undefined ? {} : { resourceVersion: version }) },
        data: { value },
      });
    const short = async (method: string, url: string, sent?: string) => {
      const reply = await ask(url, {}, method, sent);
      const { data, metadata, reason, items } = JSON.parse(reply.slice(4)) as {
        data?: { value: string };
        metadata: { resourceVersion?: string };
        reason?: string;
        items?: unknown[];
      };
      return [reply.slice(0, 3), reason ?? data?.value ?? items?.length, metadata.resourceVersion].join(' ').trim();
    };
    expect([
      await short('PUT', `${all}/a`, map('0')),
      await short('POST', all, map('1')),
      await short('POST', all, map('2')),
      await short('PUT', `${all}/a`, map('3')),
      await short('PUT', `${all}/a`, map('4', '2')),
      await short('PUT', `${all}/a`, map('5', '3')),
      await short('GET', `${all}/a`),
      await short('GET', `${all}?labelSelector=set%3Ds`),
      await short('GET', `${all}?labelSelector=set%3Dt`),
      await short('DELETE', all),
      await short('GET', `${all}/a`),
      await short('PATCH', all),
    ]).toEqual([
      '404 NotFound',
      '201 1 2',
      '409 AlreadyExists',
      '200 3 3',
      '409 Conflict',
      '200 5 4',
      '200 5 4',
      '200 1 4',
      '200 0 4',
      '200 0 5',
      '404 NotFound',
      '405 MethodNotAllowed',
    ]);
  });

  test.each([
    { name: 'ready', url: '/readyz', want: '200 ok' },
    { name: 'ready with a query', url: '/readyz?verbose', want: '200 ok' },
    { name: 'not ready', url: '/readyz', switches: { ready: false }, want: '500 [-]shutdown failed: reason withheld' },
    { name: 'not ready is still alive', url: '/livez', switches: { ready: false }, want: '200 ok' },
    {
      name: 'not alive is not ready either',
      url: '/readyz',
      switches: { live: false },
      want: '500 [-]shutdown failed: reason withheld',
    },
    { name: 'not alive', url: '/healthz', switches: { live: false }, want: '500 livez check failed' },
  ])('$name', async ({ url, switches, want }) => expect(await ask(url, switches)).toBe(want));

  test('only GET', async () => expect(await ask('/version', {}, 'POST')).toMatch(/^405 .*MethodNotAllowed/));
});

describe('DNS records', () => {
  const records = [
    { name: 'api.lab.internal', addresses: [address('172.16.105.26'), address('fd00::1')] },
    { name: 'm1', addresses: [address('172.16.104.54')] },
  ];

  test('the hosts file says what they are, and is read back the same', () => {
    const text = formatHosts(records);
    expect(text).toBe('172.16.105.26 api.lab.internal\nfd00::1 api.lab.internal\n172.16.104.54 m1\n');
    expect(parseHosts(text, address)).toEqual(records);
  });

  test('a file that is not ours is not guessed at', () => {
    expect(() => parseHosts('172.16.104.54 m1 alias\n', address)).toThrow(SyntaxError);
  });

  test('the server knows nothing but the lab, and listens only where it is told', () => {
    const config = dnsmasqConfig({ addresses: [address('172.16.104.3')], hostsFile: '/d/hosts', pidFile: '/d/pid' });
    expect(config.split('\n')).toEqual([
      'keep-in-foreground',
      'user=root',
      'no-resolv',
      'no-poll',
      'no-hosts',
      'addn-hosts=/d/hosts',
      'pid-file=/d/pid',
      'local=//',
      'local=/#/',
      'local-ttl=1',
      'bind-interfaces',
      'listen-address=172.16.104.3',
      '',
    ]);
  });
});
