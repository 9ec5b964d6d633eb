/**
 * Every error code an operator can meet. A code never changes once released: scripts match it, and
 * docs/errors.md (generated) has a line for each. Keep the list sorted; the text says what it means in general.
 */
export const errorCodes = {
  ARTEFACT_BUILD_FAILED: 'a Kubernetes binary or image could not be made from its source',
  ARTEFACT_CORRUPT: 'a binary or image is not what its checksum says',
  ARTEFACT_NO_SOURCE: 'no source has a binary that the lab needs',
  BAD_SPEC: 'a file that a person wrote cannot be used as it is',
  BASE_BUILD_FAILED: 'the root file system of lab nodes could not be made',
  HOST_UNFIT: 'this machine cannot do what was asked, for the reasons given',
  INTERNAL: 'a defect in hairpin itself',
  INTERRUPTED: 'stopped by Ctrl-C or SIGTERM; what was under way was finished or undone',
  KUBERNETES_VERSION_UNKNOWN: 'no source has this Kubernetes version',
  NO_SPACE: 'a file system is too full for what was asked',
  TOOL_FAILED: 'a program that this machine has did not do its work',
  TOOL_MISSING: 'a program that is needed is not installed',
  USAGE: 'the command line could not be understood',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;
