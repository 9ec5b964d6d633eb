/** What the last question to the local apiserver came to. `at` is monotonic milliseconds. */
export type Seen =
  | { readonly is: 'never' }
  /** /readyz said so. */
  | { readonly is: 'ready' | 'not-ready'; readonly at: number }
  /** 401 or 403: it lives, and may not tell us whether it is ready. `prober`: what the node's prober thinks of it. */
  | { readonly is: 'alive'; readonly at: number; readonly prober: 'ready' | 'not-ready' | undefined }
  /** No answer; `why` in words. */
  | { readonly is: 'silent'; readonly why: string; readonly at: number };

export interface Verdict {
  readonly ready: boolean;
  /** For whoever reads the answer: what was seen, and how long ago. */
  readonly because: string;
}

/** An answer older than this is no answer: the mirror itself was held up, or the apiserver hangs. */
export const staleAfterMs = 4000;

/** Whether a balancer may send connections here. Pure. */
export function verdictOf(seen: Seen, drained: boolean, now: number): Verdict {
  if (drained) return { ready: false, because: 'this node is drained' };
  if (seen.is === 'never') return { ready: false, because: 'the apiserver has not answered yet' };
  const age = now - seen.at;
  const ago = `${Math.max(0, Math.round(age))} ms ago`;
  if (seen.is === 'silent') return { ready: false, because: `${seen.why}, ${ago}` };
  if (age > staleAfterMs) return { ready: false, because: `the last answer of the apiserver was ${ago}` };
  switch (seen.is) {
    case 'ready':
      return { ready: true, because: `/readyz of the apiserver said yes, ${ago}` };
    case 'not-ready':
      return { ready: false, because: `/readyz of the apiserver said no, ${ago}` };
    case 'alive':
      if (seen.prober === 'not-ready') return { ready: false, because: `the agent says not ready, ${ago}` };
      return {
        ready: true,
        because: `the apiserver answers, ${seen.prober === undefined ? 'and wants a certificate for /readyz' : 'and the agent says ready'}, ${ago}`,
      };
  }
}
