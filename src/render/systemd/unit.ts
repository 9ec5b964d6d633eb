/** The header of every file that we write, so that whoever finds it knows whose it is. */
export const writtenBy = 'Written by hairpin; changes here are lost with the next `hairpin up`.';

export interface UnitOptions {
  readonly description: string;
  readonly after: readonly string[];
  readonly before: readonly string[];
  readonly wants: readonly string[];
  /** `Type=`, `ExecStart=` and so on, in this order. */
  readonly service: readonly string[];
}

/** A systemd service, started at boot. */
export function renderUnit(unit: UnitOptions): string {
  return [
    `# ${writtenBy}`,
    '[Unit]',
    `Description=${unit.description}`,
    ...list('Wants', unit.wants),
    ...list('After', unit.after),
    ...list('Before', unit.before),
    '',
    '[Service]',
    ...unit.service,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

function list(key: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`${key}=${values.join(' ')}`];
}

export function unitPath(unit: string): string {
  return `/etc/systemd/system/${unit}`;
}
