import type { Live } from '../evidence.ts';
import { redactValue } from './redact.ts';

const format = 'hairpin-support/1';
export const evidenceName = 'evidence.json';

/**
 * The live half of the evidence as a support bundle keeps it: redacted, and without what a cluster.yaml may have that is
 * nobody's business: raw kubeadm documents, and how to log in.
 */
export function evidenceText(live: Live): string {
  const ssh = { ...live.spec.nodes[0]?.ssh, host: undefined, user: undefined, configFile: undefined };
  const bare = { ...ssh, identityFile: undefined, knownHostsFile: undefined, proxyJump: undefined };
  const spec = {
    ...live.spec,
    kubeadm: { documents: [] },
    nodes: live.spec.nodes.map((node) => ({ ...node, ssh: bare })),
  };
  const nodes = live.nodes.map((node) => ({ ...node, spec: { ...node.spec, ssh: bare } }));
  const kept = redactValue({ ...live, now: live.now.toISOString(), spec, nodes });
  return `${JSON.stringify({ format, live: kept }, undefined, 1)}\n`;
}

/** Reads it back; `undefined` for anything else. */
export function parseEvidence(text: string): Live | undefined {
  if (!text.includes(format)) return undefined;
  try {
    const read = JSON.parse(text) as { format?: string; live?: Live & { now: string } };
    return read.format === format && read.live !== undefined
      ? { ...read.live, now: new Date(read.live.now) }
      : undefined;
  } catch {
    return undefined;
  }
}
