import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import type { Peer } from './peer.ts';
import { configFile, mastersOf, runInside, untilAnswers } from './process.ts';

const module = '/usr/lib/nginx/modules/ngx_stream_module.so';

function nginx(
  name: string,
  what: string,
  config: (lab: Lab) => { workers: number; upstream: string; server: string },
): Peer {
  return {
    name,
    what,
    programs: ['/usr/sbin/nginx', module],
    async start(lab, machine) {
      const { workers, upstream, server } = config(lab);
      const file = await configFile(
        'nginx.conf',
        `
load_module ${module};
daemon off;
user root;
worker_processes ${workers};
pid @DIR@/pid;
error_log @DIR@/error.log;
events { worker_connections 3000; }
stream {
  upstream masters {
${upstream}
  }
  server {
    listen 127.0.0.1:6443;
    proxy_pass masters;
${server}
  }
}
`,
      );
      const process = await runInside(lab, machine, ['/usr/sbin/nginx', '-c', file.file]);
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

function servers(lab: Lab, words: string): string {
  return mastersOf(lab)
    .map(({ address }) => `    server ${address}:${lab.spec.apiServerPort}${words};`)
    .join('\n');
}

export const nginxKubespray = nginx('nginx-kubespray', 'nginx stream on the node, kubespray 46dbdd39', (lab) => ({
  workers: 2,
  upstream: `    least_conn;\n${servers(lab, '')}`,
  server: '    proxy_timeout 10m;\n    proxy_connect_timeout 1s;',
}));

export const nginxKubeasz = nginx('nginx-kubeasz', 'nginx stream on the node, kubeasz bed1691c', (lab) => ({
  workers: 1,
  upstream: servers(lab, ' max_fails=2 fail_timeout=3s'),
  server: '    proxy_connect_timeout 1s;',
}));
