import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { type Document, parseDocument } from 'yaml';
import { type Diagnosis, type Lab, openLab, startLab, stopLab } from '../../src/index.ts';
import { labPaths } from '../../src/lab/paths.ts';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { hairpin } from './hairpin.ts';
import { labSpec } from './lab-spec.ts';

/** A node-tier lab that `hairpin up` is run on, by its command line, as a user does. */
export class UpLab implements AsyncDisposable {
  readonly name: string;
  readonly lab: Lab;
  readonly file: string;
  readonly nodes: readonly string[];

  private constructor(lab: Lab) {
    this.name = lab.name;
    this.lab = lab;
    this.file = labPaths(lab.name).clusterYaml;
    this.nodes = lab.spec.machines.filter(({ role }) => role !== 'client').map(({ name }) => name);
  }

  static async start(input: LabInput & { readonly name: string }): Promise<UpLab> {
    await stopLab(input.name);
    return new UpLab(await startLab(labSpec({ tier: 'node', balancer: 'alibaba-clb', ...input })));
  }

  /** A lab that somebody else has brought up. */
  static async open(name: string): Promise<UpLab> {
    return new UpLab({ ...(await openLab(name)), [Symbol.asyncDispose]: async () => void (await stopLab(name)) });
  }

  /** `hairpin VERB -f cluster.yaml …`; the result of `--output json` is parsed. */
  hairpin(verb: string, ...args: readonly string[]) {
    return this.hairpinWith({}, verb, ...args);
  }

  async hairpinWith(env: Readonly<Record<string, string>>, verb: string, ...args: readonly string[]) {
    const { code, stdout, stderr } = await hairpin([...verb.split(' '), '-f', this.file, '--output', 'json', ...args], {
      env,
    });
    const shown = stderr.split('\n').filter((line) => !/task-(?:started|progress)/.test(line));
    const told = `exit code ${code}\n${shown.slice(-15).join('\n')}\n${stdout}`;
    return {
      code,
      told,
      stderr,
      stdout,
      result: stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>),
    };
  }

  /**
   * What the doctor says is wrong, a line each. It has more than its 4.5 s here: nodes of a busy machine answer later,
   * and what it could not look at is no clean bill either.
   */
  async complaints(): Promise<readonly string[]> {
    const { code, told, result } = await this.hairpin('doctor', '--timeout', '60s');
    if (result === undefined) return [told];
    const { findings, symptoms, missing } = result as unknown as Diagnosis;
    const said = [
      ...findings.map(({ cause, nodes, seen }) => `${cause} on ${nodes.join()}: ${JSON.stringify(seen)}`),
      ...symptoms.map(({ check, saw }) => `${check}: ${saw}`),
      ...missing,
    ];
    return code === (said.length === 0 ? 0 : 2) ? said : [`exit code ${code}`, ...said];
  }

  /** Changes the cluster.yaml that the lab wrote, as a user does with an editor. */
  async edit(change: (document: Document) => void): Promise<void> {
    const document = parseDocument(await readFile(this.file, 'utf8'));
    change(document);
    await writeFile(this.file, document.toString({ lineWidth: 0 }));
  }

  /** A piece of sh as root on a machine, clients included. */
  async sh(machine: string, script: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await this.trySh(machine, script, ...args);
    return stdout;
  }

  async trySh(machine: string, script: string, ...args: readonly string[]) {
    const argv = this.lab.argvIn(machine, ['sh', '-c', script, 'test', ...args]);
    return execa(argv[0] ?? '', argv.slice(1), { reject: false, stdin: 'ignore' });
  }

  kubectl(args: string, input = ''): Promise<string> {
    const script = `printf '%s' "$1" | kubectl --cache-dir /dev/null --kubeconfig /etc/kubernetes/admin.conf --server https://$2:6443 ${args}`;
    const leader = this.lab.spec.machines[0]?.addresses[0]?.text ?? '';
    const host = leader.includes(':') ? `[${leader}]` : leader;
    return this.sh('m1', script.replace(':6443', `:${this.lab.spec.apiServerPort}`), input, host);
  }

  /** Everything that the operator's machine keeps about the cluster: journals. */
  async journals(): Promise<string> {
    const { stdout } = await execa`find ${labPaths(this.name).root}/.hairpin -type f`;
    return (await Promise.all(stdout.split('\n').map((path) => readFile(path, 'utf8')))).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopLab(this.name);
  }
}

const podOnEachNode = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: here, namespace: default }
spec:
  selector: { matchLabels: { app: here } }
  template:
    metadata: { labels: { app: here } }
    spec:
      tolerations: [{ operator: Exists }]
      containers: [{ name: pause, image: 'registry.k8s.io/pause:3.10.2', imagePullPolicy: Never }]
`;

/** A pod with a network of its own on each node, and nothing in it: tests look at the world from its namespace. */
export async function startPods(lab: UpLab): Promise<void> {
  await lab.kubectl('apply -f -', podOnEachNode);
  await lab.kubectl('rollout status daemonset/here --timeout=60s');
}

/** Runs `script` in the network of a pod of this node. */
const inPod = (script: string) => `
for netns in /run/netns/cni-*; do
  nsenter --net=$netns ip -oneline address show scope global 2>/dev/null | grep -q . && break
done
exec nsenter --net=$netns sh -c '${script.replaceAll("'", "'\\''")}' test "$@"`;

// Every connection is a new process with a new socket; eight at a time.
const count = `seq "$2" | xargs -P 8 -I{} curl --silent --insecure --connect-timeout 4 --max-time 20 --output /dev/null --write-out '%{http_code}\\n' $3 "https://$1/version" | grep -c 200`;

export type Client = { readonly from: 'machine' | 'pod'; readonly on: string };

/** How many of `tries` new connections to the endpoint were answered. */
export async function answered(lab: UpLab, client: Client, endpoint: string, tries: number): Promise<number> {
  const script = client.from === 'pod' ? inPod(count) : count;
  // Pods do not read the node's /etc/hosts; they get what DNS says.
  const [address] = lab.lab.spec.endpoint.addresses;
  const { domain, port } = lab.lab.spec.endpoint;
  const resolve = client.from === 'pod' && domain !== undefined ? `--resolve ${domain}:${port}:${address?.text}` : '';
  return Number((await lab.trySh(client.on, script, endpoint, String(tries), resolve)).stdout.trim());
}

/** `{ m1: 300, 'pod on m1': 300, …, c1: 300 }`; classes in `few` try 60 times, as each failure takes 4 s. */
export async function tally(
  lab: UpLab,
  endpoint: string,
  tries: number,
  few: readonly string[] = [],
): Promise<Readonly<Record<string, number>>> {
  const masters = lab.nodes.filter((name) => name.startsWith('m'));
  const clients: Client[] = [
    ...lab.nodes.map((on): Client => ({ from: 'machine', on })),
    ...masters.map((on): Client => ({ from: 'pod', on })),
    { from: 'machine', on: 'c1' },
  ];
  const found: [string, number][] = [];
  for (const client of clients) {
    const name = client.from === 'pod' ? `pod on ${client.on}` : client.on;
    found.push([name, await answered(lab, client, endpoint, few.includes(name) ? 60 : tries)]);
  }
  return Object.fromEntries(found);
}

/** `every` class gets `n`. */
export function all(lab: UpLab, n: number): Readonly<Record<string, number>> {
  const masters = lab.nodes.filter((name) => name.startsWith('m'));
  return Object.fromEntries([...lab.nodes, ...masters.map((name) => `pod on ${name}`), 'c1'].map((name) => [name, n]));
}

/** Names of nodes from which a pod does not reach kubernetes.default. */
export async function podsWithoutService(lab: UpLab): Promise<readonly string[]> {
  const service = (await lab.kubectl(`get service kubernetes -o jsonpath='{.spec.clusterIP}'`)).trim();
  const host = service.includes(':') ? `[${service}]` : service;
  const script = inPod(`curl --silent --insecure --globoff --max-time 4 "https://$1/version" | grep -c gitVersion`);
  const reached = await Promise.all(
    lab.nodes.map(async (on) => [on, (await lab.trySh(on, script, host)).stdout] as const),
  );
  return reached.filter(([, text]) => text.trim() !== '1').map(([on]) => on);
}

/** Path, mode, owner and content of every file outside container state, to compare before and after. */
export async function fileSystem(lab: UpLab, machine: string): Promise<readonly string[]> {
  const script = `
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/lib/containerd \\
  -o -path /var/log/journal -o -path /var/lib/systemd -o -path /var/cache -o -name '*.log' \\) -prune -o \\
  \\( -type f -printf '%p %m %U:%G ' -exec sh -c 'sha256sum <"$1" | cut -c 1-16' x {} \\; \\) -o \\
  \\( -type l -printf '%p -> %l\\n' \\) -o \\( -type d -printf '%p/ %m %U:%G\\n' \\) 2>/dev/null | sort`;
  return (await lab.sh(machine, script.replace('find /', 'find /etc /opt /root /usr/local /var /home /srv'))).split(
    '\n',
  );
}

/** What differs, a line each: `- ` was there before, `+ ` is new. */
export function differences(before: readonly string[], after: readonly string[]): readonly string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !is.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`),
  ];
}

/** Collects what is secret while a run lasts, and every argv: the run itself must never show it. */
export function watchSecrets(lab: UpLab): { stop(): Promise<{ secrets: readonly string[]; argvs: string }> } {
  let on = true;
  const secrets = new Set<string>();
  let argvs = '';
  const masters = lab.nodes.filter((name) => name.startsWith('m'));
  const watching = masters.map(async (machine) => {
    while (on) {
      const text = await lab.sh(
        machine,
        `cat /run/hairpin/*.yaml 2>/dev/null; echo @argv; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '`,
      );
      const [files = '', argv = ''] = text.split('@argv');
      for (const match of files.matchAll(/[a-z0-9]{6}\.([a-z0-9]{16})\b|certificateKey: "?([0-9a-f]{64})/g)) {
        secrets.add(match[1] ?? match[2] ?? '');
      }
      if (files.trim() !== '') argvs += argv;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
  return {
    async stop() {
      on = false;
      await Promise.all(watching);
      return { secrets: [...secrets], argvs };
    },
  };
}
