import type { Diagnostic } from '../../errors/diagnostic.ts';
import type { Inventory, InventoryGroup } from './inventory.ts';

type Section = { readonly name: string; readonly kind: 'hosts' | 'vars' | 'children' };

/**
 * Ansible's INI inventory. Lines before the first section belong to `ungrouped`; `host[01:03]` is a range; what follows
 * a host on its line are its variables.
 */
export function readIniInventory(text: string, file: string): { inventory: Inventory; problems: Diagnostic[] } {
  const groups = new Map<string, InventoryGroup>();
  const hosts = new Map<string, { line: number; vars: Record<string, string> }>();
  const problems: Diagnostic[] = [];
  const group = (name: string): InventoryGroup => {
    const found = groups.get(name) ?? { hosts: [], children: [], vars: {} };
    groups.set(name, found);
    return found;
  };
  let section: Section = { name: 'ungrouped', kind: 'hosts' };

  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const at = { file, line: index + 1, column: raw.length - raw.trimStart().length + 1, path: '' };
    const header = /^\[([^\]:]+)(?::(\w+))?\]\s*(?:[#;].*)?$/.exec(line);
    if (header !== null) {
      const kind = header[2] ?? 'hosts';
      if (kind === 'hosts' || kind === 'vars' || kind === 'children') section = { name: header[1] ?? '', kind };
      else
        problems.push({
          ...at,
          code: 'INVENTORY_SYNTAX',
          problem: `\`:${kind}\` is no kind of section`,
          expected: ':vars or :children',
        });
      group(section.name);
      continue;
    }
    if (line.startsWith('[')) {
      problems.push({
        ...at,
        code: 'INVENTORY_SYNTAX',
        problem: `\`${line}\` is no section`,
        expected: '[GROUP], [GROUP:vars] or [GROUP:children]',
      });
      continue;
    }
    if (section.kind === 'children') {
      group(section.name).children.push(line.split(/\s/)[0] ?? '');
      group(line.split(/\s/)[0] ?? '');
    } else if (section.kind === 'vars') {
      const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined)
        problems.push({
          ...at,
          code: 'INVENTORY_SYNTAX',
          problem: `\`${line}\` is no variable`,
          expected: 'NAME=VALUE',
        });
      else group(section.name).vars[key] = unquote(value);
    } else {
      const [pattern = '', ...rest] = words(line);
      const vars = Object.fromEntries(
        rest.map((word) => [word.split('=')[0] ?? '', unquote(word.slice(word.indexOf('=') + 1))]),
      );
      for (const name of expandRange(pattern)) {
        group(section.name).hosts.push(name);
        const known = hosts.get(name);
        hosts.set(name, { line: known?.line ?? index + 1, vars: { ...known?.vars, ...vars } });
      }
    }
  }
  return { inventory: { groups, hosts }, problems };
}

/** `node[01:03].example` → node01.example, node02.example, node03.example; letters too: `[a:c]`. */
export function expandRange(pattern: string): string[] {
  const match = /^(.*?)\[(\w+):(\w+)(?::(\d+))?\](.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = '', from = '', to = '', step = '1', after = ''] = match;
  const numeric = /^\d+$/.test(from) && /^\d+$/.test(to);
  const first = numeric ? Number(from) : from.charCodeAt(0);
  const last = numeric ? Number(to) : to.charCodeAt(0);
  const names: string[] = [];
  // A range of more than any cluster has is a typing mistake; Ansible would make all of them.
  for (let i = first; i <= last && names.length < 10_000; i += Math.max(1, Number(step))) {
    names.push(numeric ? String(i).padStart(from.length, '0') : String.fromCharCode(i));
  }
  return names.flatMap((name) => expandRange(`${before}${name}${after}`));
}

/** Words of a host's line, comments left out; quotes keep blanks together. */
function words(line: string): string[] {
  const withoutComment = line.replace(/\s#.*$/, '');
  return withoutComment.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
}

function unquote(value: string): string {
  return value.replace(/\s+#.*$/, '').replace(/^(["'])(.*)\1$/, '$2');
}
