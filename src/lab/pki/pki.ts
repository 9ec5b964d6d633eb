import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from '../../std/address.ts';
import type { LabContext } from '../tier/tier.ts';
import type { Topology } from '../topology/topology.ts';

/**
 * The lab's own certificate authority: server certificates for the stand-ins and for a balancer that ends TLS. Real
 * clusters of the node tier have kubeadm's authority; this one never signs for them.
 */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Pki {
  readonly caFile: string;
  server(machine: string): Certificate;
}

/** Names of the files, whether or not they were made yet. */
export function pkiFiles(paths: Pick<LabContext['paths'], 'pki'>): Pki {
  return {
    caFile: join(paths.pki, 'ca.crt'),
    server: (machine) => ({ certFile: join(paths.pki, `${machine}.crt`), keyFile: join(paths.pki, `${machine}.key`) }),
  };
}

const underWay = new Map<string, Promise<Pki>>();

/** Makes authority and certificates once per lab (files are 0600); later calls find them. */
export async function ensurePki(topology: Topology, paths: Pick<LabContext['paths'], 'pki'>): Promise<Pki> {
  const running = underWay.get(paths.pki) ?? make(topology, paths);
  underWay.set(paths.pki, running);
  try {
    return await running;
  } finally {
    underWay.delete(paths.pki);
  }
}

/** Who a server certificate is for: any name or address that a client may dial it by. */
export function serverNames(
  topology: Topology,
  machine: string,
): { names: readonly string[]; addresses: readonly Address[] } {
  const { spec, balancer, machines } = topology;
  const own = machines.find((m) => m.machine.name === machine)?.machine.addresses ?? balancer.addresses;
  return {
    names: [
      machine,
      'localhost',
      'kubernetes',
      'kubernetes.default.svc',
      ...(spec.endpoint.domain === undefined ? [] : [spec.endpoint.domain]),
    ],
    addresses: [...own, ...spec.endpoint.addresses, ...balancer.vips],
  };
}

async function make(topology: Topology, paths: Pick<LabContext['paths'], 'pki'>): Promise<Pki> {
  const pki = pkiFiles(paths);
  if ((await readFile(join(paths.pki, 'complete'), 'utf8').catch(() => '')) !== '') return pki;
  await mkdir(paths.pki, { recursive: true, mode: 0o700 });
  // 60 ms of loading that only labs which need certificates pay for.
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as Crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const newKeys = async () => await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(Date.now() + 10 * 365 * 86_400_000);

  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16).toString('hex'),
    name: `CN=hairpin lab ${topology.spec.name}`,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  await writeSecret(join(paths.pki, 'ca.key'), await pem(caKeys.privateKey));
  await writeSecret(pki.caFile, ca.toString('pem'));

  const masters = topology.machines.filter((m) => m.machine.role === 'control-plane').map((m) => m.machine.name);
  for (const machine of [...masters, 'balancer']) {
    const keys = await newKeys();
    const { names, addresses } = serverNames(topology, machine);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(16).toString('hex'),
      subject: `CN=${machine}`,
      issuer: ca.subject,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...names.map((value) => ({ type: 'dns' as const, value })),
          ...addresses.map((a) => ({ type: 'ip' as const, value: a.text })),
        ]),
      ],
    });
    const files = pki.server(machine);
    const key = await pem(keys.privateKey);
    const text = certificate.toString('pem');
    await writeSecret(files.keyFile, key);
    await writeSecret(files.certFile, text);
    if (machine === 'balancer') await writeSecret(join(paths.pki, 'balancer.pem'), `${text}\n${key}`);
  }
  await writeSecret(join(paths.pki, 'complete'), 'yes\n');
  return pki;
}

async function pem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as webcrypto.CryptoKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
