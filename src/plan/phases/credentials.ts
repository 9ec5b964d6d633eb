import { credentialCommands, credentialsConfigPath } from '../../render/kubeadm/commands.ts';
import { credentialDocuments } from '../../render/kubeadm/documents.ts';
import { renderDocuments } from '../../render/kubeadm/yaml.ts';
import type { Phase } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';

/** A token and uploaded certificates for nodes that join a cluster that exists; a fresh one got them from init. */
export const credentials: Phase = {
  name: 'credentials',
  summary: 'make a join token and upload the certificates',
  plan({ spec, cluster, steps, documents }) {
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
