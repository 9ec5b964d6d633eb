/**
 * Quotes one argument for POSIX sh. Words of harmless characters stay as they are so that printed commands can be read;
 * everything else goes into single quotes, the only quoting in which sh gives no character a meaning.
 * Throws `RangeError` for a NUL, which no argument can carry.
 */
export function quoteArg(arg: string): string {
  if (arg.includes('\0')) throw new RangeError('An argument cannot contain a NUL character');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(arg)) return arg;
  return `'${arg.replaceAll("'", `'\\''`)}'`;
}

/** One line of sh that runs `argv` exactly: what `ssh host` sends and what a log prints to be pasted. */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteArg).join(' ');
}
