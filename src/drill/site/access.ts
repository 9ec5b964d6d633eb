import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { kubectlArgv } from '../../kube/kubectl.ts';
import type { NodePort } from '../../node/port.ts';
import { controlPlaneNodes, type Spec, type SpecNode } from '../../spec/spec.ts';
import { runDir } from '../faults/on-nodes.ts';
import type { TrafficConfig } from '../traffic/config.ts';

/** What clients of a real cluster need: whom to trust, who they are, and how to tell one apiserver from another. */
export interface Access {
  /** PEM and token, for a process of this machine. */
  readonly local: Pick<TrafficConfig, 'caFile' | 'tokenFile'>;
  /** The same where nodes have it. */
  readonly onNodes: Required<Pick<TrafficConfig, 'caFile' | 'tokenFile'>>;
  readonly servers: Readonly<Record<string, string>>;
  readonly paths: { readonly health: string; readonly watch: string; readonly operate: string };
  readonly samples: Pick<NonNullable<TrafficConfig['samples']>, 'nodes' | 'leases'>;
  /** The address of a pod on each node that has one. */
  readonly pods: ReadonlyMap<string, string>;
  /** The log that is followed, of a pod on a worker where there is one. */
  readonly log: string | undefined;
}

const namespace = 'hairpin-drill';

/** More than these are not asked one by one. */
const sampledNodes = 12;
const leases = ['kube-controller-manager', 'kube-scheduler'] as const;

/**
 * A namespace of its own with an account that may do everything to its config maps and look at nodes and two leases, and a
 * pod on each node: clients run in its network, and one of them ticks into its log. The pods use the shell of their node,
 * read-only: no image but the one of all sandboxes has to be there.
 */
const manifest = (image: string) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace}, labels: { pod-security.kubernetes.io/enforce: privileged } }
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
  - { apiGroups: [""], resources: [pods, pods/log], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: drill, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: drill }
subjects: [{ kind: ServiceAccount, name: drill, namespace: ${namespace} }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: hairpin-drill, namespace: kube-system }
rules:
  - { apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [${leases.join(', ')}], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: hairpin-drill, namespace: kube-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: hairpin-drill }
subjects: [{ kind: ServiceAccount, name: drill, namespace: ${namespace} }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: hairpin-drill }
rules:
  - { apiGroups: [""], resources: [nodes], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: hairpin-drill }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: hairpin-drill }
subjects: [{ kind: ServiceAccount, name: drill, namespace: ${namespace} }]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: client, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 0
      tolerations: [{ operator: Exists }]
      containers:
        - name: tick
          image: ${image}
          imagePullPolicy: IfNotPresent
          command: [/usr/bin/sh, -c, 'i=0; while :; do echo tick $i; i=$((i + 1)); /usr/bin/sleep 0.5; done']
          volumeMounts:
            - { name: usr, mountPath: /usr, readOnly: true }
            - { name: lib, mountPath: /lib, readOnly: true }
            - { name: lib64, mountPath: /lib64, readOnly: true }
      volumes:
        - { name: usr, hostPath: { path: /usr } }
        - { name: lib, hostPath: { path: /lib } }
        - { name: lib64, hostPath: { path: /lib64 } }
`;

/** The image of sandboxes: every node has it, and no registry is asked. */
const pauseScript = `
found=$(crictl images 2>/dev/null | awk '$1 ~ /\\/pause$/ { print $1 ":" $2; exit }')
[ -n "$found" ] || found=$(ctr --namespace k8s.io images list --quiet 2>/dev/null | grep -m 1 '/pause:')
echo "$found"`;

/** An earlier drill may have asked for its deletion a moment ago. What drills wrote before is taken away. */
const readyScript = `
i=0
while [ "$("$@" get namespace ${namespace} --output 'jsonpath={.status.phase}' 2>/dev/null)" = Terminating ]; do
  i=$((i + 1)); [ $i -lt 120 ] || { echo 'namespace ${namespace} does not go away' >&2; exit 1; }
  sleep 0.5
done
"$@" apply --filename - >/dev/null || exit 1
"$@" --namespace ${namespace} delete configmaps --selector hairpin-drill --wait=false >/dev/null 2>&1
"$@" --namespace ${namespace} rollout status daemonset/client --timeout=90s >/dev/null || exit 1
"$@" --namespace ${namespace} get pods --selector app=client --output 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIP}{"\\n"}{end}'`;

/** Makes all of it (again) and a token that lasts for a day; its files are root's. */
export async function prepareAccess(opts: {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  readonly directory: string;
  readonly signal: AbortSignal;
}): Promise<Access> {
  const { spec, signal } = opts;
  const masters = controlPlaneNodes(spec);
  const [first] = masters;
  if (first === undefined) throw new Error('a cluster has a master');
  const kubectl = (args: readonly string[]) => kubectlArgv(spec, first, args);
  const on = async (node: SpecNode, argv: readonly string[], stdin?: string) =>
    await must(opts.nodes.get(node.name), argv, stdin, signal);

  const image = (await on(first, ['sh', '-c', pauseScript])).trim() || 'registry.k8s.io/pause:3.10';
  const listed = await on(first, ['sh', '-c', readyScript, 'hairpin-drill', ...kubectl([])], manifest(image));
  const pods = listed
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const create = ['create', 'token', 'drill', '--namespace', namespace, '--duration', '24h'];
  const token = `${(await on(first, kubectl(create))).trim()}\n`;
  const ca = await on(first, ['cat', '/etc/kubernetes/pki/ca.crt']);

  const dir = join(opts.directory, 'drill-access');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const local = { caFile: join(dir, 'ca.crt'), tokenFile: join(dir, 'token') };
  await writeFile(local.caFile, ca, { mode: 0o600 });
  await writeFile(local.tokenFile, token, { mode: 0o600 });
  const onNodes = { caFile: '/etc/kubernetes/pki/ca.crt', tokenFile: `${runDir}/token` };
  const keep = `umask 077; mkdir -p ${runDir} && cat >${onNodes.tokenFile}`;
  await Promise.all(spec.nodes.map(async (node) => await on(node, ['sh', '-c', keep], token)));

  const print = 'openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -fingerprint -sha256';
  const servers = await Promise.all(
    masters.map(async (node) => [(await on(node, ['sh', '-c', print])).trim().split('=')[1] ?? '', node.name] as const),
  );
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const workers = new Set(spec.nodes.filter(({ role }) => role === 'worker').map(({ name }) => name));
  const ticking = pods.find(([, node = '']) => workers.has(node)) ?? pods.at(-1);
  return {
    local,
    onNodes,
    servers: Object.fromEntries(servers),
    paths: { health: '/livez', watch: path, operate: path },
    samples: {
      nodes: Object.fromEntries(spec.nodes.slice(0, sampledNodes).map(({ name }) => [name, `/api/v1/nodes/${name}`])),
      leases: Object.fromEntries(
        leases.map((name) => [name, `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`]),
      ),
    },
    pods: new Map(pods.flatMap(([, node, ip]) => (node && ip ? [[node, ip] as const] : []))),
    log: ticking?.[0] === undefined ? undefined : `/api/v1/namespaces/${namespace}/pods/${ticking[0]}/log`,
  };
}

/** Takes all of it away again, without waiting for it. What nodes have below /run goes with their next boot. */
export async function removeAccess(opts: {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
}): Promise<void> {
  const [first] = controlPlaneNodes(opts.spec);
  const port = first === undefined ? undefined : opts.nodes.get(first.name);
  if (first === undefined || port === undefined) return;
  const kubectl = (args: readonly string[]) => kubectlArgv(opts.spec, first, args);
  const gone = ['--ignore-not-found', '--wait=false'];
  await port.change(
    kubectl([
      'delete',
      `namespace/${namespace}`,
      'clusterrole/hairpin-drill',
      'clusterrolebinding/hairpin-drill',
      ...gone,
    ]),
    { timeout: 20_000 },
  );
  const inSystem = ['--namespace', 'kube-system', 'role/hairpin-drill', 'rolebinding/hairpin-drill'];
  await port.change(kubectl(['delete', ...inSystem, ...gone]), { timeout: 20_000 });
}

async function must(
  node: NodePort | undefined,
  argv: readonly string[],
  stdin: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const input = stdin === undefined ? {} : { stdin };
  const result = await node?.change(argv, { ...input, signal, timeout: 180_000 });
  if (result?.exitCode === 0) return result.stdout;
  throw new OperatorError('DRILL_ACCESS', `The cluster could not be prepared for drills on ${node?.name}`, {
    cause: result?.stderr.trim() ?? 'there is no such node',
    hint: 'is there a cluster? hairpin status',
  });
}
