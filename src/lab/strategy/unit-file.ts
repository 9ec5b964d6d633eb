/** What the lab understands of a unit that `render` wrote: enough to start it the way systemd does. */
export interface UnitFile {
  readonly user: string;
  readonly group: string;
  /** Names without `CAP_`; `undefined`: all of root's. */
  readonly capabilities: readonly string[] | undefined;
  readonly environment: readonly string[];
  readonly nice: number;
  /** Below /run and /var/lib, owned by the unit's user. */
  readonly runtimeDirectory: { readonly name: string; readonly mode: string } | undefined;
  readonly stateDirectory: { readonly name: string; readonly mode: string } | undefined;
  /** `oneshot` units have done their work when they end. */
  readonly type: string;
  readonly execStartPre: readonly (readonly string[])[];
  readonly execStart: readonly string[];
  readonly execStop: readonly (readonly string[])[];
  /** Of a socket unit: where it listens. */
  readonly listenStream: string | undefined;
}

/** Pure. Words are what blanks separate; of quoting our own units use double quotes around a whole word. */
export function parseUnit(text: string): UnitFile {
  const lines = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at <= 0 || /^[#;[]/.test(line) ? [] : [{ key: line.slice(0, at), value: line.slice(at + 1).trim() }];
  });
  const all = (key: string) => lines.flatMap((line) => (line.key === key ? [line.value] : []));
  const one = (key: string) => all(key).at(-1);
  const words = (value: string) =>
    [...value.matchAll(/"([^"]*)"|(\S+)/g)]
      .map(([, quoted, bare]) => quoted ?? bare ?? '')
      .filter((word) => word !== '');
  const directory = (key: string) => {
    const name = one(key);
    return name === undefined ? undefined : { name, mode: one(`${key}Mode`) ?? '0755' };
  };
  const user = one('User') ?? 'root';
  const bounding = one('CapabilityBoundingSet');
  return {
    user,
    group: one('Group') ?? user,
    capabilities:
      bounding === undefined ? undefined : words(bounding).map((name) => name.replace(/^CAP_/, '').toLowerCase()),
    environment: all('Environment').flatMap(words),
    nice: Number(one('Nice') ?? 0),
    runtimeDirectory: directory('RuntimeDirectory'),
    stateDirectory: directory('StateDirectory'),
    type: one('Type') ?? 'simple',
    execStartPre: all('ExecStartPre').map(words),
    execStart: words(one('ExecStart') ?? ''),
    execStop: [...all('ExecStop'), ...all('ExecStopPost')].map(words),
    listenStream: one('ListenStream'),
  };
}
