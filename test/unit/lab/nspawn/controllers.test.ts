import { expect, test } from 'vitest';
import { missingControllers } from '../../../../src/lab/nspawn/controllers.ts';

test.each([
  { name: 'version 1 has them in hierarchies of their own', texts: [undefined, undefined], missing: [] },
  { name: 'hybrid: version 2 beside them has none and needs none', texts: [undefined, ''], missing: [] },
  { name: 'version 2 with all', texts: ['cpuset cpu io memory pids\n'], missing: [] },
  { name: 'version 2 as a session has it', texts: ['memory pids\n'], missing: ['cpu', 'cpuset'] },
  { name: 'version 2 with none', texts: ['\n'], missing: ['cpu', 'cpuset', 'memory', 'pids'] },
])('missingControllers(): $name', ({ texts, missing }) => {
  expect(missingControllers(texts)).toEqual(missing);
});
