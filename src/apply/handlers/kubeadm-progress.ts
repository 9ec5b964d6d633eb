/** Phases of `kubeadm init` in their order, as they stand in brackets at the start of its lines. */
export const initPhases: readonly string[] = [
  'preflight',
  'certs',
  'kubeconfig',
  'etcd',
  'control-plane',
  'kubelet-start',
  'wait-control-plane',
  'kubelet-check',
  'control-plane-check',
  'api-check',
  'upload-config',
  'kubelet',
  'upload-certs',
  'mark-control-plane',
  'bootstrap-token',
  'kubelet-finalize',
  'addons',
];

const masterPhases: readonly string[] = [
  'preflight',
  'download-certs',
  'certs',
  'kubeconfig',
  'control-plane',
  'check-etcd',
  'kubelet-start',
  'kubelet-check',
  'etcd',
  'upload-config',
  'mark-control-plane',
  'control-plane-check',
];

export function joinPhases(role: 'control-plane' | 'worker'): readonly string[] {
  return role === 'control-plane' ? masterPhases : ['preflight', 'kubelet-start', 'kubelet-check'];
}

/**
 * Turns kubeadm's lines into progress: the phase it is in, and how many of `phases` are behind it. Only lines that start
 * with a phase in brackets count, which keeps the join commands at its end (they hold the token) out.
 */
export function kubeadmProgress(
  phases: readonly string[],
  progress: (detail: string, done?: number, total?: number) => void,
): (stream: 'stdout' | 'stderr', line: string) => void {
  let furthest = 0;
  return (stream, line) => {
    const match = /^\[([a-z-]+)\] (.+)$/.exec(line.trim());
    if (stream !== 'stdout' || match === null) return;
    const [, phase = '', text = ''] = match;
    furthest = Math.max(furthest, phases.indexOf(phase));
    progress(`${phase}: ${text.length > 60 ? `${text.slice(0, 59)}…` : text}`, furthest, phases.length);
  };
}
