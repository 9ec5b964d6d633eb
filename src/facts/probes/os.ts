import { lines, type Probe, sections } from '../probe.ts';
import type { Os } from '../types.ts';

export const os: Probe<Os> = {
  script: () => `
echo @release
cat /etc/os-release || cat /usr/lib/os-release || :
echo
echo @machine
uname -m; uname -n; nproc
if [ -d /run/systemd/system ]; then echo systemd; else echo other; fi`,

  parse(text) {
    const [release, machine] = sections(text);
    const values = new Map(
      lines(release?.body ?? '').flatMap((line): [string, string][] => {
        const match = /^([A-Z_]+)=(.*)$/.exec(line);
        return match?.[1] === undefined ? [] : [[match[1], unquote(match[2] ?? '')]];
      }),
    );
    const [arch, hostname, cpus, init] = lines(machine?.body ?? '');
    if (arch === undefined || hostname === undefined) throw new SyntaxError('uname gave nothing');
    return {
      id: values.get('ID') ?? 'linux',
      idLike: (values.get('ID_LIKE') ?? '').split(' ').filter((id) => id !== ''),
      versionId: values.get('VERSION_ID'),
      prettyName: values.get('PRETTY_NAME') ?? 'Linux',
      machine: arch,
      hostname,
      cpus: Number(cpus ?? 1),
      systemd: init === 'systemd',
    };
  },
};

function unquote(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}
