import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

export const repoRoot = normalize(join(import.meta.dirname, '../..'));

export interface SourceFile {
  /** Relative to the repository: `src/plan/plan.ts`. */
  readonly path: string;
  /** `plan` for src/plan/…; the file's own name for files directly in src. */
  readonly room: string;
  readonly text: string;
  /** Specifiers as written; relative ones as paths from the repository's root. Type-only imports are left out. */
  readonly imports: readonly string[];
}

/** Every TypeScript file below `dir`, with what it imports at run time. */
export function sourceFiles(dir = 'src'): readonly SourceFile[] {
  return readdirSync(join(repoRoot, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(repoRoot, join(entry.parentPath, entry.name)))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(repoRoot, path), 'utf8');
      return { path, room: path.split('/')[1] ?? path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found].map((match) => {
    const specifier = match[1] ?? match[2] ?? '';
    return specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier;
  });
}
