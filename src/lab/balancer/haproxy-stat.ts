/** One server line of haproxy's `show stat`. */
export interface ServerStat {
  readonly backend: string;
  readonly server: string;
  /** `UP`, `DOWN`, `MAINT`, also `UP 1/2` and `DOWN 1/2` while it is changing its mind. */
  readonly status: string;
  readonly connections: number;
  readonly flows: number;
  /** `L4OK`, `L7TOUT`, …; empty before the first check. */
  readonly check: string;
  readonly checkMs: number;
}

/** Reads the CSV of `show stat`. Lines of frontends and of whole backends are left out. */
export function parseShowStat(csv: string): readonly ServerStat[] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const columns = header.replace(/^# /, '').split(',');
  return lines
    .map((line) => {
      const values = line.split(',');
      return (column: string) => values[columns.indexOf(column)] ?? '';
    })
    .filter((get) => !['FRONTEND', 'BACKEND', ''].includes(get('svname')))
    .map((get) => ({
      backend: get('pxname'),
      server: get('svname'),
      status: get('status'),
      connections: Number(get('stot')),
      flows: Number(get('scur')),
      check: get('check_status').replace(/^\* /, ''),
      checkMs: Number(get('check_duration')),
    }));
}
