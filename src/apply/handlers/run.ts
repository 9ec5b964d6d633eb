import { type Handler, mustEndWell } from '../handler.ts';

export const run: Handler<'run'> = async (step, cx) => {
  const result = await cx.change(step.argv, {
    timeout: step.timeoutMs,
    ...(step.stdin === undefined ? {} : { stdin: cx.secrets.resolve(step.stdin) }),
    onLine: (_stream, line) => {
      if (line.trim() !== '') cx.progress(line.trim());
    },
  });
  mustEndWell(result, step.argv[0] ?? 'command', step.okExitCodes);
  return undefined;
};
