import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeadmDoc } from './haproxy.ts';
import type { Peer } from './peer.ts';
import { configFile, mastersOf, runInside, untilAnswers } from './process.ts';

/** haproxy of the kubeadm document listens here on both masters. */
const port = 8443;

/**
 * keepalived + haproxy on masters 1 and 2 as in the kubeadm document, one virtual address by VRRP. Needs a lab whose
 * machines share one segment.
 */
export const vipKubeadm: Peer = {
  name: 'vip-kubeadm',
  what: 'keepalived + haproxy on two masters, kubeadm doc 0afcc432',
  programs: ['/usr/sbin/keepalived', '/usr/sbin/haproxy', '/usr/bin/curl'],
  async start(lab, machine) {
    const pair = mastersOf(lab).slice(0, 2);
    const address = pair[0]?.address ?? '';
    const vip = address.replace(/\.\d+$/, '.250');
    const running: AsyncDisposable[] = [];
    for (const [i, { name }] of pair.entries()) {
      const proxy = await configFile('haproxy.cfg', kubeadmDoc(lab, `*:${port}`));
      running.push(proxy, await runInside(lab, name, ['/usr/sbin/haproxy', '-db', '-f', proxy.file]));
      const file = await configFile('keepalived.conf', keepalivedConf(i, vip));
      const script = join(file.dir, 'check_apiserver.sh');
      await writeFile(
        script,
        `#!/bin/sh\ncurl -sfk --max-time 2 https://localhost:${port}/healthz -o /dev/null || exit 1\n`,
      );
      await chmod(script, 0o755);
      running.push(
        file,
        await runInside(lab, name, [
          '/usr/sbin/keepalived',
          '-n',
          '-l',
          '-f',
          file.file,
          '-p',
          join(file.dir, 'pid'),
          '-c',
          join(file.dir, 'checkers.pid'),
          '-r',
          join(file.dir, 'vrrp.pid'),
        ]),
      );
    }
    await untilAnswers(lab, machine, `https://${vip}:${port}/readyz`);
    return {
      host: vip,
      port,
      async [Symbol.asyncDispose]() {
        for (const one of running.toReversed()) await one[Symbol.asyncDispose]();
      },
    };
  },
};

function keepalivedConf(index: number, vip: string): string {
  return `
global_defs {
  router_id LVS_DEVEL
  script_user root
  enable_script_security
}
vrrp_script check_apiserver {
  script "@DIR@/check_apiserver.sh"
  interval 3
  weight -2
  fall 10
  rise 2
}
vrrp_instance VI_1 {
  state ${index === 0 ? 'MASTER' : 'BACKUP'}
  interface eth0
  virtual_router_id 51
  priority ${101 - index}
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass 42
  }
  virtual_ipaddress {
    ${vip}
  }
  track_script {
    check_apiserver
  }
}
`;
}
