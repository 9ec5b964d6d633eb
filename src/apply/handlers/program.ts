import { OperatorError } from '../../errors/operator-error.ts';
import { versionDirectory } from '../../render/agent/launcher.ts';
import { agentPaths } from '../../render/agent/paths.ts';
import type { Handler } from '../handler.ts';
import { nodePaths } from '../on-node.ts';
import { sendProgram } from '../send-program.ts';

export const installProgram: Handler<'install-program'> = async (step, cx) => {
  if (cx.program.id !== step.program) {
    throw new OperatorError('PLAN_CHANGED', `The plan wants hairpin ${step.program}, and this is ${cx.program.id}`, {
      hint: 'the source changed meanwhile; run the same command again',
    });
  }
  const sent = await sendProgram({
    node: cx.node,
    program: cx.program,
    versions: agentPaths.versions,
    dir: versionDirectory(step.program),
    file: `${nodePaths.state}/program/${step.program}.tar.gz.part`,
    launcher: agentPaths.program,
    signal: cx.waiting,
    progress: cx.progress,
    before: () => cx.remember(),
  });
  return sent === 'there' ? 'was there already' : `${sent} MB sent`;
};
