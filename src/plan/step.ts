/**
 * Steps: the changes of a plan, as data.
 *
 * A step can be printed, hashed, written to the journal and compared with the step of an earlier run. Only `apply/`
 * knows how to carry one out. No step holds a secret: it holds references, which `apply` resolves in memory.
 */
import type { Address } from '../std/address.ts';

/** Stable over runs: the node and what is done there (`m2/kubeadm-join`), never a number. */
export type StepId = string;

/**
 * Values that exist only while a run lasts. `apply` makes the token (`abcdef.0123456789abcdef`) and the certificate key
 * (64 hex digits) once per run, and reads the CA's certificate (PEM in base64) and its hash (`sha256:…`) from the leader once
 * that has one. The last two are no secrets.
 */
export type SecretName = 'join-token' | 'certificate-key' | 'ca-cert' | 'ca-cert-hash';

export interface SecretRef {
  readonly secret: SecretName;
}

/** Text with holes for secrets: what goes into a 0600 file or to stdin, never into argv. */
export type SecretText = readonly (string | SecretRef)[];

/** How a step is taken back, in the words that the journal keeps. */
export type Undo =
  | { readonly is: 'nothing'; readonly because: string }
  /** The backup that the write left, or no file when there was none. */
  | { readonly is: 'restore-file'; readonly path: string }
  | { readonly is: 'remove-hosts-block'; readonly path: string }
  /** `disable` and `stop` in one; the unit's own ExecStop takes back what it did. */
  | { readonly is: 'disable-unit'; readonly unit: string }
  /** `says`: in words, where argv has a script in it. */
  | { readonly is: 'run'; readonly argv: readonly string[]; readonly says?: string }
  | { readonly is: 'kubeadm-reset' };

interface StepBase {
  readonly id: StepId;
  readonly node: string;
  /** Name of the phase that planned it (`plan/phases`). */
  readonly phase: PhaseName;
  /** Why, for the operator: a clause without a final period. */
  readonly because: string;
  /** Steps that must have ended well before this one starts; all of them come earlier in the plan. */
  readonly needs: readonly StepId[];
  readonly estimateMs: number;
  readonly undo: Undo;
}

export const phaseNames = [
  'clean-up',
  'prepare',
  'adopt',
  'configure',
  'init',
  'network',
  'credentials',
  'join-masters',
  'join-workers',
  'finish',
  'verify',
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Atomic write; what was there and was not ours is backed up. */
export interface WriteFileStep extends StepBase {
  readonly kind: 'write-file';
  readonly path: string;
  readonly content: string;
  /** As in chmod, e.g. 0o600. */
  readonly mode: number;
  /** `user:group`. */
  readonly owner: string;
}

export interface RemoveFileStep extends StepBase {
  readonly kind: 'remove-file';
  readonly path: string;
}

/** Runs a command on the node; any exit code but those of `okExitCodes` is a failure. */
export interface RunStep extends StepBase {
  readonly kind: 'run';
  readonly argv: readonly string[];
  readonly stdin: SecretText | undefined;
  readonly timeoutMs: number;
  readonly okExitCodes: readonly number[];
}

export type UnitAction = 'daemon-reload' | 'enable' | 'disable' | 'start' | 'restart' | 'reload' | 'stop';

/** `systemctl ACTION UNIT`, in this order. */
export interface UnitStep extends StepBase {
  readonly kind: 'unit';
  readonly unit: string;
  readonly actions: readonly UnitAction[];
}

/** Waits for something to become true, seen from `node`; asks again and again, sleeps never longer than it must. */
export interface HoldStep extends StepBase {
  readonly kind: 'hold';
  readonly check: HoldCheck;
  readonly deadlineMs: number;
}

export type HoldCheck =
  | { readonly is: 'unit-active'; readonly unit: string }
  | { readonly is: 'address-present'; readonly address: Address }
  /** The node's own apiserver answers /readyz with 200 at this address. */
  | { readonly is: 'apiserver-ready'; readonly address: Address; readonly port: number }
  /** A TLS connection to the endpoint from this node gets an HTTP answer; `host` is a name or an address. */
  | { readonly is: 'endpoint-answers'; readonly host: string; readonly port: number }
  /** Every etcd member in the list is a started voter, and there are exactly `count`. Asked on a master. */
  | { readonly is: 'etcd-voters'; readonly count: number }
  /** Asked on a master: every one of these nodes is Ready. */
  | { readonly is: 'nodes-ready'; readonly nodes: readonly string[] }
  /** kube-proxy of this node has synced its rules (its /healthz on 10256 answers 200). */
  | { readonly is: 'kube-proxy-synced' }
  | { readonly is: 'coredns-ready' };

/**
 * `kubeadm init`. `config` goes to `configPath` (0600, in /run, removed afterwards however the step ends).
 * Gives `ca-cert` and `ca-cert-hash`; with `joinsPrepared` the token and the uploaded certificates exist afterwards too.
 */
export interface KubeadmInitStep extends StepBase {
  readonly kind: 'kubeadm-init';
  readonly configPath: string;
  readonly config: SecretText;
  readonly argv: readonly string[];
  readonly joinsPrepared: boolean;
}

/** `kubeadm join`, same care for `config`. `role` says what is being joined, for progress and for diagnosis. */
export interface KubeadmJoinStep extends StepBase {
  readonly kind: 'kubeadm-join';
  readonly role: 'control-plane' | 'worker';
  readonly configPath: string;
  readonly config: SecretText;
  /** A kubeconfig with endpoint and CA, beside `config` for as long; what `config` has to say about them otherwise. */
  readonly discovery: { readonly path: string; readonly content: SecretText } | undefined;
  readonly argv: readonly string[];
}

/**
 * On a master of a cluster that exists: makes the token, and uploads the certificates when masters join. Same care for
 * `config`; the commands run in order. Their output holds secrets and must not be shown.
 */
export interface JoinCredentialsStep extends StepBase {
  readonly kind: 'join-credentials';
  readonly configPath: string;
  readonly config: SecretText;
  readonly commands: readonly (readonly string[])[];
}

/**
 * Deletes what joining needed, seen from a master: the token of this run (when it has one), every bootstrap token whose
 * description is `tokenDescription` (left by killed runs), and the uploaded certificates with their own token.
 */
export interface DeleteCredentialsStep extends StepBase {
  readonly kind: 'delete-credentials';
  readonly tokenDescription: string;
}

/** kubeadm 1.14 can take the certificate key in argv only, so there the files are copied, in memory, 0600. */
export interface CopyCertificatesStep extends StepBase {
  readonly kind: 'copy-certificates';
  readonly from: string;
  readonly paths: readonly string[];
}

/** Puts our fenced block into a hosts file, or takes it out when `lines` is empty. */
export interface HostsBlockStep extends StepBase {
  readonly kind: 'hosts-block';
  readonly path: string;
  readonly lines: readonly string[];
}

/**
 * Starts pods anew that copied /etc/hosts when they started. Static pods: each manifest is moved out and back, one at a
 * time; the apiserver's only when it is named. `hostNetworkPods`: those of this node are deleted, their owners make new ones.
 */
export interface RestartPodsStep extends StepBase {
  readonly kind: 'restart-pods';
  readonly staticPods: readonly string[];
  readonly hostNetworkPods: boolean;
}

/** Applies a manifest file of the operator's machine through the leader's admin.conf. `path` is relative to the spec. */
export interface ApplyManifestStep extends StepBase {
  readonly kind: 'apply-manifest';
  readonly path: string;
}

/** Sends the bundle to the node and unpacks it (binaries, units, tools). */
export interface InstallBundleStep extends StepBase {
  readonly kind: 'install-bundle';
  readonly path: string;
}

/** Sends hairpin's own program to the node, packed for its kind of machine, and unpacks it under its name. */
export interface InstallProgramStep extends StepBase {
  readonly kind: 'install-program';
  /** 16 hex digits: what it is made from. */
  readonly program: string;
}

/**
 * `kubeadm init phase certs ca`, same care for `config`: the CA exists before init, so that whoever steers can tell an
 * apiserver of this cluster from anything else. init takes the CA that is there. Gives `ca-cert` and
 * `ca-cert-hash`.
 */
export interface KubeadmCaStep extends StepBase {
  readonly kind: 'kubeadm-ca';
  readonly configPath: string;
  readonly config: SecretText;
  readonly argv: readonly string[];
}

/** Copies the cluster's CA certificate (no key) from a master to `path` on the node. */
export interface DeliverCaStep extends StepBase {
  readonly kind: 'deliver-ca';
  readonly from: string;
  readonly path: string;
}

/** Loads the images of the bundle into the node's container runtime. */
export interface ImportImagesStep extends StepBase {
  readonly kind: 'import-images';
  readonly path: string;
}

/** `kubeadm reset` of a node that a killed init or join left half-made. `lost` says what goes with it. */
export interface KubeadmResetStep extends StepBase {
  readonly kind: 'kubeadm-reset';
  readonly argv: readonly string[];
  readonly lost: string;
}

/** Removes an etcd member that never became a voter, or whose node is being made anew; run on a healthy master. */
export interface RemoveEtcdMemberStep extends StepBase {
  readonly kind: 'remove-etcd-member';
  readonly memberId: string;
  readonly memberName: string;
}

/** Deletes the Node object that a half-made node left; run on a healthy master. */
export interface DeleteNodeStep extends StepBase {
  readonly kind: 'delete-node';
  readonly name: string;
}

export type Step =
  | WriteFileStep
  | RemoveFileStep
  | RunStep
  | UnitStep
  | HoldStep
  | KubeadmInitStep
  | KubeadmJoinStep
  | JoinCredentialsStep
  | DeleteCredentialsStep
  | CopyCertificatesStep
  | HostsBlockStep
  | RestartPodsStep
  | ApplyManifestStep
  | InstallBundleStep
  | ImportImagesStep
  | InstallProgramStep
  | KubeadmCaStep
  | DeliverCaStep
  | KubeadmResetStep
  | RemoveEtcdMemberStep
  | DeleteNodeStep;

export type StepKind = Step['kind'];
