/** The agent's user on machines of the wire tier, which have no useradd. Nobody on a usual machine has this number. */
export const proberId = 65_533;
