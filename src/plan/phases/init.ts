import { kubeadmApiFor } from '../../render/kubeadm/api.ts';
import { initCommand, initConfigPath } from '../../render/kubeadm/commands.ts';
import { dialsOf } from '../../render/kubeadm/dials.ts';
import { initDocuments } from '../../render/kubeadm/documents.ts';
import { renderDocuments } from '../../render/kubeadm/yaml.ts';
import type { Phase } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';
import { planWanted } from '../reach.ts';

/** Makes the first master. The endpoint leads to it before (configure), because most kubeadms dial it during init. */
export const init: Phase = {
  name: 'init',
  summary: 'kubeadm init on the leader',
  plan(cx) {
    const { spec, cluster, documents } = cx;
    if (cluster.exists) return;
    const { leader } = cluster;
    const { version } = spec.kubernetes;
    const dials = dialsOf(version, documents.featureGates.ControlPlaneKubeletLocalMode);
    const what =
      dials.kubeadmInit === 'local'
        ? `this kubeadm talks to the master itself during init; kube-proxy and admin.conf dial the endpoint afterwards`
        : dials.masterKubelet === 'local'
          ? 'upload-config dials the endpoint in this version'
          : 'the kubelet and kubeadm dial the endpoint in this version';
    cx.steps.add(leader.name, 'init', {
      kind: 'kubeadm-init',
      slug: slugs.init,
      configPath: initConfigPath,
      config: renderDocuments(initDocuments(spec, leader, documents)),
      argv: initCommand(version, documents.uploadCertificates),
      joinsPrepared: true,
      because: `${kubeadmApiFor(version, spec.kubeadm.documents)}; ${what}`,
      estimateMs: estimates.kubeadmInit,
      undo: { is: 'kubeadm-reset' },
    });
    const place = cluster.places.find(({ part }) => part === 'leader');
    if (place !== undefined) planWanted(cx, place, 'after', { phase: 'init' });
  },
};
