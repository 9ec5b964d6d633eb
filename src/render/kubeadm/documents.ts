/**
 * kubeadm's configuration documents, for every version of its API from one model. Pure: a spec in, documents out.
 * Secrets are holes (secret-text.ts); users' own documents are merged last, and they win.
 */
import type { Spec, SpecNode } from '../../spec/spec.ts';
import { formatCidr, formatHostPort } from '../../std/address.ts';
import { isKubeadmDocument, type KubeadmApi, kubeadmApiFor } from './api.ts';
import { discoversByFile, discoveryPath } from './commands.ts';
import { gateExists } from './gates.ts';
import { mergeOver, type Tree } from './merge.ts';
import { hole } from './secret-text.ts';

/** What the spec does not say but the documents need. */
export interface DocumentOptions {
  /** The certificates are uploaded for masters that join (never in v1beta1, which has no field for the key). */
  readonly uploadCertificates: boolean;
  /** kubeadm's feature gates; those that this version does not have are left out. */
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** How long a join looks for the endpoint before it gives up. kubeadm's own default is 5 minutes. */
  readonly discoveryTimeoutSeconds: number;
  /** The endpoint is an address of the nodes themselves, and kube-proxy in IPVS mode must keep its hands off it. */
  readonly endpointIsOnNodes: boolean;
}

export const tokenDescription = 'hairpin: joins nodes, deleted afterwards';
export const tokenTtl = '1h0m0s';

/** For `kubeadm init` on the leader. */
export function initDocuments(spec: Spec, leader: SpecNode, options: DocumentOptions): readonly Tree[] {
  const api = kubeadmApiFor(spec.kubernetes.version, spec.kubeadm.documents);
  const init: Tree = {
    ...typeMeta(api, 'InitConfiguration'),
    bootstrapTokens: [bootstrapToken()],
    nodeRegistration: nodeRegistration(api, leader),
    localAPIEndpoint: localEndpoint(spec, leader),
    ...(uploads(api, options) ? { certificateKey: hole('certificate-key') } : {}),
  };
  return [
    ...merged(spec, init),
    ...merged(spec, clusterConfiguration(spec, api, options)),
    ...componentDocuments(spec, options),
  ];
}

/** For `kubeadm join` of a master or a worker. */
export function joinDocuments(spec: Spec, node: SpecNode, options: DocumentOptions): readonly Tree[] {
  const api = kubeadmApiFor(spec.kubernetes.version, spec.kubeadm.documents);
  const timeout = `${options.discoveryTimeoutSeconds}s`;
  const timeoutInDiscovery = api === 'v1beta1' || api === 'v1beta2' || api === 'v1beta3';
  const join: Tree = {
    ...typeMeta(api, 'JoinConfiguration'),
    discovery: {
      ...(discoversByFile(spec.kubernetes.version)
        ? { file: { kubeConfigPath: discoveryPath }, tlsBootstrapToken: hole('join-token') }
        : {
            bootstrapToken: {
              apiServerEndpoint: formatHostPort(spec.endpoint.host, spec.endpoint.port),
              token: hole('join-token'),
              caCertHashes: [hole('ca-cert-hash')],
            },
          }),
      ...(timeoutInDiscovery ? { timeout } : {}),
    },
    nodeRegistration: nodeRegistration(api, node),
    ...(node.role === 'control-plane'
      ? {
          controlPlane: {
            localAPIEndpoint: localEndpoint(spec, node),
            ...(uploads(api, options) ? { certificateKey: hole('certificate-key') } : {}),
          },
        }
      : {}),
    ...(timeoutInDiscovery ? {} : { timeouts: { discovery: timeout } }),
  };
  return merged(spec, join, node.role === 'worker' ? ['controlPlane'] : []);
}

/** As ConfigMap cluster-info has it: a kubeconfig with a cluster that has no name, and nobody who asks it. */
export function discoveryDocument(spec: Spec): Tree {
  const server = `https://${formatHostPort(spec.endpoint.host, spec.endpoint.port)}`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster: { 'certificate-authority-data': hole('ca-cert'), server } }],
  };
}

/** For `kubeadm token create` and `kubeadm init phase upload-certs` on a master of a cluster that exists. */
export function credentialDocuments(spec: Spec, master: SpecNode, options: DocumentOptions): readonly Tree[] {
  return initDocuments(spec, master, options).filter((document) => !isComponent(document));
}

/** `kubeadm config images pull`: the same images as init will want, and nothing else. */
export function imagesDocuments(spec: Spec): readonly Tree[] {
  const api = kubeadmApiFor(spec.kubernetes.version, spec.kubeadm.documents);
  const options = {
    uploadCertificates: false,
    featureGates: {},
    discoveryTimeoutSeconds: 60,
    endpointIsOnNodes: false,
  };
  return merged(spec, clusterConfiguration(spec, api, options));
}

function clusterConfiguration(spec: Spec, api: KubeadmApi, options: DocumentOptions): Tree {
  const { kubernetes, endpoint } = spec;
  const gates = Object.fromEntries(
    Object.entries(options.featureGates).filter(([name]) => gateExists(name, kubernetes.version) === true),
  );
  // A name's addresses too: a client that was given the address must be able to check the certificate.
  const sans = endpoint.kind === 'domain' ? endpoint.addresses.map((a) => a.text) : [];
  return {
    ...typeMeta(api, 'ClusterConfiguration'),
    clusterName: spec.name,
    kubernetesVersion: kubernetes.version.text,
    ...(kubernetes.imageRepository === undefined ? {} : { imageRepository: kubernetes.imageRepository }),
    controlPlaneEndpoint: formatHostPort(endpoint.host, endpoint.port),
    networking: {
      dnsDomain: kubernetes.dnsDomain,
      podSubnet: kubernetes.podSubnets.map(formatCidr).join(','),
      serviceSubnet: kubernetes.serviceSubnets.map(formatCidr).join(','),
    },
    ...(sans.length === 0 ? {} : { apiServer: { certSANs: sans } }),
    ...(Object.keys(gates).length === 0 ? {} : { featureGates: gates }),
  };
}

/** Kubelet and kube-proxy documents: users' own, and what IPVS mode needs when the endpoint is on the nodes. */
function componentDocuments(spec: Spec, options: DocumentOptions): readonly Tree[] {
  const users: readonly Tree[] = spec.kubeadm.documents.filter((document) => !isKubeadmDocument(document));
  const combined = new Map<string, Tree>();
  for (const document of users) {
    const kind = String(document.kind);
    combined.set(kind, mergeOver(combined.get(kind) ?? {}, document));
  }
  return [...combined.values()].map((document) =>
    document.kind === 'KubeProxyConfiguration' && document.mode === 'ipvs' && options.endpointIsOnNodes
      ? mergeOver({ apiVersion: document.apiVersion, kind: document.kind, ...ipvsLeavesEndpointAlone(spec) }, document)
      : document,
  );
}

/** In IPVS mode kube-proxy deletes virtual servers and addresses that it does not know (k/k#66967). */
function ipvsLeavesEndpointAlone(spec: Spec): Tree {
  const cidrs = spec.endpoint.addresses.map((a) => `${a.text}/${a.family === 4 ? 32 : 128}`);
  return { ipvs: { strictARP: true, excludeCIDRs: cidrs } };
}

function merged(spec: Spec, ours: Tree, without: readonly string[] = []): readonly Tree[] {
  const result = spec.kubeadm.documents
    .filter((document) => isKubeadmDocument(document) && document.kind === ours.kind)
    .reduce<Tree>((tree, document) => mergeOver(tree, document), ours);
  if (!without.some((key) => key in result)) return [result];
  return [Object.fromEntries(Object.entries(result).filter(([key]) => !without.includes(key)))];
}

function uploads(api: KubeadmApi, options: DocumentOptions): boolean {
  return options.uploadCertificates && api !== 'v1beta1';
}

function bootstrapToken(): Tree {
  return {
    token: hole('join-token'),
    description: tokenDescription,
    ttl: tokenTtl,
    usages: ['signing', 'authentication'],
    groups: ['system:bootstrappers:kubeadm:default-node-token'],
  };
}

/** The kubelet is told its addresses: left alone it may take the VIP of `bind-vip` for the node's own. */
function nodeRegistration(api: KubeadmApi, node: SpecNode): Tree {
  const nodeIp = node.addresses.map((a) => a.text).join(',');
  return { name: node.name, kubeletExtraArgs: extraArgs(api, { 'node-ip': nodeIp }) };
}

/** A map up to v1beta3, a list of name and value since v1beta4. */
export function extraArgs(api: KubeadmApi, args: Readonly<Record<string, string>>): unknown {
  if (api === 'v1beta1' || api === 'v1beta2' || api === 'v1beta3') return args;
  return Object.entries(args).map(([name, value]) => ({ name, value }));
}

function localEndpoint(spec: Spec, node: SpecNode): Tree {
  return { advertiseAddress: node.address.text, bindPort: spec.apiServerPort };
}

function typeMeta(api: KubeadmApi, kind: string): Tree {
  return { apiVersion: `kubeadm.k8s.io/${api}`, kind };
}

function isComponent(document: Tree): boolean {
  return !String(document.apiVersion).startsWith('kubeadm.k8s.io/');
}
