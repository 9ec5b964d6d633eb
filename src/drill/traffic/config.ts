/** What one traffic process does, from inside one client's network. Its only argument, as JSON. */
export interface TrafficConfig {
  /** The client class, as it is written into every record: `m1`, `pod on w1`, `outside`. */
  readonly client: string;
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that signed the apiservers; without it certificates are not verified. */
  readonly caFile?: string;
  /** The name that certificates are verified for, where that is not `host`. */
  readonly serverName?: string;
  /** Sent as `Authorization: Bearer …` with watches and operations. A file, because argv can be read by others. */
  readonly tokenFile?: string;
  /** How servers are told apart: by the lab's header, or by the SHA-256 of the certificate (real apiservers). */
  readonly servers: 'header' | Readonly<Record<string, string>>;
  /** New connections, open loop. */
  readonly connections?: { readonly perSecond: number; readonly patienceMs: number; readonly path: string };
  /** Connections that are kept, one request each `everyMs`. */
  readonly kept?: {
    readonly count: number;
    readonly everyMs: number;
    readonly patienceMs: number;
    readonly path: string;
  };
  readonly watches?: {
    readonly count: number;
    readonly path: string;
    /** A watch whose connection says nothing for so long is given up, as client-go's PING does after 30 + 15 s; none: never. */
    readonly silentMs?: number;
  };
  readonly operations?: {
    readonly perSecond: number;
    readonly patienceMs: number;
    /** The collection of config maps that the register and the set live in: `/api/v1/namespaces/…/configmaps`. */
    readonly path: string;
    readonly register: string;
    readonly set: string;
  };
  /** A pod's log that is followed; a line of it is `tick N`, counting from 0. */
  readonly stream?: { readonly path: string };
  /** What the cluster says about itself, asked one after the other each `everyMs`. */
  readonly samples?: {
    readonly everyMs: number;
    readonly patienceMs: number;
    /** Node and lease by name: `/api/v1/nodes/m1`. */
    readonly nodes: Readonly<Record<string, string>>;
    readonly leases: Readonly<Record<string, string>>;
  };
  /** A file that records are written to as well: with it, a stream that breaks does not end the traffic. */
  readonly spool?: string;
}

/** What a traffic process is told on its standard input, one JSON object a line; end of input is `stop`. */
export type TrafficRequest =
  | { readonly op: 'clock'; readonly id: number }
  /** Begin: all clients are ready, and none is slowed by another's start. */
  | { readonly op: 'go' }
  | { readonly op: 'stop' };

/** What it says besides records. */
export type TrafficReply =
  | { readonly is: 'clock'; readonly id: number; readonly at: number }
  | { readonly is: 'ready'; readonly at: number };
