import { OperatorError } from '../../errors/operator-error.ts';

/** This machine's architecture as Go, Kubernetes and Debian call it. */
export function hostArch(arch: string = process.arch): 'amd64' | 'arm64' {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new OperatorError('HOST_UNFIT', `Kubernetes nodes cannot run on this machine's architecture, ${arch}`, {
    hint: 'the node tier needs x86-64 or arm64',
  });
}
