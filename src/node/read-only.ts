import { OperatorError } from '../errors/operator-error.ts';
import { commandInWords } from './ended.ts';
import type { NodePort } from './port.ts';

/**
 * A node that can be looked at only. `plan`, `check` and `doctor` get their nodes through it, so that their promise to
 * change nothing holds by construction. Any attempt to change is a defect in hairpin and stops the run.
 */
export function readOnly(node: NodePort): NodePort {
  const refuse = (what: string) =>
    Promise.reject(new OperatorError('NODE_READ_ONLY', `Refused to change ${node.name} in a read-only run: ${what}`));
  return {
    name: node.name,
    probe: (argv, opts) => node.probe(argv, opts),
    readFile: (path, opts) => node.readFile(path, opts),
    change: (argv) => refuse(commandInWords(argv)),
    writeFile: (file) => refuse(`write ${file.path}`),
  };
}
