/**
 * Every error code an operator can meet. A code never changes once released: scripts match it, and
 * docs/errors.md (generated) has a line for each. Keep the list sorted; the text says what it means in general.
 */
export const errorCodes = {
  BAD_SPEC: 'a file that a person wrote cannot be used as it is',
  INTERNAL: 'a defect in hairpin itself',
  INTERRUPTED: 'stopped by Ctrl-C or SIGTERM; what was under way was finished or undone',
  USAGE: 'the command line could not be understood',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;
