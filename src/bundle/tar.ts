/** The two halves of ustar that a bundle needs: plain files, owned by root, without times. Pure. */
export const blockSize = 512;

export interface TarEntry {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
}

export function tarHeader({ name, size, mode }: TarEntry): Uint8Array {
  const block = Buffer.alloc(blockSize);
  const [prefix, rest] = splitName(name);
  block.write(rest, 0, 'utf8');
  octal(block, mode, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, size, 124, 12);
  octal(block, 0, 136, 12);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345, 'utf8');
  block.write(`${sumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Zeros that fill the last block of a member of this size. */
export function tarPadding(size: number): Uint8Array {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

export const tarEnd: Uint8Array = Buffer.alloc(2 * blockSize);

/** `'end'` for a block of zeros; `undefined` for what is no header of a plain file. */
export function parseTarHeader(bytes: Uint8Array): TarEntry | 'end' | undefined {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (block.every((byte) => byte === 0)) return 'end';
  const field = (at: number, length: number) =>
    block
      .subarray(at, at + length)
      .toString('utf8')
      .replace(/\0[\s\S]*$/, '');
  const sum = Number.parseInt(field(148, 8), 8);
  const blank = Buffer.from(block);
  blank.write('        ', 148);
  if (sum !== sumOf(blank) || !['0', ''].includes(field(156, 1))) return undefined;
  const prefix = field(345, 155);
  const name = field(0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: Number.parseInt(field(124, 12), 8),
    mode: Number.parseInt(field(100, 8), 8),
  };
}

function splitName(name: string): readonly [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest];
  }
  throw new RangeError(`${name} is too long for a tar archive`);
}

function octal(block: Buffer, value: number, at: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

function sumOf(block: Uint8Array): number {
  return block.reduce((sum, byte) => sum + byte, 0);
}
