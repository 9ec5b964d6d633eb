import { alibabaClb } from './alibaba-clb.ts';
import { awsNlb, awsNlbPreserve } from './aws-nlb.ts';
import { azureIlb } from './azure-ilb.ts';
import { gcpInternal } from './gcp-internal.ts';
import { haproxy } from './haproxy.ts';
import { huaweiElb } from './huawei-elb.ts';
import { lvsDr, lvsNat } from './lvs.ts';
import type { Product } from './product.ts';
import { tencentClb } from './tencent-clb.ts';

/** The balancers that `--balancer` knows by name, in the order in which they are shown. */
export const products: readonly Product[] = [
  alibabaClb,
  azureIlb,
  awsNlb,
  awsNlbPreserve,
  tencentClb,
  huaweiElb,
  gcpInternal,
  lvsDr,
  lvsNat,
  haproxy,
];

export function findProduct(name: string): Product | undefined {
  return products.find((product) => product.name === name);
}
