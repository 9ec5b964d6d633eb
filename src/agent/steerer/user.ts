import type { RunTool } from './run-tool.ts';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user of this machine, wherever it is kept; `undefined` when there is none. */
export async function findUser(name: string, run: RunTool): Promise<SystemUser | undefined> {
  const { code, stdout } = await run(['getent', 'passwd', name]);
  const [, , uid, gid] = stdout.trim().split(':');
  const found = { uid: Number(uid), gid: Number(gid) };
  return code === 0 && Number.isInteger(found.uid) && Number.isInteger(found.gid) ? found : undefined;
}
