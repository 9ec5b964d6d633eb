import * as z from 'zod';

/** The parts of `go mod edit -json` that a wrapper needs. */
export const goModSchema = z.object({
  Module: z.object({ Path: z.string() }),
  Go: z.string(),
  Godebug: z.array(z.object({ Key: z.string(), Value: z.string() })).nullish(),
  Require: z.array(z.object({ Path: z.string(), Version: z.string(), Indirect: z.boolean().optional() })).nullish(),
  Replace: z
    .array(
      z.object({
        Old: z.object({ Path: z.string(), Version: z.string().optional() }),
        New: z.object({ Path: z.string(), Version: z.string().optional() }),
      }),
    )
    .nullish(),
});
export type GoMod = z.infer<typeof goModSchema>;

/**
 * The go.mod of a module of ours that builds programs of `main`, which cannot be built by `go install` because its own
 * go.mod replaces other modules.
 *
 * Everything is required at the very version that `main` requires, so no choice is left to `go mod tidy` (which would
 * fetch the test dependencies of half of GitHub). A module that `main` replaces by a directory beside it
 * (k8s.io/api => ./staging/src/k8s.io/api, required as v0.0.0) is published under a version of its own: `beside` gives
 * that version, or `undefined` to take what is required.
 */
export function wrapperGoMod(
  name: string,
  main: GoMod,
  required: readonly { readonly path: string; readonly version: string }[],
  beside: string | undefined,
): string {
  const local = new Set((main.Replace ?? []).filter(({ New }) => isDirectory(New.Path)).map(({ Old }) => Old.Path));
  const requires = (main.Require ?? []).map(({ Path, Version }) => {
    return `\t${Path} ${local.has(Path) && beside !== undefined ? beside : Version}`;
  });
  const replaces = (main.Replace ?? []).flatMap(({ Old, New }) => {
    if (!isDirectory(New.Path)) return [`\t${spaced(Old)} => ${spaced(New)}`];
    return beside === undefined ? [] : [`\t${Old.Path} => ${Old.Path} ${beside}`];
  });
  return [
    `module ${name}`,
    '',
    `go ${main.Go}`,
    ...(main.Godebug ?? []).map(({ Key, Value }) => `\ngodebug ${Key}=${Value}`),
    '',
    ...block('require', [...required.map(({ path, version }) => `\t${path} ${version}`), ...requires]),
    ...block('replace', replaces),
  ].join('\n');
}

/** `v0.37.2` for Kubernetes `v1.37.2`: how its staging modules are published. */
export function stagingVersion(kubernetes: string): string {
  return kubernetes.replace(/^v1\./, 'v0.');
}

function isDirectory(path: string): boolean {
  return path.startsWith('./') || path.startsWith('../') || path.startsWith('/');
}

function spaced(module: { readonly Path: string; readonly Version?: string | undefined }): string {
  return module.Version === undefined ? module.Path : `${module.Path} ${module.Version}`;
}

function block(keyword: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${keyword} (`, ...lines, ')', ''];
}
