import type { Cause } from '../cause.ts';
import { allMasterNoBalancer } from './all-master-no-balancer.ts';
import { apiserverDown } from './apiserver-down.ts';
import { balancerIdleTimeout } from './balancer-idle-timeout.ts';
import { balancerTcpCheck } from './balancer-tcp-check.ts';
import { balancerWrongPort } from './balancer-wrong-port.ts';
import { certificateExpired } from './certificate-expired.ts';
import { certificateKeyExpired } from './certificate-key-expired.ts';
import { cgroupDriverMismatch } from './cgroup-driver-mismatch.ts';
import { checksBlocked } from './checks-blocked.ts';
import { clockWrong } from './clock-wrong.ts';
import { cniMissing } from './cni-missing.ts';
import { conntrackFull } from './conntrack-full.ts';
import { diskFull } from './disk-full.ts';
import { endpointHairpins } from './endpoint-hairpins.ts';
import { endpointNotInCertificate } from './endpoint-not-in-certificate.ts';
import { etcdQuorumLost } from './etcd-quorum-lost.ts';
import { halfJoinedEtcd } from './half-joined-etcd.ts';
import { haproxyPortClash } from './haproxy-port-clash.ts';
import { hungApiserver } from './hung-apiserver.ts';
import { imagePull } from './image-pull.ts';
import { ipvsOwnsEndpoint } from './ipvs-owns-endpoint.ts';
import { kubeletDown } from './kubelet-down.ts';
import { nameDoesNotResolve } from './name-does-not-resolve.ts';
import { nameSelfBeforeJoin } from './name-self-before-join.ts';
import { nodeUnreachable } from './node-unreachable.ts';
import { pinnedKubeconfig } from './pinned-kubeconfig.ts';
import { reversePathFilter } from './reverse-path-filter.ts';
import { runtimeDown } from './runtime-down.ts';
import { sameMachineId } from './same-machine-id.ts';
import { splitBrain } from './split-brain.ts';
import { stalePodHosts } from './stale-pod-hosts.ts';
import { strategyUnitDown } from './strategy-unit-down.ts';
import { swapOn } from './swap-on.ts';
import { tokenExpired } from './token-expired.ts';
import { vipAnswersArp } from './vip-answers-arp.ts';
import { vipBeforeJoin } from './vip-before-join.ts';
import { vrrpBlocked } from './vrrp-blocked.ts';
import { vrrpRouterId } from './vrrp-router-id.ts';
import { wrongAdvertiseAddress } from './wrong-advertise-address.ts';

/** Of two that are equally sure the earlier is named first: what others follow from comes before them. */
export const causes: readonly Cause[] = [
  clockWrong,
  diskFull,
  conntrackFull,
  swapOn,
  cgroupDriverMismatch,
  runtimeDown,
  certificateExpired,
  tokenExpired,
  certificateKeyExpired,
  halfJoinedEtcd,
  nameDoesNotResolve,
  nameSelfBeforeJoin,
  vipBeforeJoin,
  haproxyPortClash,
  ipvsOwnsEndpoint,
  vrrpBlocked,
  vrrpRouterId,
  splitBrain,
  allMasterNoBalancer,
  vipAnswersArp,
  wrongAdvertiseAddress,
  endpointNotInCertificate,
  balancerWrongPort,
  checksBlocked,
  etcdQuorumLost,
  hungApiserver,
  balancerTcpCheck,
  stalePodHosts,
  pinnedKubeconfig,
  imagePull,
  cniMissing,
  strategyUnitDown,
  endpointHairpins,
  reversePathFilter,
  balancerIdleTimeout,
  kubeletDown,
  apiserverDown,
  sameMachineId,
  nodeUnreachable,
];

export function findCause(id: string): Cause | undefined {
  return causes.find((cause) => cause.id === id);
}
