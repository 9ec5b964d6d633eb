import { Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { ClusterFile } from '../schema.ts';
import { formatYamlPath, type YamlPath } from '../yaml-source.ts';

/** A comment for a place in the file, above what it is about. */
export interface Remark {
  readonly at: YamlPath;
  readonly text: string;
}

/** What a reader who has never seen the file needs to know, by path. */
const explanations: Readonly<Record<string, string>> = {
  'spec.kubernetes': 'What kubeadm installs.',
  'spec.endpoint':
    'What clients dial: the balancer. An address, or a domain (with `addresses` when DNS does not know it).',
  'spec.balancer':
    'What is behind the endpoint. `hairpin: auto` measures what it does with a master that dials it.\nCopy the health check from its console: times are computed from it.',
  'spec.strategy':
    'How nodes reach the endpoint: auto, direct, bind-vip, hosts, keepalived-haproxy, keepalived-vip or steer.\n`auto` chooses by what is measured, and says why.',
  'spec.nodes': 'In the order in which they join; the first control-plane node runs `kubeadm init`.',
  'spec.ssh': "How to log in. OpenSSH's own configuration is honoured; each node may have its own `ssh`.",
  'spec.prepare': '`preinstalled`: kubelet, kubeadm and a container runtime are there. Or { bundle: ./bundle.tar }.',
};

/** Optional fields that are not there, as lines to uncomment. */
const suggestions: readonly { readonly at: YamlPath; readonly line: string }[] = [
  { at: ['spec', 'kubernetes', 'imageRepository'], line: 'imageRepository: registry.aliyuncs.com/google_containers' },
  { at: ['spec', 'kubernetes', 'cni'], line: 'cni: { manifest: ./cni.yaml }' },
];

const header = ` Written by \`hairpin init\`. Every field: docs/cluster-yaml.md. Next: hairpin plan -f this file.
 yaml-language-server: $schema=./schema/cluster.schema.json`;

/** The file as text, commented. Reading the text gives the same file again. */
export function printClusterFile(file: ClusterFile, remarks: readonly Remark[] = []): string {
  const document = new Document(file);
  document.commentBefore = header;
  for (const path of flowPaths(file)) setFlow(document.getIn(path, true));
  for (const [path, text] of Object.entries(explanations)) {
    if (document.hasIn(path.split('.'))) comment(document, path.split('.'), text);
  }
  for (const { at, text } of remarks) comment(document, aboveFlow(at), text);
  suggest(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Small mappings and lists are easier to read on one line. */
function flowPaths(file: ClusterFile): YamlPath[] {
  return [
    ['metadata'],
    ['spec', 'kubernetes', 'cni'],
    ['spec', 'kubernetes', 'podSubnet'],
    ['spec', 'kubernetes', 'serviceSubnet'],
    ['spec', 'endpoint'],
    ['spec', 'balancer', 'healthCheck'],
    ['spec', 'strategy'],
    ['spec', 'prepare'],
    ...file.spec.nodes.map((_, index) => ['spec', 'nodes', index]),
  ];
}

function setFlow(node: unknown): void {
  if (isMap(node) || isSeq(node)) node.flow = true;
}

/** A comment inside of a mapping on one line would break it up. */
function aboveFlow(path: YamlPath): YamlPath {
  return path.slice(0, path[1] === 'nodes' ? 3 : 2);
}

/** Above the key of a mapping, or above the item of a list; further comments go below those that are there. */
function comment(document: Document, path: YamlPath, text: string): void {
  const last = path.at(-1);
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  let target: unknown;
  if (isMap(parent)) target = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key;
  else if (isSeq(parent) && typeof last === 'number') target = parent.items[last];
  // What is not in the file (any more) is said at the top of it.
  const found = (target ?? document) as { commentBefore?: string | null };
  const about = target === undefined && path.length > 0 ? `${formatYamlPath(path)}: ` : '';
  const lines = `${about}${text}`.split('\n').map((line) => ` ${line}`);
  found.commentBefore = [...(found.commentBefore ? [found.commentBefore] : []), ...lines].join('\n');
}

function suggest(document: Document): void {
  for (const { at, line } of suggestions) {
    if (document.hasIn(at)) continue;
    const parent: unknown = document.getIn(at.slice(0, -1), true);
    if (!isMap(parent)) continue;
    const map: YAMLMap = parent;
    map.comment = [...(map.comment ? [map.comment] : []), ` ${line}`].join('\n');
  }
}
