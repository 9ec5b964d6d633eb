/** Short enough that every name made of it fits, and free of what a path, a namespace or a shell would trip over. */
export const labNamePattern = /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/;

/** After the lab's name: the fabric, the balancer of a segment, a machine, or the pod on a machine. */
const netnsPattern = /^hp-(.+)-(?:fabric|lb|[mwc]\d+(?:-pod)?)$/;

export const netnsName = (lab: string, member: string): string => `hp-${lab}-${member}`;

export const netnsPath = (netns: string): string => `/run/netns/${netns}`;

/**
 * The lab that a namespace belongs to, `undefined` for one that is not a lab's. There is one answer for each name,
 * whatever labs are called: `hp-a-m1-pod` is lab `a`'s, because no member is called just `pod`.
 */
export function labOfNetns(netns: string): string | undefined {
  return netnsPattern.exec(netns)?.[1];
}
