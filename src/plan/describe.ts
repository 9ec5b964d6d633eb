import { formatHostPort } from '../std/address.ts';
import { formatDuration } from '../std/duration.ts';
import type { BalancerAdvice, EffectiveEndpoint, Hop, Plan, PlanWarning, Route } from './plan.ts';
import { isEmpty } from './plan.ts';
import type { Step } from './step.ts';
import { stepTitle } from './step-title.ts';

/** The plan as a person reads it. Tables are as wide as `columns` at most: reasons are cut short, nothing wraps. */
export function describePlan(plan: Plan, opts: { readonly columns: number }): string {
  const sections = [
    headline(plan),
    plan.blockers.length === 0 ? undefined : blockersText(plan),
    endpointsTable(plan, opts.columns),
    stepsTable(plan, opts.columns),
    warningsText(plan.warnings),
    plan.balancer === undefined ? undefined : balancerText(plan.balancer),
    footer(plan),
  ];
  return `${sections.filter((section) => section !== undefined && section !== '').join('\n\n')}\n`;
}

function headline(plan: Plan): string {
  const { controlPlane, workers } = plan.nodes;
  const { name, because, behaviour, behaviourFrom, doesNotSurvive } = plan.strategy;
  const known =
    behaviour === undefined
      ? 'balancer not measured'
      : `${behaviourFrom === 'measured' ? 'measured' : 'spec says'}: ${behaviour}`;
  return [
    `${plan.cluster}: ${count(controlPlane.length, 'master')}, ${count(workers.length, 'worker')}, Kubernetes ${plan.kubernetes}, strategy ${name} (${known})`,
    `  endpoint ${formatHostPort(plan.endpoint.host, plan.endpoint.port)}`,
    `  why ${name}: ${because}`,
    `  does not survive: ${doesNotSurvive}`,
  ].join('\n');
}

function blockersText(plan: Plan): string {
  const lines = plan.blockers.flatMap(({ code, problem, hint }) => [
    `  ${problem}   ${code}`,
    ...(hint === undefined ? [] : [`      ${hint}`]),
  ]);
  return [`cannot be carried out: ${count(plan.blockers.length, 'problem')}`, ...lines].join('\n');
}

/** Clients of one node whose connections go the same ways share a line; so do nodes that look the same. */
function endpointsTable(plan: Plan, columns: number): string {
  if (plan.effectiveEndpoints.length === 0) return '';
  const rows = groupNodes(groupClients(plan.effectiveEndpoints)).map(({ nodes, line }) => [
    `${nodeNames(nodes)} ${line.clients.map((name) => name.replace(/^kube-(controller|scheduler)/, '$1')).join(', ')}`.trim(),
    ...line.cells,
  ]);
  const header = ['who dials what', 'before init', 'after init', 'after all joined'];
  return table([header, ...rows], columns);
}

interface ClientLine {
  readonly node: string;
  readonly clients: readonly string[];
  readonly cells: readonly string[];
}

function groupClients(endpoints: readonly EffectiveEndpoint[]): readonly ClientLine[] {
  const lines = new Map<string, { node: string; clients: string[]; cells: readonly string[] }>();
  for (const { node = '', client, beforeInit, afterInit, afterAllJoined } of endpoints) {
    const cells = [beforeInit, afterInit, afterAllJoined].map(routeText);
    const key = [node, ...cells].join('\n');
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { node, clients: [client], cells });
    else line.clients.push(client);
  }
  return [...lines.values()];
}

function groupNodes(lines: readonly ClientLine[]): readonly { nodes: readonly string[]; line: ClientLine }[] {
  const groups = new Map<string, { nodes: string[]; line: ClientLine }>();
  for (const line of lines) {
    const key = [...line.clients, '', ...line.cells].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { nodes: [line.node], line });
    else group.nodes.push(line.node);
  }
  return [...groups.values()];
}

/** `m1`, `m1, m2, m3`, or for many `w1 … w5000 (5000)`. */
function nodeNames(nodes: readonly string[]): string {
  if (nodes.length <= 3) return nodes.join(', ');
  return `${nodes[0]} … ${nodes.at(-1)} (${nodes.length})`;
}

/** `self → m2, m3 → balancer`; `–` for a client that does not run. */
export function routeText(route: Route): string {
  return route.length === 0 ? '–' : route.map(hopText).join(' → ');
}

function hopText(hop: Hop): string {
  switch (hop.to) {
    case 'self':
      return hop.address === undefined ? 'self' : `${hop.address.text} (self)`;
    case 'nodes':
      return nodeNames(hop.nodes);
    case 'balancer':
      return 'balancer';
    case 'own-haproxy':
      return 'own haproxy → ready masters';
    case 'vip-holder':
      return 'holder of the VIP → ready masters';
    case 'service':
      return 'service kubernetes → ready masters';
  }
}

/** Per node its steps with their numbers in the plan; nodes with the same steps are shown once. */
function stepsTable(plan: Plan, columns: number): string {
  if (plan.steps.length === 0) return '';
  const inOrder = [...plan.nodes.controlPlane, ...plan.nodes.workers];
  const byNode = new Map<string, { readonly step: Step; readonly number: number }[]>(inOrder.map((node) => [node, []]));
  for (const [index, step] of plan.steps.entries()) {
    const list = byNode.get(step.node) ?? [];
    list.push({ step, number: index + 1 });
    byNode.set(step.node, list);
  }
  const groups = new Map<string, { readonly nodes: string[]; readonly rows: readonly (readonly string[])[] }>();
  for (const [node, entries] of byNode) {
    if (entries.length === 0) continue;
    const rows = entries.map(({ step, number }) => [String(number), stepTitle(step), reason(step)]);
    const key = rows.map(([, title, because]) => `${title}\n${because}`).join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { nodes: [node], rows });
    else group.nodes.push(node);
  }
  const rows = [...groups.values()].flatMap(({ nodes, rows: own }) =>
    own.map((row, i) => [i === 0 ? nodeNames(nodes) : '', ...row]),
  );
  return table(rows, columns, [2]);
}

function reason(step: Step): string {
  const elsewhere = step.needs.filter((id) => !id.startsWith(`${step.node}/`));
  if (elsewhere.length === 0) return step.because;
  const after = elsewhere.length > 2 ? `${elsewhere.length} steps elsewhere` : elsewhere.join(' and ');
  return `${step.because} · after ${after}`;
}

function warningsText(warnings: readonly PlanWarning[]): string {
  return warnings.map(({ is, text, code }) => `${is === 'loss' ? 'LOSS' : is}: ${text}   ${code}`).join('\n');
}

function balancerText({
  listener,
  backends,
  healthCheck,
  detectionMs,
  idleTimeoutAtLeastMs,
  notes,
}: BalancerAdvice): string {
  const { protocol, port, path, intervalMs, timeoutMs, rise, fall } = healthCheck;
  const check = `${protocol} :${port}${path === undefined ? '' : ` ${path}`}, every ${formatDuration(intervalMs)}, timeout ${formatDuration(timeoutMs)}, in after ${rise}, out after ${fall} (a dead master gets connections for up to ${formatDuration(detectionMs)})`;
  return [
    'the balancer should be set to',
    `  listener  ${listener.protocol} :${listener.port}`,
    `  backends  ${backends.map((b) => formatHostPort(b.address, b.port)).join(', ')}`,
    `  check     ${check}`,
    `  idle      at least ${formatDuration(idleTimeoutAtLeastMs)}; watches are silent for 30 s at a time`,
    ...notes.map((note) => `  note      ${note}`),
  ].join('\n');
}

function footer(plan: Plan): string {
  const { blockers, steps } = plan;
  if (blockers.length > 0) return `${count(blockers.length, 'problem')}. Nothing has been changed.`;
  if (isEmpty(plan)) return 'Nothing to do: the nodes are as the spec wants them.';
  const nodes = new Set(steps.map((step) => step.node)).size;
  return `${count(steps.length, 'step')} on ${count(nodes, 'node')}, about ${formatDuration(plan.estimateMs)}. Nothing has been changed.`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Left-aligned columns, two spaces between, two before; the last column is cut where the line would be too long. */
function table(rows: readonly (readonly string[])[], columns: number, rightAligned: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => lettersOf(row[i] ?? '').length)));
  return rows
    .map((row) => {
      const line = row
        .map((cell, i) => {
          const pad = ' '.repeat((widths[i] ?? 0) - lettersOf(cell).length);
          return rightAligned.includes(i + 1) ? pad + cell : cell + pad;
        })
        .join('  ');
      return cut(`  ${line}`.trimEnd(), columns);
    })
    .join('\n');
}

function cut(line: string, columns: number): string {
  const letters = lettersOf(line);
  return letters.length <= columns ? line : `${letters.slice(0, Math.max(1, columns - 1)).join('')}…`;
}

/** One per column of a terminal, for the letters that plans are made of (arrows and dashes are one each). */
function lettersOf(text: string): readonly string[] {
  return Array.from(text);
}
