import type { Check } from '../check.ts';
import { agentsSteer } from './agents-steer.ts';
import { apiserversReady } from './apiservers-ready.ts';
import { certificates } from './certificates.ts';
import { corednsReady } from './coredns-ready.ts';
import { endpointReached } from './endpoint-reached.ts';
import { etcdMembers } from './etcd-members.ts';
import { kubeProxySynced } from './kube-proxy-synced.ts';
import { noDrift } from './no-drift.ts';
import { nodesReady } from './nodes-ready.ts';
import { serviceReached } from './service-reached.ts';

/** In the order in which they are shown: what the later ones rest on comes first. */
export const checks: readonly Check[] = [
  apiserversReady,
  etcdMembers,
  nodesReady,
  kubeProxySynced,
  corednsReady,
  serviceReached,
  agentsSteer,
  endpointReached,
  certificates,
  noDrift,
];
