/** How often one apiserver is asked what. Milliseconds. */
export interface ProbeTiming {
  readonly pingMs: number;
  /** A PING that is out longer than this ends the connection, and a new one is dialled. */
  readonly giveUpMs: number;
  readonly readyzMs: number;
  /** Between /readyz until it has said yes twice in a row. */
  readonly readyzAgainMs: number;
  /** After this /readyz counts as a no. The kubelet's own probes of the apiserver wait 15 s; an operator would not. */
  readonly readyzTimeoutMs: number;
  /** For TCP and TLS together. */
  readonly dialTimeoutMs: number;
  /** First pause between dials; doubles up to `redialMaxMs`, with jitter. */
  readonly redialMs: number;
  readonly redialMaxMs: number;
}

/** design.md: "a PING every 100 ms", "/readyz each second". One apiserver sees 1 request a second from a master. */
export const masterTiming: ProbeTiming = {
  pingMs: 100,
  giveUpMs: 3000,
  readyzMs: 1000,
  readyzAgainMs: 1000,
  readyzTimeoutMs: 2000,
  dialTimeoutMs: 3000,
  redialMs: 20,
  redialMaxMs: 1000,
};

/**
 * For apiservers that take no connections of this master at present, and while all are well: they are asked at once when
 * that changes. Often enough that streams they have from earlier end 4 s after a silent loss: 0.3 s to the next PING, 3 s
 * of silence, 0.35 s of jitter.
 */
export const restingMasterTiming: ProbeTiming = { ...masterTiming, pingMs: 300, readyzMs: 3000 };

/**
 * Gentle, because there may be thousands: one apiserver sees 1 request in 15 s from a worker (1 in 8 s until it is
 * trusted) and a PING each second, and after its restart the workers' handshakes are spread over 15 s. Between these
 * PINGs every new connection of the node is an occasion for one (`steerer/fresh.ts`).
 */
export const workerTiming: ProbeTiming = {
  pingMs: 1000,
  giveUpMs: 3000,
  readyzMs: 15_000,
  readyzAgainMs: 8000,
  readyzTimeoutMs: 4000,
  dialTimeoutMs: 5000,
  redialMs: 100,
  redialMaxMs: 15_000,
};

/** One that is suspect must show soon whether it answers in time again; PINGs only. */
export const suspectWorkerTiming: ProbeTiming = { ...workerTiming, pingMs: 200 };
