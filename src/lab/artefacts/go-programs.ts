/**
 * CoreDNS with the plugins that kubeadm's Corefile names, and those that people add to it most (hosts, log, rewrite,
 * template). Its other plugins pull in the SDKs of three clouds, which is two thirds of the time that CoreDNS takes to
 * compile. Plugins run in the order of dnsserver.Directives, whatever the order of imports.
 */
export const corednsMain = `package main

import (
	"github.com/coredns/coredns/coremain"

${[
  'cache',
  'errors',
  'forward',
  'health',
  'hosts',
  'kubernetes',
  'loadbalance',
  'log',
  'loop',
  'metrics',
  'ready',
  'reload',
  'rewrite',
  'template',
]
  .map((plugin) => `\t_ "github.com/coredns/coredns/plugin/${plugin}"`)
  .join('\n')}
)

func main() { coremain.Run() }
`;

/** Holds a pod's namespaces: first process of each pod, so it also reaps what others leave behind. */
export const pauseMain = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
`;

export const pauseGoMod = 'module hairpin.lab/pause\n\ngo 1.19\n';
