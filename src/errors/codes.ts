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
  LAB_ALREADY_THERE: 'a lab of this name is there already',
  LAB_COMMAND_FAILED: "one of the commands that make or change a lab's network failed",
  LAB_FAULT: 'a fault cannot be injected or healed there',
  LAB_NAME_UNKNOWN: 'there is no lab, node, process or fault of this name',
  LAB_NOT_SWEPT: 'something of a lab could not be removed',
  LAB_STOPPED: 'the lab was taken down while it was being brought up',
  LAB_CONTROL: 'a daemon of the lab refused what was asked',
  LAB_DAEMON_DOWN: 'a daemon of the lab (balancer, DNS, stand-in) does not answer',
  NODE_AUTH: "the node's ssh does not let the user log in",
  NODE_CONNECTION_LOST: 'the connection to a node broke while a command ran; it may have taken effect',
  NODE_DISK_FULL: "a file could not be written because the node's disk is full",
  NODE_FILE: 'a file on a node could not be read or written',
  NODE_HOST_KEY: "the node's ssh host key is not known, or not the known one",
  NODE_READ_ONLY: 'something tried to change a node in a run that promises not to',
  NODE_SSH_CONFIG: 'there is no usable ssh program or ssh configuration on this machine',
  NODE_SUDO: 'the user who logs in cannot become root on the node',
  NODE_TIMEOUT: 'a command on a node did not end in time',
  NODE_UNREACHABLE: 'the node does not answer by ssh',
  NO_SPACE: 'a file system is too full for what was asked',
  TOOL_FAILED: 'a program that this machine has did not do its work',
  TOOL_MISSING: 'a program that is needed is not installed',
  USAGE: 'the command line could not be understood',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;
