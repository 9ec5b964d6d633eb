/**
 * The library. The command line uses this file and nothing behind it, so whatever `hairpin` can do, a program can do.
 */
export { balancerProducts, loadSpec, parseClusterText } from './cluster-file.ts';
export { type InventoryText, type NewClusterFile, newClusterFile } from './cluster-init.ts';
export { type Diagnostic, formatDiagnostic } from './errors/diagnostic.ts';
export { BadSpecError, exitCodes, OperatorError } from './errors/operator-error.ts';
export { type ArtefactOptions, type Artefacts, ensureArtefacts } from './lab/artefacts/artefacts.ts';
export { type CachedArtefacts, listArtefacts } from './lab/artefacts/list.ts';
export { changeBalancer, readBalancerStatus } from './lab/balancer/client.ts';
export type { BackendStatus, BalancerRequest, BalancerStatus, Transition } from './lab/balancer/status.ts';
export { formatBytes } from './lab/cache/space.ts';
export type { DnsRecord } from './lab/dns/records.ts';
export { readDns, setDns } from './lab/dns/start.ts';
export { type DiagnoseOptions, diagnoseHost, type HostReport, requireFit } from './lab/doctor/diagnose.ts';
export { type BreakRequest, breakLab, healFaults, withFault } from './lab/faults/break.ts';
export type { FaultRecord, LabFault } from './lab/faults/fault.ts';
export { commonFaults, faultsOf } from './lab/faults/list.ts';
export { type Base, ensureBase } from './lab/image/base.ts';
export { execInLab, sshToLab } from './lab/runtime/exec.ts';
export { type LabPhase, type LabSummary, labNames, listLabs } from './lab/runtime/list-labs.ts';
export { openLab, type RunningLab } from './lab/runtime/open-lab.ts';
export { type Proxy, type ProxyRequest, startProxy } from './lab/runtime/proxy.ts';
export { type Lab, type StartOptions, startLab } from './lab/runtime/start-lab.ts';
export { type LabStatus, labStatus } from './lab/runtime/status.ts';
export { stopLab } from './lab/runtime/stop-lab.ts';
export { defaults } from './lab/spec/defaults.ts';
export { type LabFlags, parseLabFlags } from './lab/spec/lab-flags.ts';
export type { LabSpec, Tier } from './lab/spec/lab-spec.ts';
export { parseLabYaml } from './lab/spec/lab-yaml.ts';
export { createReporter } from './report/create.ts';
export { type Emit, type Event, silent } from './report/event.ts';
export type { InitFlags } from './spec/init/flags.ts';
export { checkEndpoint, checkNodes, strategyChoices } from './spec/init/questions.ts';
export type { Spec } from './spec/spec.ts';
export { parseAddress } from './std/address.ts';
export { formatDuration, parseDuration } from './std/duration.ts';
