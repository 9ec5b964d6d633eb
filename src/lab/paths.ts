import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the lab keeps things. `HAIRPIN_STATE` (default /var/lib/hairpin) holds labs and snapshots and must be on a file
 * system that overlay accepts as an upper layer; `HAIRPIN_CACHE` (default $XDG_CACHE_HOME/hairpin or ~/.cache/hairpin)
 * holds what can be made again: artefacts, the base image, build directories.
 */
export function stateDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.HAIRPIN_STATE ?? '/var/lib/hairpin';
}

export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.HAIRPIN_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hairpin');
}

/** Files of one lab, all below `labs/NAME`. */
export function labPaths(name: string, env: NodeJS.ProcessEnv = process.env) {
  const root = join(labsDir(env), name);
  return {
    root,
    /** Written before anything is made, so that `down` knows what to look for: LabState as JSON. */
    state: join(root, 'lab.json'),
    lock: join(root, 'lock'),
    clusterYaml: join(root, 'cluster.yaml'),
    sshConfig: join(root, 'ssh_config'),
    knownHosts: join(root, 'known_hosts'),
    keys: join(root, 'keys'),
    pki: join(root, 'pki'),
    logs: join(root, 'logs'),
    /** One file a daemon: its pid and start time. */
    daemons: join(root, 'daemons'),
    /** One file a fault that is in force, with what heals it. */
    faults: join(root, 'faults'),
    balancerSocket: join(root, 'balancer.sock'),
    dns: join(root, 'dns'),
    node: (machine: string) => join(root, 'nodes', machine),
  };
}

export function labsDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(stateDir(env), 'labs');
}

export function snapshotDir(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(stateDir(env), 'snapshots', name);
}
