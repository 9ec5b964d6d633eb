import { noPreset } from './cell.ts';
import { type BalancerNumbers, predict } from './predict.ts';
import { type ClientClass, clientClasses, type Variant, type VariantName, variants } from './variants.ts';

/** Cells that share a lab. */
export interface MatrixGroup {
  readonly variant: Variant;
  readonly preset: string;
  /** Absent where there is none. */
  readonly balancer: BalancerNumbers | undefined;
  readonly faults: readonly MatrixFault[];
}

export interface MatrixFault {
  readonly name: string;
  readonly forMs: number;
}

/** The product of the article: there every fault is tried. */
export const fullPreset = 'alibaba-clb';

/** Behind the others only what the balancer has a say in: `--full` asks for everything. */
const balancerFaults = ['apiserver-killed', 'apiserver-frozen', 'node-silent'];

/** Forms of steer that differ in who keeps it up, not in what the balancer does. */
const onlyBehindFull: readonly VariantName[] = ['steer-static', 'steer-no-agent'];

export const matrixPresets: readonly string[] = [fullPreset, 'azure-ilb', 'aws-nlb', 'gcp-internal', 'haproxy'];

export interface MatrixWanted {
  /** Scenarios that this tier can do, in the order in which they are shown. */
  readonly faults: readonly string[];
  readonly balancer: (preset: string) => BalancerNumbers | undefined;
  readonly full: boolean;
  readonly only: readonly string[];
}

/** Pure: all cells, the steady state of each group first. A pattern of `only` is `STRATEGY[@PRESET][,FAULT]`, `*` for any. */
export function planMatrix({ faults, balancer, full, only }: MatrixWanted): readonly MatrixGroup[] {
  const wanted = only.map(parseOnly);
  const groups = variants.flatMap((variant) =>
    (variant.balancer ? matrixPresets : [noPreset]).map((preset): MatrixGroup => {
      const numbers = preset === noPreset ? undefined : balancer(preset);
      const possible = faults.filter((fault) => {
        if (isOwnFault(fault)) return variant.ownFaults.includes(fault) && (full || isFullHere(preset));
        if (preset === noPreset && (fault === 'balancer-down' || fault === 'second-fault')) return false;
        if (full || isFullHere(preset)) return true;
        return balancerFaults.includes(fault) && !onlyBehindFull.includes(variant.name);
      });
      const chosen = possible.filter(
        (fault) => wanted.length === 0 || wanted.some((pattern) => fits(pattern, variant.name, preset, fault)),
      );
      const named = chosen.map((name): MatrixFault => ({ name, forMs: lengthOf(variant, numbers, name) }));
      return {
        variant,
        preset,
        balancer: numbers,
        faults: named.length === 0 ? [] : [{ name: 'nothing', forMs: 3000 }, ...named],
      };
    }),
  );
  return groups.filter((group) => group.faults.length > 0);
}

export function cellsOf(groups: readonly MatrixGroup[]): number {
  return groups.reduce((sum, group) => sum + group.faults.length, 0);
}

function isFullHere(preset: string): boolean {
  return preset === fullPreset || preset === noPreset;
}

function isOwnFault(fault: string): boolean {
  return /^(?:agent|haproxy|keepalived)-/.test(fault);
}

interface Pattern {
  readonly variant: string;
  readonly preset: string;
  readonly fault: string;
}

function parseOnly(text: string): Pattern {
  const [who = '*', fault = '*'] = text.split(',');
  const [variant = '*', preset = '*'] = who.split('@');
  return { variant, preset, fault };
}

function fits(pattern: Pattern, variant: string, preset: string, fault: string): boolean {
  const same = (wanted: string, is: string) => wanted === '' || wanted === '*' || wanted === is;
  return same(pattern.variant, variant) && same(pattern.preset, preset) && same(pattern.fault, fault);
}

/** Long enough to see the slowest class recover, where that is before the fault is healed; else long enough to see that it is not. */
function lengthOf(variant: Variant, balancer: BalancerNumbers | undefined, fault: string): number {
  const times = clientClasses.flatMap((client: ClientClass) => {
    if (fault === 'node-silent' && client.startsWith('own')) return [];
    const predicted = predict(variant.name, balancer, fault, client)?.allGoodMs ?? 'until-healed';
    return [predicted === 'until-healed' ? 8000 : predicted + 3000];
  });
  const least = fault === 'second-fault' ? 14_000 : fault.startsWith('agent-') ? 9000 : 6000;
  return Math.min(120_000, Math.max(least, ...times));
}
