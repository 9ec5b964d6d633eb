import { z } from 'zod';

/** As Node.js calls machines. */
export const archs = ['x64', 'arm64'] as const;
export type Arch = (typeof archs)[number];

/** What uname says, as Node.js calls it. */
export const archOfMachine: Readonly<Record<string, Arch>> = { x86_64: 'x64', aarch64: 'arm64' };

const measured = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().positive() });

const builtProgram = z.strictObject({
  arch: z.enum(archs),
  executable: measured,
  /** A tar in gzip: `hairpin`, `lib/…`, `SHA256SUMS`. */
  archive: measured,
  /** Libraries in the archive that a minimal system may lack. */
  libraries: z.array(z.string()),
});

/** dist/program.json. */
const manifest = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/), programs: z.array(builtProgram) });

export type BuiltProgram = z.output<typeof builtProgram>;
export type Manifest = z.output<typeof manifest>;

/** `undefined` for what is no manifest: then the program is built anew. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = manifest.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
