/**
 * `npm run generate`: writes every file that is made from the source. With `--check` it writes nothing, names the files
 * that are not what they should be and ends with exit code 1. To add one: a line in `generated`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { causes } from '../src/doctor/causes/index.ts';
import { causeReference } from '../src/doctor/explain.ts';
import { errorCodes } from '../src/errors/codes.ts';
import { clusterJsonSchema } from '../src/spec/json-schema.ts';
import { clusterReference } from '../src/spec/reference.ts';
import { rules } from '../src/spec/rules/index.ts';

interface Generated {
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFile(join(root, path), 'utf8');

const generated: readonly Generated[] = [
  { path: 'schema/cluster.schema.json', render: () => `${JSON.stringify(clusterJsonSchema(), undefined, 2)}\n` },
  {
    path: 'docs/cluster-yaml.md',
    render: async () => clusterReference(clusterJsonSchema(), rules, await read('examples/article.yaml')),
  },
  { path: 'docs/errors.md', render: errorReference },
  { path: 'docs/doctor.md', render: () => causeReference(causes) },
];

const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { path, render } of generated) {
  const wanted = await render();
  const there = await read(path).catch(() => undefined);
  if (there === wanted) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), wanted);
}

for (const path of stale) console.log(check ? `${path} is not current: run \`npm run generate\`` : `wrote ${path}`);
if (stale.length === 0) console.log(`${generated.length} generated files are current`);
process.exitCode = check && stale.length > 0 ? 1 : 0;

function errorReference(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, meaning]) => `| \`${code}\` | ${meaning.replaceAll('|', '\\|')} |`,
  );
  return [
    '# Error codes',
    '',
    'Generated from src/errors/codes.ts. Codes never change once released. Codes of problems in cluster.yaml are in',
    'docs/cluster-yaml.md.',
    '',
    '| code | means |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}
