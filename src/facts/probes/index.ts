import type { Probe } from '../probe.ts';
import type { NodeFacts } from '../types.ts';
import { api } from './api.ts';
import { certificates } from './certificates.ts';
import { datapath } from './datapath.ts';
import { disks } from './disks.ts';
import { endpointLookup } from './endpoint-lookup.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { etcd } from './etcd.ts';
import { files, ours } from './files.ts';
import { hosts } from './hosts.ts';
import { identity } from './identity.ts';
import { interfaces } from './interfaces.ts';
import { kernel } from './kernel.ts';
import { kubeadm } from './kubeadm.ts';
import { kubeconfigs } from './kubeconfigs.ts';
import { listening } from './listening.ts';
import { memory, swap } from './memory.ts';
import { os } from './os.ts';
import { packetRules } from './packet-rules.ts';
import { program } from './program.ts';
import { resolver } from './resolver.ts';
import { routes } from './routes.ts';
import { sysctls } from './sysctls.ts';
import { tools } from './tools.ts';
import { units } from './units.ts';

type Value<F> = F extends { readonly is: 'known'; readonly value: infer T } ? T : never;

/** One probe a fact; the clock is read apart, because it needs the time of the question. */
export const probes: { readonly [K in Exclude<keyof NodeFacts, 'clock'>]: Probe<Value<NodeFacts[K]>> } = {
  os,
  kernel,
  tools,
  program,
  interfaces,
  routes,
  endpointRoutes,
  listening,
  resolver,
  endpointLookup,
  hosts,
  packetRules,
  datapath,
  sysctls,
  swap,
  memory,
  disks,
  identity,
  units,
  kubeadm,
  certificates,
  kubeconfigs,
  etcd,
  api,
  files,
  ours,
};
