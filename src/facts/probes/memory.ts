import { lines, type Probe } from '../probe.ts';
import type { Memory, SwapArea } from '../types.ts';

export const swap: Probe<readonly SwapArea[]> = {
  script: () => 'cat /proc/swaps',

  parse(text) {
    return lines(text)
      .slice(1)
      .map((line) => {
        const [device = '', , kibibytes] = line.split(/\s+/);
        return { device: device.replaceAll('\\040', ' '), bytes: Number(kibibytes) * 1024 };
      });
  },
};

export const memory: Probe<Memory> = {
  script: () => 'cat /proc/meminfo',

  parse(text) {
    const of = (name: string) => {
      const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
      if (match === null) throw new SyntaxError(`no ${name} in /proc/meminfo`);
      return Number(match[1]) * 1024;
    };
    return { totalBytes: of('MemTotal'), availableBytes: of('MemAvailable') };
  },
};
