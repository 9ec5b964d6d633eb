import type { Probe } from '../probe.ts';
import type { HostsFile } from '../types.ts';

export const hosts: Probe<HostsFile> = {
  script: () => 'cat /etc/hosts',

  parse(text) {
    return {
      text,
      entries: text.split('\n').flatMap((line, index) => {
        const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
        return address === '' || names.length === 0 ? [] : [{ address, names, line: index + 1 }];
      }),
    };
  },
};
