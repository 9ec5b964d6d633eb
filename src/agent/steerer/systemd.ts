/** The descriptor of a socket that systemd handed to this process (sd_listen_fds(3)); `undefined` without one. */
export function inheritedSocket(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  const count = Number(env.LISTEN_FDS);
  return Number(env.LISTEN_PID) === pid && count >= 1 ? 3 : undefined;
}
