import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { expandRange } from '../../../src/spec/init/ini.ts';
import { nodesFromInventory } from '../../../src/spec/init/inventory.ts';
import { repoRoot } from '../../support/imports.ts';

const fixture = (name: string) =>
  nodesFromInventory(readFileSync(join(repoRoot, 'test/fixtures/inventory', name), 'utf8'), name);
const said = (text: string, file = 'hosts.ini') => {
  const result = nodesFromInventory(text, file);
  return result.ok ? [] : result.diagnostics.map(formatDiagnostic);
};

describe('nodesFromInventory()', () => {
  test('kubespray: `ip` is dialled by nodes, ansible_host by ssh; a master that is a worker too is a master', () => {
    const identityFile = '~/.ssh/lab key';
    expect(fixture('kubespray.ini')).toEqual({
      ok: true,
      nodes: [
        {
          name: 'node1',
          role: 'control-plane',
          address: '10.3.0.1',
          ssh: { host: '95.54.0.12', user: 'ubuntu', identityFile },
        },
        {
          name: 'node2',
          role: 'control-plane',
          address: '10.3.0.2',
          ssh: { host: '95.54.0.13', user: 'ubuntu', identityFile },
        },
        {
          name: 'node3',
          role: 'control-plane',
          address: '10.3.0.3',
          ssh: { host: '95.54.0.14', user: 'ubuntu', port: 2222, identityFile },
        },
        { name: 'node4', role: 'worker', address: ['10.3.0.4', 'fd00::4'], ssh: { host: '95.54.0.15', identityFile } },
      ],
      notes: ['masters from [kube_control_plane], workers from [kube_node] of kubespray.ini'],
    });
  });

  test('written by hand: bare addresses get names, upper case becomes lower case', () => {
    expect(fixture('by-hand.ini')).toEqual({
      ok: true,
      nodes: [
        { name: 'node-10-0-0-1', role: 'control-plane', address: '10.0.0.1' },
        { name: 'node-10-0-0-2', role: 'control-plane', address: '10.0.0.2' },
        { name: 'node-10-0-0-3', role: 'control-plane', address: '10.0.0.3' },
        { name: 'web-a.example', role: 'worker', address: '10.0.0.4' },
      ],
      notes: ['masters from [masters], workers from [workers] of by-hand.ini'],
    });
  });

  test('YAML: groups in groups, and the nearest variable wins', () => {
    expect(fixture('groups.yaml')).toEqual({
      ok: true,
      nodes: [
        { name: 'cp1', role: 'control-plane', address: '10.0.0.1', ssh: { user: 'ops' } },
        { name: 'cp2', role: 'control-plane', address: '10.0.0.2', ssh: { user: 'root' } },
        { name: 'n1', role: 'worker', address: '10.0.0.4', ssh: { user: 'ops' } },
        { name: 'n2', role: 'worker', address: '10.0.0.5', ssh: { user: 'ops', port: 2200 } },
      ],
      notes: ['masters from [control_plane], workers from [kube_node] of groups.yaml'],
    });
  });

  test.each([
    {
      name: 'no group of masters: says which groups there are',
      text: '[web]\na\n[db]\nb\n',
      says: [
        'hosts.ini:1:1  no group of masters was found; expected a group called kube_control_plane, kube-control-plane, control_plane or masters, with hosts in it   INVENTORY_NO_MASTERS\n    there are web, db',
      ],
    },
    {
      name: 'hosts without an address: each with its line',
      text: '[masters]\nm1 ansible_host=m1.example\n\nm2 ansible_host=10.0.0.2\nm3\n',
      says: [2, 5].map(
        (line) =>
          `hosts.ini:${line}:1  ${line === 2 ? 'm1' : 'm3'}: no address of ${line === 2 ? 'm1' : 'm3'} is known; expected an address in one of ip, access_ip, private_ip, internal_address, ansible_host, ansible_ssh_host   INVENTORY_NO_ADDRESS\n    names are not looked up: the address that nodes dial may be another one`,
      ),
    },
    {
      name: 'lines that are no inventory',
      text: '[masters\n[a:b]\n[all:vars]\nnothing\n',
      says: [
        'hosts.ini:1:1  `[masters` is no section; expected [GROUP], [GROUP:vars] or [GROUP:children]   INVENTORY_SYNTAX',
        'hosts.ini:2:1  `:b` is no kind of section; expected :vars or :children   INVENTORY_SYNTAX',
        'hosts.ini:4:1  `nothing` is no variable; expected NAME=VALUE   INVENTORY_SYNTAX',
      ],
    },
    {
      name: 'groups that contain each other end somewhere',
      text: '[masters:children]\na\n[a:children]\nmasters\n',
      says: [
        'hosts.ini:1:1  no group of masters was found; expected a group called kube_control_plane, kube-control-plane, control_plane or masters, with hosts in it   INVENTORY_NO_MASTERS\n    there are masters, a',
      ],
    },
  ])('$name', ({ text, says }) => {
    expect(said(text)).toEqual(says);
  });

  test('YAML that is none says where', () => {
    expect(said('all:\n  hosts: [\n', 'hosts.yml')[0]).toMatch(/^hosts\.yml:3:1 .* YAML_SYNTAX$/);
  });
});

test.each([
  ['m1', ['m1']],
  ['m[1:3]', ['m1', 'm2', 'm3']],
  ['m[08:10].x', ['m08.x', 'm09.x', 'm10.x']],
  ['[a:c]', ['a', 'b', 'c']],
  ['r[1:2]n[1:2]', ['r1n1', 'r1n2', 'r2n1', 'r2n2']],
  ['m[1:5:2]', ['m1', 'm3', 'm5']],
  ['m[3:1]', []],
])('expandRange(%s)', (pattern, names) => {
  expect(expandRange(pattern)).toEqual(names);
});
