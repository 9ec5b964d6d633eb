import { type BackendStatus, type BalancerStatus, formatDuration } from '../../index.ts';

/** `lab balancer status` for people: how it is set, then one line a backend, then what happened last. */
export function formatBalancerStatus(status: BalancerStatus, now: number): string {
  const { healthCheck: check, backends, history } = status;
  const path = check.protocol === 'tcp' ? '' : ` ${check.path}`;
  const checks =
    `${check.protocol}${path} every ${formatDuration(check.intervalMs)}, timeout ${formatDuration(check.timeoutMs)}, ` +
    `in after ${check.rise}, out after ${check.fall}, from ${status.probeSources.join(', ')}`;
  const notes = [
    ...(status.power === 'off' ? ['the balancer is off: it swallows every packet'] : []),
    ...(status.checks === 'paused' ? ['health checks are paused'] : []),
    ...(status.failOpen ? ['no backend is healthy: new connections go to all of them'] : []),
    ...(!status.failOpen && backends.every((b) => !b.inRotation)
      ? ['no backend is healthy: new connections are refused']
      : []),
  ];
  return [
    `endpoint  ${status.endpoint.addresses.join(', ')} port ${status.endpoint.port}`,
    `behaves   ${status.behaviour} on a ${status.network} network, ${status.scheduling}`,
    `checks    ${checks}`,
    `ejected   ${ejected(status)}; when all are out, ${status.allDown === 'all' ? 'all are used' : 'refuse'}`,
    ...notes.map((note) => `note      ${note}`),
    '',
    ...table([
      ['backend', 'address', 'health', 'for', 'gets new', 'last check', 'connections', 'flows'],
      ...backends.map((b) => row(b, now)),
    ]),
    ...(history.length === 0 ? [] : ['', 'last changes']),
    ...history.slice(-5).map((t) => `  ${formatDuration(Math.max(0, now - t.at))} ago  ${t.backend} ${t.to}: ${t.why}`),
  ].join('\n');
}

function ejected(status: BalancerStatus): string {
  switch (status.ejectedFlows) {
    case 'keep':
      return 'flows of an ejected backend go on';
    case 'reset':
      return 'flows of an ejected backend are reset';
    case 'drain':
      return `flows of an ejected backend are reset after ${formatDuration(status.drainMs)}`;
  }
}

function row(b: BackendStatus, now: number): readonly string[] {
  const weight = b.weight === 1 ? '' : ` (weight ${b.weight})`;
  const check = b.lastCheck;
  return [
    b.name,
    b.addresses.map((a) => (a.includes(':') ? `[${a}]:${b.port}` : `${a}:${b.port}`)).join(' '),
    b.health,
    formatDuration(Math.max(0, now - b.since)),
    `${b.inRotation ? 'yes' : 'no'}${b.forced === undefined ? '' : ', by hand'}${weight}`,
    check === undefined ? '–' : `${check.passed ? 'passed' : (check.problem ?? 'failed')}, ${formatDuration(check.ms)}`,
    String(b.connections),
    String(b.flows),
  ];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)));
  return rows.map((r) => `  ${r.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
