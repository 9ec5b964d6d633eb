import { createRequire } from 'node:module';
import { getAsset } from 'node:sea';
import { Script } from 'node:vm';

/** Runs a bundle that the executable carries as text, and gives what it exports. `shown` is its name in stack traces. */
export function loadAsset(name: string, shown: string): unknown {
  const source = getAsset(name, 'utf8');
  const wrapper = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: shown,
  });
  const module: { exports: unknown } = { exports: {} };
  const start = wrapper.runInThisContext() as (...args: readonly unknown[]) => void;
  // Everything but Node.js itself is in the bundle, so where requires start from does not matter.
  start(module.exports, createRequire('/hairpin'), module, '/hairpin', '/');
  return module.exports;
}
