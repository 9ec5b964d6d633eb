import { closest } from '../../std/closest.ts';
import type { Rule } from './rule.ts';

export const balancerProduct: Rule = {
  name: 'balancer-product',
  holds: '`balancer.product` is a product that hairpin knows',
  codes: ['SPEC_PRODUCT_UNKNOWN'],
  reads: ['balancer', 'strategy'],
  check({ spec, products }) {
    const product = spec.balancer?.product;
    const known = Object.keys(products);
    if (product === undefined || known.includes(product)) return [];
    const meant = closest(product, known);
    return [
      {
        at: ['spec', 'balancer', 'product'],
        code: 'SPEC_PRODUCT_UNKNOWN',
        problem: `\`${product}\` is not known`,
        expected: `one of ${known.join(', ')}`,
        hint: meant === undefined ? 'leave it out and write `healthCheck` yourself' : `did you mean \`${meant}\`?`,
      },
    ];
  },
};
