import { agentUnits } from '../../render/agent/paths.ts';
import { steerTable } from '../../render/nftables/steer.ts';
import type { Question } from '../ask/question.ts';
import { askEach, type Check } from '../check.ts';

/** What the kernel does and not what the agent says: an element of `live` is there only while somebody renews it. */
export const steers: Question = {
  want: 'the agent runs and the kernel steers',
  script: `
table=$1; shift
for unit; do
  state=$(systemctl is-active -- "$unit"); [ "$state" = active ] || { echo "$unit is $state"; exit 1; }
done
for family in ip ip6; do
  nft list set "$family" "$table" live 2>/dev/null | grep -q expires && exit 0
done
echo 'steering has lapsed: connections go to the balancer'
exit 1
`,
  args: [steerTable, agentUnits.steerer, agentUnits.agent],
};

export const agentsSteer: Check = {
  name: 'agents-steer',
  title: 'the agent of each steered node is alive and steers',
  ask: async (cx) => {
    const { strategy } = cx.spec;
    if (cx.plan.strategy.name !== 'steer') {
      return { is: 'skip', reason: `strategy ${cx.plan.strategy.name} has no agent` };
    }
    const workers = cx.plan.strategy.behaviour === 'one-arm' || (strategy.name === 'steer' && strategy.workers);
    const nodes = cx.spec.nodes.filter(({ role }) => role === 'control-plane' || workers);
    return await askEach(cx, nodes, () => steers);
  },
};
