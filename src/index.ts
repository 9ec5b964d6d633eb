/**
 * The library. The command line uses this file and nothing behind it, so whatever `hairpin` can do, a program can do.
 */

export { installAgent, isOfAgent } from './apply/flow/agent.ts';
export { type DrainResult, drainNode } from './apply/flow/drain.ts';
export { adminKubeconfig, openTunnel } from './apply/flow/kubeconfig.ts';
export { checkCluster, checkNames, readStatus } from './apply/flow/look.ts';
export { type NodeReset, type ResetResult, resetCluster } from './apply/flow/reset.ts';
export { type ClusterSession, openSession } from './apply/flow/session.ts';
export { bringUp, type UpResult } from './apply/flow/up.ts';
export { undoInWords } from './apply/undo.ts';
export type { HairpinBehaviour } from './balancer/behaviour.ts';
export { describeProbe } from './balancer/probe/describe.ts';
export type { ProbeReport } from './balancer/probe/run-probe.ts';
export type { PackedBundle } from './bundle/pack.ts';
export { type CreateBundleOptions, createBundle } from './bundle-create.ts';
export { allOk, type CheckResult } from './check/check.ts';
export type { ClusterStatus } from './check/status.ts';
export type { TimingReport } from './check/timing.ts';
export { adoptCluster } from './cluster-adopt.ts';
export { type AgentStatus, agentPaths, clusterAgents, type NodeAgent, readAgentStatus } from './cluster-agents.ts';
export {
  type ClusterDiagnosis,
  causeIds,
  diagnoseCluster,
  diagnoseLogs,
  explain,
  type LogDiagnosis,
  makeSupportBundle,
} from './cluster-doctor.ts';
export { clusterDrillSite } from './cluster-drill-site.ts';
export { balancerProducts, loadSpec, parseClusterText } from './cluster-file.ts';
export { type InventoryText, type NewClusterFile, newClusterFile } from './cluster-init.ts';
export { planCluster, type RenderedNode, renderCluster, writeNodeFiles } from './cluster-plan.ts';
export { type ProbeClusterOptions, probeCluster } from './cluster-probe.ts';
export { checkTiming } from './cluster-timing.ts';
export type { Diagnosis, Finding } from './doctor/diagnose.ts';
export type { Cell } from './drill/matrix/cell.ts';
export type { DrillSite } from './drill/site/site.ts';
export {
  type DrillResult,
  drillReports,
  healDrills,
  listDrills,
  planDrills,
  runDrills,
  showDrill,
} from './drill-cluster.ts';
export { listMatrix, type MatrixListed, runDrillMatrix, writeAvailability } from './drill-matrix.ts';
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
export { labSite } from './lab/drill/site.ts';
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
export { restoreSnapshot, snapshotSpec } from './lab/snapshot/restore.ts';
export { saveSnapshot } from './lab/snapshot/save.ts';
export { listSnapshots, removeSnapshot, type Snapshot } from './lab/snapshot/snapshot.ts';
export { defaults } from './lab/spec/defaults.ts';
export { type LabFlags, parseLabFlags } from './lab/spec/lab-flags.ts';
export type { LabSpec, Tier } from './lab/spec/lab-spec.ts';
export { parseLabYaml } from './lab/spec/lab-yaml.ts';
export type { LabContext } from './lab/tier/tier.ts';
export { describePlan } from './plan/describe.ts';
export { isEmpty as isEmptyPlan, type Plan } from './plan/plan.ts';
export { programId } from './program/identity.ts';
export { runDaemonVerb } from './program/verbs.ts';
export { paint } from './report/color.ts';
export { createReporter } from './report/create.ts';
export { type Emit, type Event, silent } from './report/event.ts';
export type { InitFlags } from './spec/init/flags.ts';
export { checkEndpoint, checkNodes, strategyChoices } from './spec/init/questions.ts';
export { type Spec, type StrategyName, strategyNames } from './spec/spec.ts';
export { parseAddress } from './std/address.ts';
export { formatDuration, parseDuration } from './std/duration.ts';
export { type UnsafeChoice, unsafeChoices } from './strategy/strategy.ts';
