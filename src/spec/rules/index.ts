import { balancerProduct } from './balancer-product.ts';
import { cidrOverlap } from './cidr-overlap.ts';
import { controlPlane } from './control-plane.ts';
import { duplicates } from './duplicates.ts';
import { endpointIsNode } from './endpoint-is-node.ts';
import { endpointTwice } from './endpoint-twice.ts';
import { families } from './families.ts';
import { kubeadmDocuments } from './kubeadm-documents.ts';
import { madeUpName } from './made-up-name.ts';
import { portChain } from './port-chain.ts';
import { portClash } from './port-clash.ts';
import type { Rule } from './rule.ts';
import { strategyBehaviour } from './strategy-behaviour.ts';
import { strategyEndpoint } from './strategy-endpoint.ts';
import { subnetSize } from './subnet-size.ts';
import { timingOrder } from './timing-order.ts';
import { usableAddresses, usableEndpoint } from './usable-addresses.ts';
import { version } from './version.ts';
import { vipSubnet } from './vip-subnet.ts';

/** Every rule over several fields of cluster.yaml. The order is that of docs/cluster-yaml.md; findings are sorted by place. */
export const rules: readonly Rule[] = [
  controlPlane,
  duplicates,
  usableAddresses,
  usableEndpoint,
  endpointTwice,
  endpointIsNode,
  madeUpName,
  vipSubnet,
  families,
  cidrOverlap,
  subnetSize,
  version,
  balancerProduct,
  strategyEndpoint,
  strategyBehaviour,
  portClash,
  portChain,
  timingOrder,
  kubeadmDocuments,
];
