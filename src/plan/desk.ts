import { createHash } from 'node:crypto';
import { hostsBlockOf, setHostsBlock } from '../render/hosts/block.ts';
import type { Address } from '../std/address.ts';
import type { NodeView } from './view.ts';

/**
 * What a node has, as seen and as changed by the steps planned so far. Lets one phase after the other ask "is this so
 * already?" without knowing what the others did.
 */
export class NodeDesk {
  readonly #view: NodeView;
  readonly #files = new Map<string, { readonly content: string; readonly mode: number } | 'gone'>();
  readonly #units = new Map<string, 'running' | 'gone'>();
  #hosts: readonly string[] | undefined;
  readonly #users = new Set<string>();
  readonly #programs = new Set<string>();
  #ca = false;

  constructor(view: NodeView) {
    this.#view = view;
  }

  hasFile(path: string, content: string, mode: number): boolean {
    const planned = this.#files.get(path);
    if (planned !== undefined) return planned !== 'gone' && planned.content === content && planned.mode === mode;
    const seen = this.#view.file(path);
    return seen !== undefined && Number.parseInt(seen.mode, 8) === mode && seen.sha256 === sha256(content);
  }

  exists(path: string): boolean {
    const planned = this.#files.get(path);
    return planned === undefined ? this.#view.file(path) !== undefined : planned !== 'gone';
  }

  wrote(path: string, file: { readonly content: string; readonly mode: number }): void {
    this.#files.set(path, file);
  }

  removed(path: string): void {
    this.#files.set(path, 'gone');
  }

  unit(name: string): 'running' | 'stopped' | 'absent' {
    const planned = this.#units.get(name);
    if (planned !== undefined) return planned === 'gone' ? 'absent' : 'running';
    const seen = this.#view.unit(name);
    if (seen === undefined) return 'absent';
    return seen.active === 'active' && seen.enabled === 'enabled' ? 'running' : 'stopped';
  }

  /** The steps planned so far start it. */
  isStarted(unit: string): boolean {
    return this.#units.get(unit) === 'running';
  }

  started(unit: string): void {
    this.#units.set(unit, 'running');
  }

  stopped(unit: string): void {
    this.#units.set(unit, 'gone');
  }

  /** True when /etc/hosts would not change if these were our lines. */
  hasHosts(lines: readonly string[]): boolean {
    if (this.#hosts !== undefined) return this.#hosts.join('\n') === lines.join('\n');
    const text = this.#view.hostsText();
    if (text === undefined) return lines.length === 0;
    return lines.length === 0 ? hostsBlockOf(text) === undefined : setHostsBlock(text, lines) === text;
  }

  setHosts(lines: readonly string[]): void {
    this.#hosts = lines;
  }

  hasUser(name: string): boolean {
    return (
      this.#users.has(name) ||
      (this.#view.facts?.program.is === 'known' && this.#view.facts.program.value.users.includes(name))
    );
  }

  madeUser(name: string): void {
    this.#users.add(name);
  }

  /** This version of hairpin's own program, whole. */
  hasProgram(id: string): boolean {
    return (
      this.#programs.has(id) ||
      (this.#view.facts?.program.is === 'known' && this.#view.facts.program.value.versions.includes(id))
    );
  }

  installedProgram(id: string): void {
    this.#programs.add(id);
  }

  /** The steps planned so far deliver the CA. */
  wroteCa(): boolean {
    return this.#ca;
  }

  deliveredCa(): void {
    this.#ca = true;
  }

  /** `undefined`: not known. What a unit will bring is not counted. */
  hasAddress(address: Address): boolean | undefined {
    return this.#view.hasAddress(address);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
