import { expect, test } from 'vitest';
import { parseLdd } from '../../../../src/lab/artefacts/proxy-tools.ts';

test('parseLdd() gives each library once, at its place in a merged /usr', () => {
  const printed = `/usr/sbin/nft:
	linux-vdso.so.1 (0x00007ffc8a1f2000)
	libnftables.so.1 => /lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f1c5a2b0000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1c5a0cf000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f1c5a3a9000)
/usr/sbin/conntrack:
	libmnl.so.0 => /usr/lib/x86_64-linux-gnu/libmnl.so.0 (0x00007f2a11d5e000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2a11b7d000)
`;
  expect(parseLdd(printed)).toEqual([
    '/usr/lib/x86_64-linux-gnu/libc.so.6',
    '/usr/lib/x86_64-linux-gnu/libmnl.so.0',
    '/usr/lib/x86_64-linux-gnu/libnftables.so.1',
    '/usr/lib64/ld-linux-x86-64.so.2',
  ]);
});
