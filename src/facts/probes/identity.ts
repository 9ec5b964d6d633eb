import { lines, type Probe } from '../probe.ts';
import type { Identity } from '../types.ts';

export const identity: Probe<Identity> = {
  script: () => `
for f in machine-id:/etc/machine-id product-uuid:/sys/class/dmi/id/product_uuid boot-id:/proc/sys/kernel/random/boot_id; do
  [ -r "\${f#*:}" ] && echo "\${f%%:*} $(cat "\${f#*:}")"
done
:`,

  parse(text) {
    const values = new Map(lines(text).map((line) => line.split(' ') as [string, string]));
    return {
      machineId: values.get('machine-id'),
      productUuid: values.get('product-uuid')?.toLowerCase(),
      bootId: values.get('boot-id'),
    };
  },
};
