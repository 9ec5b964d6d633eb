import { writtenBy } from '../systemd/unit.ts';
import { agentPaths } from './paths.ts';

export function versionDirectory(program: string): string {
  return `${agentPaths.versions}/${program}`;
}

/**
 * What units and people start. Replaced in one rename when a new version is in force; processes of the old one run on until
 * they are restarted. Node.js needs libatomic, which minimal systems lack, so it is beside the executable.
 */
export function renderLauncher(program: string): string {
  return `#!/bin/sh
# ${writtenBy}
dir=${versionDirectory(program)}
LD_LIBRARY_PATH=$dir/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$dir/hairpin" "$@"
`;
}
