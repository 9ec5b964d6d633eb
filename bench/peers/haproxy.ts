import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import type { Peer } from './peer.ts';
import { configFile, mastersOf, runInside, untilAnswers } from './process.ts';

// Numbers as shipped (facts/peers-measured.md, "Configurations"): the settings are what matters, not the wording.

function kubespray(lab: Lab): string {
  return `
global
  maxconn 4000
defaults
  mode tcp
  retries 5
  option redispatch
  timeout queue 5m
  timeout connect 30s
  timeout client 5m
  timeout server 15m
  timeout check 30s
  maxconn 4000
frontend api
  bind 127.0.0.1:6443
  default_backend masters
backend masters
  balance leastconn
  default-server inter 15s downinter 15s rise 2 fall 2 slowstart 60s maxconn 1000 maxqueue 256 weight 100
  option httpchk GET /healthz
  http-check expect status 200
${servers(lab, 'check check-ssl verify none')}
`;
}

/** Node-local, or on a master (\`bind\`) for the pair with a virtual address. */
export function kubeadmDoc(lab: Lab, bind: string): string {
  return `
global
  maxconn 4000
defaults
  mode tcp
  retries 1
  option redispatch
  timeout queue 20s
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout check 10s
frontend api
  bind ${bind}
  default_backend masters
backend masters
  option httpchk GET /healthz
  http-check expect status 200
  option ssl-hello-chk
  balance roundrobin
${servers(lab, 'check')}
`;
}

function servers(lab: Lab, words: string): string {
  return mastersOf(lab)
    .map(({ name, address }) => `  server ${name} ${address}:${lab.spec.apiServerPort} ${words}`)
    .join('\n');
}

function local(name: string, what: string, config: (lab: Lab) => string): Peer {
  return {
    name,
    what,
    programs: ['/usr/sbin/haproxy'],
    async start(lab, machine) {
      const file = await configFile('haproxy.cfg', config(lab));
      const process = await runInside(lab, machine, ['/usr/sbin/haproxy', '-db', '-f', file.file]);
      await untilAnswers(lab, machine, 'https://127.0.0.1:6443/readyz');
      return {
        host: '127.0.0.1',
        port: 6443,
        async [Symbol.asyncDispose]() {
          await process[Symbol.asyncDispose]();
          await file[Symbol.asyncDispose]();
        },
      };
    },
  };
}

export const haproxyKubespray = local('haproxy-kubespray', 'haproxy on the node, kubespray 46dbdd39', kubespray);
export const haproxyKubeadm = local('haproxy-kubeadm', 'haproxy on the node, kubeadm doc 0afcc432', (lab) =>
  kubeadmDoc(lab, '127.0.0.1:6443'),
);
