/**
 * What a drill writes down, one JSON object a line. Every `…At` and `at` is in milliseconds of CLOCK_MONOTONIC of the
 * machine that runs the drill (history/clock.ts), with three decimals: wall clocks may jump while a node is broken.
 */
export type DrillRecord =
  | Attempt
  | WatchOpened
  | WatchEvent
  | WatchEnded
  | Operation
  | StreamLine
  | Mark
  | Holding
  | NodeReady
  | Leader
  | EngineReport;

/** How a request ended; anything but `ok` is a failure. `http` carries the status, `broken` what the system said. */
export type Outcome =
  | { readonly is: 'ok' }
  | { readonly is: 'refused' }
  | { readonly is: 'unreachable' }
  | { readonly is: 'timeout'; readonly during: 'connect' | 'tls' | 'answer' }
  | { readonly is: 'reset' }
  | { readonly is: 'closed' }
  | { readonly is: 'http'; readonly status: number }
  | { readonly is: 'broken'; readonly why: string };

/** One request: over a new TLS connection, or over one that is kept. */
export interface Attempt {
  readonly is: 'attempt';
  readonly client: string;
  readonly over: 'new' | 'kept';
  /** When it was due. A judge looks at this one: what starts late because something blocked is part of the outage. */
  readonly scheduledAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** Who answered, where it said so; for a kept connection also who was asked in vain. */
  readonly server?: string;
}

/** `stream` counts the connections of one watcher: 0 is its first, and every resumption is the next. */
export interface WatchOpened {
  readonly is: 'watch-opened';
  readonly client: string;
  readonly watcher: number;
  readonly stream: number;
  readonly at: number;
  readonly server: string;
  /** The version that it goes on from: that of the list before a watcher's first stream, else of the last event. */
  readonly since?: number;
}

export interface WatchEvent {
  readonly is: 'watch-event';
  readonly client: string;
  readonly watcher: number;
  readonly stream: number;
  readonly at: number;
  readonly version: number;
}

export interface WatchEnded {
  readonly is: 'watch-ended';
  readonly client: string;
  readonly watcher: number;
  readonly stream: number;
  readonly at: number;
  /** `stopped`: by us, because the traffic ended. `expired`: its version is too old to go on from, the watcher has to list. */
  readonly how: 'reset' | 'closed' | 'stopped' | 'refused' | 'timeout' | 'expired' | 'broken';
}

/**
 * One operation on a register (values are written whole, each value once) or on a set (elements are added, each once).
 * `unknown`: it may or may not have taken effect, now or later.
 */
export interface Operation {
  readonly is: 'operation';
  readonly client: string;
  readonly object: string;
  readonly does:
    | { readonly op: 'write'; readonly value: string }
    | { readonly op: 'read'; readonly value?: string }
    | { readonly op: 'add'; readonly element: string }
    | { readonly op: 'list'; readonly elements?: readonly string[] };
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result: 'ok' | 'failed' | 'unknown';
  /** The resource version that an acknowledged change was given: a watch has to show it. */
  readonly version?: number;
}

/** A pod's log, followed. `stream` counts the connections: 0 is the first, each resumption the next. */
export interface StreamLine {
  readonly is: 'stream';
  readonly client: string;
  readonly stream: number;
  readonly at: number;
  readonly what: 'opened' | 'tick' | 'ended';
  /** Of a tick: the pod counts its lines. */
  readonly tick?: number;
  /** Of an opened one: who serves it. */
  readonly server?: string;
  /** Of an ended one, as of a watch. */
  readonly how?: WatchEnded['how'];
}

/** What was done to the cluster and when. `fault` is when it is in force, not when it was asked for. */
export interface Mark {
  readonly is: 'mark';
  readonly at: number;
  readonly what: 'begin' | 'inject' | 'fault' | 'heal' | 'healed' | 'end' | 'note';
  readonly text: string;
}

/** A node was seen to have, or not to have, an address (of a VIP) on one of its interfaces. */
export interface Holding {
  readonly is: 'holding';
  readonly at: number;
  readonly node: string;
  readonly address: string;
  readonly holds: boolean;
}

export interface NodeReady {
  readonly is: 'node-ready';
  readonly at: number;
  readonly node: string;
  readonly ready: boolean;
}

/** Who was seen to hold a lease, or to lead etcd. */
export interface Leader {
  readonly is: 'leader';
  readonly at: number;
  readonly of: string;
  readonly holder: string;
}

/** What a traffic process says about itself at its end: whether the experiment was as planned. */
export interface EngineReport {
  readonly is: 'engine';
  readonly client: string;
  readonly at: number;
  readonly forMs: number;
  /** New connections that should have been started and that were. */
  readonly planned: number;
  readonly started: number;
  /** How much later than due the attempts started, in milliseconds. */
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Processor time of the process since it began its traffic. */
  readonly cpuMs: number;
}
