import type { Component, Live, LogEntry } from './evidence.ts';
import type { LogContext } from './logs/context.ts';

/**
 * `certain`: what was seen has no other explanation. `likely`: it is nearly always this. `possible`: worth a look after
 * the others.
 */
export const confidences = ['certain', 'likely', 'possible'] as const;
export type Confidence = (typeof confidences)[number];

/** A line that some program writes when this is the cause. */
export interface Sign {
  /** Whose log; absent: anybody's. */
  readonly in?: readonly Component[];
  readonly match: RegExp;
  /** Asked after `match`, for lines that mean this at some addresses only. */
  readonly when?: (entry: LogEntry, found: RegExpExecArray, cx: LogContext) => boolean;
  readonly confidence: Confidence;
  /** A later line of the same log that takes it back: what was waited for has come. */
  readonly unless?: RegExp;
  /** How many such lines it takes; 1 when absent. */
  readonly atLeast?: number;
  /** Lines of ten seconds count once, and each log is counted by itself: it must happen again and again in one place. */
  readonly again?: true;
  /** A line as it was seen, whole. Tests hold that `match` finds it and that no other cause is named before this one. */
  readonly example: string;
  /** Where the example was seen or read. */
  readonly seenIn: string;
}

/** Something on live nodes that speaks for a cause. */
export interface Sighting {
  /** Undefined: it is about the cluster. */
  readonly node: string | undefined;
  readonly confidence: Confidence;
  /** What was seen, in one line. */
  readonly saw: string;
}

/** A reason for which a control plane does not come up or does not stay up. Pure: evidence in, sightings out. */
export interface Cause {
  /** Stable: scripts match it, `hairpin doctor explain` takes it. */
  readonly id: string;
  /** What is wrong, as a clause. */
  readonly title: string;
  /** What the live judgement rests on, for the list in docs/doctor.md. */
  readonly needs: readonly ('facts' | 'dials' | 'look' | 'checks' | 'logs')[];
  /** One line: why the symptoms come from it. `{endpoint}` and `{nodes}` are filled in. */
  readonly why: string;
  /** The paragraph behind it, for `doctor explain` and the docs. */
  readonly explanation: string;
  /** The command to run next; `{endpoint}`, `{node}` and `{nodes}` are filled in. */
  readonly run: string;
  readonly signs: readonly Sign[];
  readonly judge?: (live: Live) => readonly Sighting[];
  /** Live nodes are asked and believed; their logs may be old, and only add to what was seen. */
  readonly logsAloneAreOld?: boolean;
  /** It has causes of its own: not named for a node of which a more telling one is. */
  readonly general?: boolean;
  /**
   * How it is known to be named: `real` from the words of real programs that failed so (test/wire, captured runs),
   * `scenario` by a rehearsal that is written (test/support/doctor-scenarios.ts) and was not seen to pass yet, `recorded`
   * from facts written by hand only.
   */
  readonly produced: 'real' | 'scenario' | 'recorded';
}
