import { describe, expect, test } from 'vitest';
import { findProduct, products } from '../../../src/balancer/products/index.ts';
import { type Product, type Stated, toBalancerConfig } from '../../../src/balancer/products/product.ts';

/** `2000`, or `3?` for a number that no source was found for. */
function shown({ value, source }: Stated<string | number | { readonly text: string }>): string {
  const text = typeof value === 'object' ? value.text : `${value}`;
  return source === undefined ? `${text}?` : text;
}

function row(p: Product): string {
  const { protocol, intervalMs, timeoutMs, rise, fall } = p.check;
  const check = [protocol, intervalMs, timeoutMs, rise, fall].map(shown).join(' ');
  const rest = [p.frontEnd, p.behaviour, p.probeSource, p.ejectedFlows, p.allDown, p.idleMs].map(shown).join(' ');
  return `${p.name} ${p.network} | ${check} | ${rest}`;
}

describe('the product table', () => {
  test('says what facts/load-balancers.md says, and marks what is assumed', () => {
    expect(products.map(row)).toEqual([
      'alibaba-clb routed | tcp 2000 5000 3? 3? | address drop 100.64.0.10 keep? refuse? 900000',
      'azure-ilb routed | https 5000 5000? 1? 2? | address drop 168.63.129.16 keep refuse? 240000',
      'aws-nlb routed | tcp 30000 10000 5 2 | domain works balancer? reset all 350000',
      'aws-nlb-preserve routed | tcp 30000 10000 5 2 | domain drop balancer? reset all 350000',
      'tencent-clb routed | tcp 5000 2000 3 3 | address drop 100.64.0.10 keep? all 900000?',
      'huawei-elb routed | tcp 5000? 3000? 3? 3? | address drop balancer keep? refuse? 300000?',
      'gcp-internal routed | https 5000 5000 2 2 | address local 35.191.0.10 keep all? 600000',
      'lvs-dr segment | tcp? 6000? 3000? 1? 2? | address local balancer? keep? refuse? 900000?',
      'lvs-nat segment | tcp? 6000? 3000? 1? 2? | address one-arm balancer? keep? refuse? 900000?',
      'haproxy routed | https 2000 2000? 2 3 | address proxy balancer keep refuse 35000?',
    ]);
  });

  test('every value has a source or the grounds on which it was assumed, never both', () => {
    const stated = products.flatMap((p) =>
      [...Object.values(p), ...Object.values(p.check)].filter(
        (value): value is Stated<unknown> => typeof value === 'object' && 'value' in value,
      ),
    );
    expect(stated.length).toBe(products.length * 13);
    expect(stated.filter((s) => (s.source === undefined) === (s.assumed === undefined))).toEqual([]);
    expect(stated.filter((s) => (s.source ?? s.assumed ?? '').length < 8)).toEqual([]);
  });

  test('findProduct() finds by name only', () => {
    expect([findProduct('lvs-dr')?.title, findProduct('lvs')]).toEqual([
      'Linux Virtual Server, direct routing',
      undefined,
    ]);
  });

  test('toBalancerConfig() is what the lab builds', () => {
    expect(products.filter((p) => p.name === 'tencent-clb').map(toBalancerConfig)).toEqual([
      {
        behaviour: 'drop',
        network: 'routed',
        terminateTls: false,
        scheduling: 'round-robin',
        healthCheck: { protocol: 'tcp', path: '/readyz', intervalMs: 5_000, timeoutMs: 2_000, rise: 3, fall: 3 },
        probeSource: { family: 4, text: '100.64.0.10' },
        ejectedFlows: 'keep',
        drainMs: 0,
        allDown: 'all',
        idleMs: 900_000,
      },
    ]);
  });
});
