import { z } from 'zod';
import { type Address, type Cidr, parseAddress, parseCidr } from '../std/address.ts';
import { parseDuration } from '../std/duration.ts';
import { parseVersion } from '../std/version.ts';
import { wants } from './explain-issue.ts';

/** The kinds of value that files of ours are made of. Each says what it wants, so that no message has to be written twice. */

const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => dnsLabel.test(label));
}

/** Text that `parse` turns into a value; `hint` may say what was probably meant. */
export function text<T>(
  words: string,
  parse: (written: string) => T | undefined,
  hint: (written: string) => string | undefined = () => undefined,
) {
  const schema = z.string().transform((written, cx) => {
    const value = parse(written);
    if (value !== undefined) return value;
    const shown = written === '' ? 'empty text' : `\`${written.length > 60 ? `${written.slice(0, 57)}…` : written}\``;
    cx.addIssue({
      code: 'custom',
      message: `${shown} cannot be used`,
      params: { expected: words, hint: hint(written) },
    });
    return z.NEVER;
  });
  return wants(schema, words);
}

export const label = text('lower-case letters, digits and dashes, at most 63, such as prod', (written) =>
  dnsLabel.test(written) ? written : undefined,
);

export const nodeName = text(
  "a host name in lower case, such as m1: it becomes the node's name in Kubernetes",
  (written) => (isDnsName(written) ? written : undefined),
  (written) => (isDnsName(written.toLowerCase()) ? `did you mean \`${written.toLowerCase()}\`?` : undefined),
);

export const domainName = text(
  'a domain name in lower case, such as api.prod.example',
  (written) => (isDnsName(written) && parseAddress(written) === undefined ? written : undefined),
  (written) =>
    parseAddress(written) === undefined ? schemeHint(written) : 'an address goes into `address`, not into `domain`',
);

export const ipAddress = text(
  'an IP address such as 10.0.0.4 or fd00::4',
  parseAddress,
  (written) =>
    schemeHint(written) ?? (isDnsName(written) && /[a-z]/.test(written) ? 'names are not addresses' : undefined),
);

export const network = text('a network such as 10.244.0.0/16 or fd00:244::/56', parseCidr);

/** One or two, of different families: a scalar, a comma list as kubeadm writes it, or a YAML list. */
export const networks = oneOrTwo(
  'one network such as 10.244.0.0/16, or one IPv4 and one IPv6',
  network,
  (net: Cidr) => net.base.family,
);

export const ipAddresses = oneOrTwo(
  'an IP address such as 10.0.0.4, or one IPv4 and one IPv6',
  ipAddress,
  (a: Address) => a.family,
);

export const kubernetesVersion = text('a version such as v1.37.2', parseVersion, (written) =>
  /^v?\d+\.\d+$/.test(written) ? 'the patch number is part of it' : undefined,
);

/** Milliseconds. */
export const duration = text(
  'a duration such as 2s, 500ms or 1m',
  (written) => ((parseDuration(written) ?? 0) > 0 ? parseDuration(written) : undefined),
  (written) => (/^\d+$/.test(written) ? `did you mean \`${written}s\`?` : undefined),
);

export const port = wants(z.int().min(1).max(65_535), 'a port from 1 to 65535');

export const path = text('a path, relative to this file or absolute', (written) =>
  written.trim() === '' || written.includes('\0') ? undefined : written,
);

export const word = text('text without blanks', (written) => (/^\S+$/.test(written) ? written : undefined));

export const interfaceName = text('an interface name such as eth0, at most 15 letters', (written) =>
  /^[^\s/:]{1,15}$/.test(written) && written !== '.' && written !== '..' ? written : undefined,
);

export const imageRepository = text(
  'an image repository such as registry.k8s.io or 10.0.0.9:5000/k8s',
  (written) => (/^[a-z0-9[][\w.:[\]-]*(\/[\w.-]+)*$/i.test(written) ? written : undefined),
  schemeHint,
);

function oneOrTwo<S extends z.ZodType, T extends z.output<S>>(words: string, item: S, family: (value: T) => 4 | 6) {
  const list = z.union([z.string(), z.array(z.string()).min(1).max(2)]).transform((written, cx): T[] => {
    const parts = typeof written === 'string' ? written.split(',').map((part) => part.trim()) : written;
    const values = parts.flatMap((part, index): T[] => {
      const parsed = item.safeParse(part);
      if (parsed.success) return [parsed.data as T];
      for (const issue of parsed.error.issues) {
        const params = issue.code === 'custom' ? issue.params : undefined;
        cx.addIssue({ code: 'custom', message: issue.message, params, path: Array.isArray(written) ? [index] : [] });
      }
      return [];
    });
    const [first, second, ...more] = values;
    if (values.length === parts.length && second !== undefined) {
      if (more.length > 0 || (first !== undefined && family(first) === family(second))) {
        cx.addIssue({
          code: 'custom',
          message: `${values.length} of them, ${more.length > 0 ? 'at most two' : 'both of one family'}`,
          params: { expected: words },
        });
      }
    }
    return values;
  });
  return wants(list, words);
}

function schemeHint(written: string): string | undefined {
  if (/^[a-z]+:\/\//.test(written)) return 'without a scheme';
  if (/^[^:]+:\d+$|^\[.+\]:\d+$/.test(written)) return 'the port has a field of its own';
  if (parseCidr(written) !== undefined) return 'without a prefix length';
  return undefined;
}
