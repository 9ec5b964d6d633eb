/**
 * The library. The command line uses this file and nothing behind it, so whatever `hairpin` can do, a program can do.
 */
export { type Diagnostic, formatDiagnostic } from './errors/diagnostic.ts';
export { BadSpecError, exitCodes, OperatorError } from './errors/operator-error.ts';
export { type ArtefactOptions, type Artefacts, ensureArtefacts } from './lab/artefacts/artefacts.ts';
export { type CachedArtefacts, listArtefacts } from './lab/artefacts/list.ts';
export { formatBytes } from './lab/cache/space.ts';
export { type DiagnoseOptions, diagnoseHost, type HostReport, requireFit } from './lab/doctor/diagnose.ts';
export { type Base, ensureBase } from './lab/image/base.ts';
export { type LabPhase, type LabSummary, labNames, listLabs } from './lab/runtime/list-labs.ts';
export { openLab, type RunningLab } from './lab/runtime/open-lab.ts';
export { type Lab, type StartOptions, startLab } from './lab/runtime/start-lab.ts';
export { type LabStatus, labStatus } from './lab/runtime/status.ts';
export { stopLab } from './lab/runtime/stop-lab.ts';
export { defaults } from './lab/spec/defaults.ts';
export { type LabFlags, parseLabFlags } from './lab/spec/lab-flags.ts';
export type { LabSpec, Tier } from './lab/spec/lab-spec.ts';
export { parseLabYaml } from './lab/spec/lab-yaml.ts';
export { type Emit, type Event, silent } from './report/event.ts';
export { createReporter } from './report/create.ts';
