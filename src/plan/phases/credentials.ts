import { credentialCommands, credentialsConfigPath, lastInitPhases } from '../../render/kubeadm/commands.ts';
import { credentialDocuments, initDocuments } from '../../render/kubeadm/documents.ts';
import { renderDocuments } from '../../render/kubeadm/yaml.ts';
import type { Spec } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import { atLeast } from '../../std/version.ts';
import { hasAddon } from '../addons.ts';
import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';
import { known } from '../view.ts';

/**
 * A token and uploaded certificates for nodes that join a cluster that exists; a fresh one got them from init. Where init
 * was killed after its apiserver ran, its last phases are repeated, which make the same (and everything else that is missing):
 * they may be repeated at any time.
 */
export const credentials: Phase = {
  name: 'credentials',
  summary: 'make a join token and upload the certificates',
  plan(cx) {
    const { spec, cluster, steps, documents } = cx;
    const missing = missingOfInit(cx);
    if (missing.length > 0) {
      const { uploadCertificates: upload } = documents;
      steps.add(cluster.leader.name, 'credentials', {
        kind: 'join-credentials',
        slug: slugs.credentials,
        configPath: credentialsConfigPath,
        config: renderDocuments(initDocuments(spec, cluster.leader, documents)),
        commands: lastInitPhases(spec.kubernetes.version, { upload, addons: addonsOf(spec) }),
        because: `init was killed before it made ${missing.join(', ')}; its last phases are repeated`,
        estimateMs: estimates.credentials * 3,
        undo: { is: 'nothing', because: 'it goes with the cluster' },
      });
    }
    markMasters(cx);
    if (missing.length > 0) return;
    const joining = cluster.places.filter(({ node, part }) => part !== 'leader' && cluster.state(node) !== 'member');
    if (!cluster.exists || joining.length === 0) return;
    const upload = documents.uploadCertificates && joining.some(({ part }) => part === 'follower');
    const { leader } = cluster;
    steps.add(leader.name, 'credentials', {
      kind: 'join-credentials',
      slug: slugs.credentials,
      configPath: credentialsConfigPath,
      config: renderDocuments(credentialDocuments(spec, leader, { ...documents, uploadCertificates: upload })),
      commands: credentialCommands(spec.kubernetes.version, upload),
      because: 'the ones of the run that made this cluster are gone, as they should',
      estimateMs: estimates.credentials,
      undo: { is: 'nothing', because: 'they expire by themselves' },
    });
  },
};

function addonsOf(spec: Spec): readonly ('coredns' | 'kube-proxy')[] {
  return (['coredns', 'kube-proxy'] as const).filter((addon) => hasAddon(spec, addon));
}

/** In the order in which init makes them. Empty where the apiserver did not answer: what is not known is not missing. */
function missingOfInit({ spec, cluster, view }: PlanContext): readonly string[] {
  const api = known(view.node(cluster.leader.name).facts?.api);
  if (!cluster.exists || api === undefined) return [];
  const names = new Set(api.workloads.map(({ name }) => name.split('/').at(-1)));
  return [
    ...(api.configMaps.includes('kubeadm-config') ? [] : ['kubeadm-config']),
    ...addonsOf(spec).filter((addon) => !names.has(addon)),
  ];
}

/** Joining masters are labelled and tainted last of all; one whose join was killed before that is a worker to everybody. */
function markMasters({ spec, cluster, steps, view }: PlanContext): void {
  const api = known(view.node(cluster.leader.name).facts?.api);
  const role = atLeast(spec.kubernetes.version, 1, 24) ? 'control-plane' : 'master';
  for (const { node, part } of cluster.places) {
    const seen = api?.nodes.find((candidate) => candidate.name === node.name);
    if (part !== 'follower' || cluster.state(node) !== 'member' || seen === undefined || seen.controlPlane) continue;
    const server = `https://${formatHostPort(cluster.leader.address, spec.apiServerPort)}`;
    const kubectl = [
      'kubectl',
      '--kubeconfig',
      '/etc/kubernetes/admin.conf',
      '--server',
      server,
      '--cache-dir=/dev/null',
    ];
    const labels = [`node-role.kubernetes.io/${role}=`, 'node.kubernetes.io/exclude-from-external-load-balancers='];
    for (const [slug, args] of [
      ['label', ['label', '--overwrite', 'node', node.name, ...labels]],
      ['taint', ['taint', '--overwrite', 'node', node.name, `node-role.kubernetes.io/${role}=:NoSchedule`]],
    ] as const) {
      steps.add(cluster.leader.name, 'credentials', {
        kind: 'run',
        slug: `${slug}-${node.name}`,
        argv: [...kubectl, ...args],
        stdin: undefined,
        timeoutMs: 30_000,
        okExitCodes: [0],
        because: `the join of ${node.name} was killed before it marked the node as a master`,
      });
    }
  }
}
