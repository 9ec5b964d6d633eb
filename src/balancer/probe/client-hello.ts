/**
 * A TLS 1.2 ClientHello, made by hand. A server that takes it sends its certificate in the clear, so that a probe learns
 * *which* certificate is served through the endpoint with nothing but a socket: a bare node has no TLS client. A
 * throw-away listener knows the probe by the name in it.
 */
export const probeServerName = 'hairpin-probe.invalid';

// What Go's and OpenSSL's servers accept by default: ECDHE with AES-GCM or ChaCha20, then plain RSA for old ones.
const ciphers = [
  0xc02f, 0xc030, 0xc02b, 0xc02c, 0xcca8, 0xcca9, 0xc013, 0xc014, 0xc009, 0xc00a, 0x9c, 0x9d, 0x2f, 0x35,
];
const groups = [0x1d, 0x17, 0x18, 0x19];
const signatures = [0x403, 0x503, 0x603, 0x804, 0x805, 0x806, 0x401, 0x501, 0x601, 0x807];

export function clientHello(random: Uint8Array, serverName: string = probeServerName): Buffer {
  const name = Buffer.from(serverName);
  const extensions = Buffer.concat([
    extension(0, vector16(Buffer.concat([Buffer.from([0]), vector16(name)]))),
    extension(10, vector16(numbers(groups))),
    extension(11, Buffer.from([1, 0])),
    extension(13, vector16(numbers(signatures))),
    extension(0xff01, Buffer.from([0])),
  ]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    random.subarray(0, 32),
    Buffer.from([0]),
    vector16(numbers(ciphers)),
    Buffer.from([1, 0]),
    vector16(extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0]), vector16(body)]);
  return Buffer.concat([Buffer.from([0x16, 3, 1]), vector16(handshake)]);
}

function extension(type: number, data: Uint8Array): Buffer {
  return Buffer.concat([numbers([type]), vector16(data)]);
}

function vector16(data: Uint8Array): Buffer {
  return Buffer.concat([numbers([data.length]), data]);
}

function numbers(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => {
    buffer.writeUInt16BE(value, i * 2);
  });
  return buffer;
}
