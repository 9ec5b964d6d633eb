import { describe, expect, test } from 'vitest';
import { mirrorFor, parseAptSources } from '../../../../src/lab/image/apt-sources.ts';

const stanzas = `Types: deb
# https://snapshot.example/2025
URIs: http://deb.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: https://a.example/x
 https://b.example/x
Suites: trixie
Components: main
 universe
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;

describe('parseAptSources()', () => {
  test('reads stanzas: continuation lines, comments, what is off, sources', () => {
    const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
    const debian = { uri: 'http://deb.example/debian', components: ['main'], signedBy: key, trusted: false };
    const other = { suite: 'trixie', components: ['main', 'universe'], signedBy: undefined, trusted: true };
    expect(parseAptSources('debian.sources', stanzas)).toEqual([
      { ...debian, suite: 'bookworm' },
      { ...debian, suite: 'bookworm-updates' },
      { ...other, uri: 'https://a.example/x' },
      { ...other, uri: 'https://b.example/x' },
    ]);
  });

  test('reads one-line sources: options, comments, sources', () => {
    const text = `# deb http://no.example/ubuntu noble main
deb http://one.example/ubuntu noble main restricted universe # why
deb-src http://one.example/ubuntu noble main
deb [arch=amd64 signed-by=/etc/key.gpg trusted=yes] https://two.example/ubuntu noble-updates main
deb file:/srv/mirror ./
`;
    expect(parseAptSources('sources.list', text)).toEqual([
      {
        uri: 'http://one.example/ubuntu',
        suite: 'noble',
        components: ['main', 'restricted', 'universe'],
        signedBy: undefined,
        trusted: false,
      },
      {
        uri: 'https://two.example/ubuntu',
        suite: 'noble-updates',
        components: ['main'],
        signedBy: '/etc/key.gpg',
        trusted: true,
      },
      { uri: 'file:/srv/mirror', suite: './', components: [], signedBy: undefined, trusted: false },
    ]);
  });
});

describe('mirrorFor()', () => {
  const source = (uri: string, suite: string, components = ['main']) => ({
    uri,
    suite,
    components,
    signedBy: undefined,
    trusted: false,
  });
  test.each([
    {
      name: 'takes the suite itself, not its updates',
      uris: [source('http://a', 'x-updates'), source('http://b', 'x')],
      want: 'http://b',
    },
    {
      name: 'passes over a source without main',
      uris: [source('http://a', 'x', ['contrib']), source('http://b', 'x')],
      want: 'http://b',
    },
    {
      name: 'passes over protocols that debootstrap does not speak',
      uris: [source('mirror+file:/a', 'x'), source('cdrom:b', 'x')],
      want: undefined,
    },
    { name: 'takes a mirror on this machine', uris: [source('file:/srv/debian', 'x')], want: 'file:/srv/debian' },
  ])('$name', ({ uris, want }) => {
    expect(mirrorFor('x', uris)?.uri).toBe(want);
  });
});
