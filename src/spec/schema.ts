import { z } from 'zod';
import { wants } from './explain-issue.ts';
import {
  domainName,
  duration,
  imageRepository,
  interfaceName,
  ipAddress,
  ipAddresses,
  kubernetesVersion,
  label,
  networks,
  nodeName,
  path,
  port,
  text,
  word,
} from './fields.ts';
import { apiVersion, strategyNames } from './spec.ts';

/**
 * `cluster.yaml` as written. From this one description come the types, the JSON Schema for editors
 * (schema/cluster.schema.json), docs/cluster-yaml.md and every message about a single field. Defaults that depend on
 * other fields are filled in by `toSpec`; rules over several fields are in rules/, one a file.
 */

const cni = z
  .union([
    z.strictObject({ manifest: path.describe('Applied with kubectl once the first master is up.') }),
    z.strictObject({
      kind: z
        .enum(['bridge', 'none'])
        .describe('`bridge` is for the lab; `none`: you install one yourself afterwards.'),
    }),
  ])
  .describe('The network of pods. Without it nodes stay NotReady until you install one.');

const kubernetes = z
  .strictObject({
    version: kubernetesVersion
      .describe('The version to run, with its patch number; v1.14.0 or newer.')
      .meta({ examples: ['v1.37.2'] }),
    imageRepository: imageRepository
      .describe("Where kubeadm's images come from, when not from kubeadm's own default.")
      .meta({ examples: ['registry.aliyuncs.com/google_containers'] })
      .optional(),
    podSubnet: networks
      .describe(
        'Addresses of pods: one network, or one IPv4 and one IPv6. Default: 10.244.0.0/16, fd00:10:244::/56, or both, by the families of the nodes.',
      )
      .meta({ examples: ['10.244.0.0/16', '10.244.0.0/16,fd00:10:244::/56'] })
      .optional(),
    serviceSubnet: networks
      .describe(
        'Addresses of services, in the same families as `podSubnet`. Default: 10.96.0.0/12, fd00:10:96::/112, or both.',
      )
      .meta({ examples: ['10.96.0.0/12'] })
      .optional(),
    dnsDomain: domainName.describe('The domain of services inside the cluster.').prefault('cluster.local'),
    cni: cni.optional(),
  })
  .describe('What kubeadm installs.');

const endpoint = z
  .strictObject({
    address: ipAddress
      .describe("The balancer's address, or the VIP.")
      .meta({ examples: ['172.16.105.26'] })
      .optional(),
    domain: domainName
      .describe('The name that clients dial; instead of `address`.')
      .meta({ examples: ['api.prod.example'] })
      .optional(),
    addresses: z
      .array(ipAddress)
      .min(1)
      .describe(
        'What `domain` stands for. Needed for a name that DNS does not know; otherwise DNS is asked, on every node.',
      )
      .optional(),
    port: port.describe('The port that clients dial.').default(6443),
  })
  .superRefine((written, cx) => {
    if ((written.address === undefined) === (written.domain === undefined)) {
      const both = written.address !== undefined;
      cx.addIssue({
        code: 'custom',
        message: both ? 'both `address` and `domain` are there' : 'neither `address` nor `domain` is there',
        params: {
          code: both ? 'FIELD_UNKNOWN' : 'FIELD_MISSING',
          expected: 'one of them',
          hint: both ? 'with a name, what it stands for goes into `addresses`' : undefined,
        },
      });
    } else if (written.address !== undefined && written.addresses !== undefined) {
      cx.addIssue({
        code: 'custom',
        path: ['addresses'],
        message: '`addresses` belongs to `domain`',
        params: { code: 'FIELD_UNKNOWN', expected: '`address` alone, or `domain` with `addresses`' },
      });
    }
  })
  .meta({ oneOf: [{ required: ['address'] }, { required: ['domain'] }] })
  .describe('What clients dial: `controlPlaneEndpoint` of kubeadm. An address, or a name.');

const healthCheck = z
  .strictObject({
    protocol: z
      .enum(['tcp', 'http', 'https'])
      .describe('`tcp` sees a crash, not a hang; `https` asks the apiserver itself. Default: tcp.')
      .optional(),
    port: port.describe('When the check goes to another port than the traffic. Default: `backendPort`.').optional(),
    path: text('a path such as /readyz', (written) => (/^\/\S*$/.test(written) ? written : undefined))
      .describe('For http and https. Default: /readyz.')
      .meta({ examples: ['/readyz'] })
      .optional(),
    interval: duration
      .describe('From one check to the next. Default: 2s.')
      .meta({ examples: ['2s'] })
      .optional(),
    timeout: duration
      .describe('When a check without an answer counts as failed. Default: 5s.')
      .meta({ examples: ['5s'] })
      .optional(),
    rise: wants(z.int().min(1).max(100), 'a number from 1 to 100')
      .describe('Successes in a row before a master is used again. Default: 3.')
      .optional(),
    fall: wants(z.int().min(1).max(100), 'a number from 1 to 100')
      .describe('Failures in a row before a master is ejected. Default: 3.')
      .optional(),
  })
  .describe(
    "How the balancer checks the masters; copy it from its console. Defaults are those of `product`, where one is named, else Alibaba CLB's.",
  );

const aBalancer = z
  .strictObject({
    product: word
      .describe('A product that hairpin knows; fills in the defaults of `healthCheck`.')
      .meta({ examples: ['alibaba-clb', 'aws-nlb', 'azure-ilb'] })
      .optional(),
    backendPort: port
      .describe(
        "The masters' port that the balancer forwards to. Default: `apiServerPort`; with keepalived-haproxy, haproxy's port.",
      )
      .optional(),
    hairpin: z
      .enum(['auto', 'works', 'drop', 'local', 'one-arm'])
      .describe('What it does with a master that dials it. `auto`: hairpin measures it.')
      .default('auto'),
    healthCheck: healthCheck.optional(),
  })
  .describe('The load balancer behind the endpoint. hairpin never changes it; `plan` prints what it should be set to.');

const balancer = z
  .union([z.literal('none').describe('There is none: the masters hold the endpoint themselves.'), aBalancer])
  .describe(
    'The load balancer behind the endpoint. hairpin never changes it; `plan` prints what it should be set to. `none`: the masters hold the endpoint themselves (keepalived-vip).',
  );

const none = wants(z.strictObject({}), 'a mapping of options; `{}` for none').describe('No options.');

const strategyOptions = {
  direct: none.optional().describe('Masters dial the balancer like everybody else. For balancers that hairpin.'),
  'bind-vip': none.optional().describe('Every master has the VIP as an address of its own.'),
  hosts: z
    .strictObject({
      to: z
        .enum(['loopback', 'own-address'])
        .describe('What the name means on a master: 127.0.0.1 (or ::1), or its own address.')
        .default('own-address'),
    })
    .describe("/etc/hosts of each master sends the endpoint's name to itself.")
    .optional(),
  'keepalived-haproxy': z
    .strictObject({
      vrrp: z
        .enum(['unicast', 'silent'])
        .describe('How every keepalived becomes master: by unicast peers, or with VRRP switched off.')
        .default('unicast'),
      port: port.describe("haproxy's port on every master. Default: `endpoint.port`.").optional(),
    })
    .describe('Every master has the VIP and a haproxy that spreads over all masters.')
    .optional(),
  'keepalived-vip': z
    .strictObject({
      interface: interfaceName
        .describe("The masters' interface for the VIP. Default: the one that has the node's address.")
        .meta({ examples: ['eth0'] })
        .optional(),
      routerId: wants(z.int().min(1).max(255), 'a number from 1 to 255')
        .describe('The VRRP router id; no other VRRP group on this network may have it.')
        .default(51),
      port: port.describe("haproxy's port on the VIP. Default: `endpoint.port`.").optional(),
    })
    .describe('No balancer: one VIP that VRRP moves, and haproxy behind it.')
    .optional(),
  steer: z
    .strictObject({
      workers: z
        .boolean()
        .describe('Workers dial the ready masters too, and the balancer only when none answers.')
        .default(false),
    })
    .describe('An agent steers connections on each master to a ready apiserver, its own first.')
    .optional(),
} satisfies Record<(typeof strategyNames)[number], z.ZodType>;

const strategy = z
  .union([
    z.enum(['auto', ...strategyNames]),
    z
      .strictObject(strategyOptions)
      .superRefine((written, cx) => {
        const names = Object.keys(written);
        if (names.length === 1) return;
        cx.addIssue({
          code: 'custom',
          message: names.length === 0 ? 'no strategy is named' : `${names.length} strategies are named`,
          params: { code: 'FIELD_VALUE', expected: 'one strategy with its options, or its name alone' },
        });
      })
      .meta({ minProperties: 1, maxProperties: 1 }),
  ])
  .describe('How nodes reach the endpoint: `auto`, a name, or a name with its options.');

const sshFields = {
  host: word
    .describe(
      "What ssh is to dial. Default: the node's name where OpenSSH's configuration has a HostName for it, else its address.",
    )
    .optional(),
  user: word
    .describe("Default: what OpenSSH's own configuration says.")
    .meta({ examples: ['root'] })
    .optional(),
  port: port.describe("Default: what OpenSSH's own configuration says.").optional(),
  configFile: path
    .describe('Given to ssh as -F.')
    .meta({ examples: ['./ssh_config'] })
    .optional(),
  identityFile: path.describe('A private key. Never its content.').optional(),
  knownHostsFile: path.describe('Host keys, checked strictly.').optional(),
  proxyJump: word
    .describe('As in ssh -J.')
    .meta({ examples: ['ops@bastion.prod.example'] })
    .optional(),
  connectTimeout: duration.describe('Default: 10s.').optional(),
  sudo: z
    .enum(['auto', 'always', 'never'])
    .describe('`auto`: sudo unless the login is root. Default: auto.')
    .optional(),
};

const { host: _host, ...sharedSsh } = sshFields;

const node = z
  .strictObject({
    name: nodeName.describe("The node's name in Kubernetes.").meta({ examples: ['m1'] }),
    role: z.enum(['control-plane', 'worker']).describe('`control-plane` for a master.'),
    address: ipAddresses
      .describe('What other nodes dial. For dual stack one of each family; the first is what kubeadm advertises.')
      .meta({ examples: ['172.16.104.54', ['10.0.0.4', 'fd00::4']] }),
    interface: interfaceName.describe('The interface that has `address`. Default: found by looking.').optional(),
    ssh: z.strictObject(sshFields).describe('What is different for this node.').optional(),
  })
  .describe('One machine. The first control-plane node is the leader: it runs `kubeadm init`.');

const document = z
  .looseObject({
    apiVersion: z.string().regex(/^(kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|kubeproxy\.config\.k8s\.io)\/v\d/),
    kind: z.enum([
      'ClusterConfiguration',
      'InitConfiguration',
      'JoinConfiguration',
      'KubeletConfiguration',
      'KubeProxyConfiguration',
    ]),
  })
  .describe('Raw kubeadm, kubelet or kube-proxy configuration.');

wants(document.shape.apiVersion, 'an API version of kubeadm.k8s.io, kubelet.config.k8s.io or kubeproxy.config.k8s.io');

export const clusterSchema = z
  .strictObject({
    apiVersion: z.literal(apiVersion).describe('The format of this file.'),
    kind: z.literal('Cluster').describe('Always `Cluster`.'),
    metadata: z
      .strictObject({ name: label.describe("The cluster's name.").meta({ examples: ['prod'] }) })
      .describe('Who this is.'),
    spec: z
      .strictObject({
        kubernetes,
        endpoint,
        balancer: balancer.optional(),
        strategy: strategy.default('auto'),
        apiServerPort: port.describe("The apiservers' own port on the masters.").default(6443),
        nodes: z.array(node).min(1).describe('The machines, in the order in which they join.'),
        ssh: z
          .strictObject(sharedSsh)
          .describe("How to log in, for all nodes. OpenSSH's own configuration is honoured.")
          .optional(),
        prepare: z
          .union([
            z.literal('preinstalled'),
            z.strictObject({ bundle: path.describe('Made by `hairpin bundle create`.') }),
          ])
          .describe(
            '`preinstalled`: kubelet, kubeadm and a container runtime are there already. Or a bundle that brings them.',
          )
          .default('preinstalled'),
        kubeadm: z
          .strictObject({
            documents: z.array(document).describe('Merged into the generated ones last; they win.').default([]),
          })
          .describe('For what this file has no field for.')
          .optional(),
      })
      .describe('What is wanted.'),
  })
  .describe('A cluster, as `hairpin` builds and keeps it.');

/** What the YAML file holds. */
export type ClusterFile = z.input<typeof clusterSchema>;
/** The same, parsed; defaults that depend on other fields are still missing. */
export type ParsedClusterFile = z.output<typeof clusterSchema>;
