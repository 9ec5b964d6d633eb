import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrillClient } from '../../drill/site/site.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { kubectlArgv } from '../rehearsal/observe.ts';
import type { RunningLab } from '../runtime/open-lab.ts';

/** What clients of a real cluster need: whom to trust, who they are, and how to tell one apiserver from another. */
export interface RealCluster {
  readonly config: Pick<DrillClient['config'], 'caFile' | 'tokenFile' | 'servers'>;
  readonly paths: NonNullable<DrillClient['paths']>;
}

const namespace = 'hairpin-drill';

/** A namespace of its own with an account that may do everything to its config maps, and nothing else anywhere. */
const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: drill, namespace: ${namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: drill, namespace: ${namespace} }
rules:
  - { apiGroups: [""], resources: [configmaps], verbs: ["*"] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: drill, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: drill }
subjects:
  - { kind: ServiceAccount, name: drill, namespace: ${namespace} }
`;

/** Makes the account (again) and a token that lasts for a day; both files are root's. */
export async function prepareRealCluster(lab: RunningLab, masters: readonly string[]): Promise<RealCluster> {
  const [first = ''] = masters;
  const kubectl = async (args: readonly string[], stdin?: string) =>
    await must(lab, first, kubectlArgv(lab, first, args), stdin);
  await kubectl(['apply', '--filename', '-'], manifest);
  const token = await kubectl(['create', 'token', 'drill', '--namespace', namespace, '--duration', '24h']);
  const ca = await must(lab, first, ['cat', '/etc/kubernetes/pki/ca.crt']);
  const dir = join(lab.cx.paths.root, 'drill-access');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const files = { caFile: join(dir, 'ca.crt'), tokenFile: join(dir, 'token') };
  await writeFile(files.caFile, ca, { mode: 0o600 });
  await writeFile(files.tokenFile, `${token.trim()}\n`, { mode: 0o600 });
  const fingerprint = [
    'openssl',
    'x509',
    '-in',
    '/etc/kubernetes/pki/apiserver.crt',
    '-noout',
    '-fingerprint',
    '-sha256',
  ];
  const servers = await Promise.all(
    masters.map(async (name) => [(await must(lab, name, fingerprint)).trim().split('=')[1] ?? '', name] as const),
  );
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return {
    config: { ...files, servers: Object.fromEntries(servers) },
    paths: { health: '/livez', watch: path, operate: path },
  };
}

/** Nodes that are not Ready and apiservers that are not. */
export async function realProblems(lab: RunningLab, masters: readonly string[]): Promise<readonly string[]> {
  const ready = await Promise.all(
    masters.map(async (name) => {
      const { exitCode } = await lab.exec(name, kubectlArgv(lab, name, ['get', '--raw', '/readyz']));
      return exitCode === 0 ? [] : [`the apiserver of ${name} is not ready`];
    }),
  );
  const [first = ''] = masters;
  const template = '{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const { stdout } = await lab.exec(
    first,
    kubectlArgv(lab, first, ['get', 'nodes', '--output', `jsonpath=${template}`]),
  );
  const nodes = stdout.trim().split('\n');
  return [
    ...ready.flat(),
    ...nodes.flatMap((line) => {
      const [name, is] = line.split(' ');
      return is === 'True' ? [] : [`node ${name} is not Ready`];
    }),
  ];
}

async function must(lab: RunningLab, machine: string, argv: readonly string[], stdin?: string): Promise<string> {
  const result = await lab.exec(machine, argv, stdin === undefined ? {} : { stdin });
  if (result.exitCode === 0) return result.stdout;
  throw new OperatorError('LAB_COMMAND_FAILED', `Cannot prepare the cluster of lab \`${lab.name}\` for drills`, {
    cause: result.stderr.trim(),
    hint: 'is there a cluster on its nodes? hairpin status',
  });
}
