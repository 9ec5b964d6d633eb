/** What the kernel maps by one entry of its page tables when the page cache happens to hold it in one piece. */
const hugePage = 2 * 1024 * 1024;

const loaded = 1;

/**
 * The same 64-bit little-endian ELF program with all but its first segment a page or a few later in the file. Node.js is linked
 * so that places in the file and in memory agree modulo 2 MiB; where the page cache holds the file in large pieces, the
 * kernel then maps 2 MiB for each byte that is touched, and an idle process of 42 MB is one of 77. With places that
 * disagree it maps 64 KiB at a time. Throws `SyntaxError` for anything else than such a program.
 */
export function withoutHugePages(elf: Uint8Array): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  // e_ident: magic, ELFCLASS64, ELFDATA2LSB (System V ABI, "ELF Header").
  if (elf.length < 64 || view.getUint32(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    throw new SyntaxError('Not a 64-bit little-endian ELF file');
  }
  const number = (at: number) => Number(view.getBigUint64(at, true));
  const headers = { at: number(32), size: view.getUint16(54, true), count: view.getUint16(56, true) };
  const sections = { at: number(40), size: view.getUint16(58, true), count: view.getUint16(60, true) };
  const segments = Array.from({ length: headers.count }, (_, i) => headers.at + i * headers.size);
  const loads = segments.filter((at) => view.getUint32(at, true) === loaded);
  const align = Math.max(...loads.map((at) => number(at + 48)));
  const [, second] = loads.map((at) => number(at + 8)).toSorted((a, b) => a - b);
  const later = loads.filter((at) => number(at + 8) >= (second ?? 0));
  // Some segments may be a page off already; they must not be moved into agreement.
  const by = [align, 2 * align, 3 * align, 4 * align].find((shift) =>
    later.every((at) => (number(at + 16) - number(at + 8) - shift) % hugePage !== 0),
  );
  if (second === undefined || second % align !== 0 || by === undefined || by >= hugePage) {
    throw new SyntaxError('An ELF file whose segments cannot be moved');
  }
  const moved = new Uint8Array(elf.length + by);
  moved.set(elf.subarray(0, second));
  moved.set(elf.subarray(second), second + by);
  const out = new DataView(moved.buffer);
  const placed = (at: number) => (at >= second ? at + by : at);
  /** Writes where something is that was at the place written at `field`. */
  const fix = (field: number) => {
    const was = number(field);
    if (was >= second) out.setBigUint64(placed(field), BigInt(was + by), true);
  };
  fix(32);
  fix(40);
  for (const at of segments) fix(at + 8);
  for (let i = 0; i < sections.count; i += 1) fix(sections.at + i * sections.size + 24);
  return moved;
}
