import type { Source } from './source.ts';

export function releaseSite(env: NodeJS.ProcessEnv = process.env): string {
  return env.HAIRPIN_RELEASE_SITE ?? 'https://dl.k8s.io';
}

export async function releaseSource(_opts: { site: string; signal: AbortSignal }): Promise<Source | undefined> {
  return undefined;
}
