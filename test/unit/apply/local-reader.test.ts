import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { localReader } from '../../../src/apply/flow/session.ts';
import { readSpecText } from '../../support/spec.ts';

const text = `
apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: 1.37.2 }
  endpoint: { address: 172.16.105.26 }
  prepare: { bundle: ./b.tar.gz }
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
`;

test('a path relative to a cluster.yaml that is named by a relative path itself is found', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-reader-'));
  try {
    await writeFile(join(dir, 'b.tar.gz'), 'content');
    const file = relative(process.cwd(), join(dir, 'cluster.yaml'));
    const result = readSpecText(text, file);
    const prepare = result.ok ? result.spec.prepare : undefined;
    const path = prepare?.kind === 'bundle' ? prepare.path : '';
    expect(Buffer.from(await localReader()(path)).toString()).toBe('content');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('a file that is not there is an error of its own', async () => {
  await expect(localReader()('/nothere/b.tar.gz')).rejects.toMatchObject({ code: 'FILE_MISSING' });
});
