import { tokenDescription } from '../../render/kubeadm/documents.ts';
import type { Phase } from '../context.ts';
import { slugs } from '../ids.ts';
import { known } from '../view.ts';

/** Deletes what only joining needed. After a failure nobody comes here; then the token expires after an hour. */
export const finish: Phase = {
  name: 'finish',
  summary: 'delete the join token and the uploaded certificates',
  plan({ cluster, steps, view }) {
    const leader = cluster.leader.name;
    const made = [`${leader}/${slugs.init}`, `${leader}/${slugs.credentials}`].some((id) => steps.has(id));
    const left = cluster.masters.some((node) => (known(view.node(node.name).facts?.api)?.joinTokens ?? 0) > 0);
    if (!made && !left) return;
    const joins = cluster.places.map(({ node }) => `${node.name}/${slugs.join}`).filter((id) => steps.has(id));
    steps.add(leader, 'finish', {
      kind: 'delete-credentials',
      slug: 'delete-credentials',
      tokenDescription,
      because: made
        ? 'whoever has the token can add a node'
        : 'a run was killed before it could; whoever has the token can add a node',
      alsoNeeds: joins,
      undo: { is: 'nothing', because: 'the next run makes new ones' },
    });
  },
};
