import * as z from 'zod';

/** Raised when an older `hairpin up` could not use what a newer `bundle create` makes. */
export const bundleFormat = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().nonnegative();
/** Names of members go into commands on nodes and onto their file systems, so nothing may lead elsewhere. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+~%-]*$/);
const nodePath = z
  .string()
  .regex(/^(\/[A-Za-z0-9._+@-]+)+$/)
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'));

const manifestSchema = z.strictObject({
  format: z.literal(bundleFormat),
  /** `v1.37.2` */
  version: z.string(),
  /** As Go and Debian call it: `amd64`. */
  arch: z.string(),
  /** The Debian or Ubuntu release that `packages` are of: `bookworm`. */
  suite: z.string(),
  madeBy: z.string(),
  /** What is copied to the node, by the path it gets there; owner is root. */
  files: z.array(z.strictObject({ path: nodePath, mode: z.int().min(0).max(0o777), size, sha256 })),
  /** docker-archive files below `images/`. */
  images: z.array(z.strictObject({ ref: z.string(), file: fileName, size, sha256 })),
  /** Debian packages below `packages/`: installed where they are missing, never over another version. */
  packages: z.array(z.strictObject({ name: fileName, version: z.string(), file: fileName, size, sha256 })),
  /** Programs that files and packages bring, for strategies that need one. */
  tools: z.array(z.string()),
});
export type BundleManifest = z.infer<typeof manifestSchema>;

/** `undefined` for a text that is no manifest of a bundle that this program can use. */
export function parseManifest(text: string): BundleManifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export interface BundleMember {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly mode: number;
}

/** What is in the archive after the manifest and the checksums, in this order. */
export function membersOf(manifest: BundleManifest): readonly BundleMember[] {
  return [
    ...manifest.files.map(({ path, ...rest }) => ({ ...rest, name: `files${path}` })),
    ...manifest.packages.map((p) => ({ name: `packages/${p.file}`, size: p.size, sha256: p.sha256, mode: 0o644 })),
    ...manifest.images.map((i) => ({ name: `images/${i.file}`, size: i.size, sha256: i.sha256, mode: 0o644 })),
  ];
}

/** As `sha256sum -c` reads it, which every node has. */
export function checksumsOf(manifest: BundleManifest): string {
  return membersOf(manifest)
    .map(({ name, sha256: sum }) => `${sum}  ${name}\n`)
    .join('');
}
