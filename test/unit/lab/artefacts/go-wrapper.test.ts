import { describe, expect, test } from 'vitest';
import { type GoMod, stagingVersion, wrapperGoMod } from '../../../../src/lab/artefacts/go-wrapper.ts';

const kubernetes: GoMod = {
  Module: { Path: 'k8s.io/kubernetes' },
  Go: '1.26.0',
  Godebug: [{ Key: 'default', Value: 'go1.26' }],
  Require: [
    { Path: 'github.com/spf13/cobra', Version: 'v1.10.2' },
    { Path: 'k8s.io/api', Version: 'v0.0.0' },
    { Path: 'k8s.io/kube-openapi', Version: 'v0.0.0-20260721132016-d427ff9ee9ad' },
    { Path: 'golang.org/x/sys', Version: 'v0.46.0', Indirect: true },
  ],
  Replace: [
    { Old: { Path: 'k8s.io/api' }, New: { Path: './staging/src/k8s.io/api' } },
    { Old: { Path: 'example.com/fork', Version: 'v1.0.0' }, New: { Path: 'example.com/ours', Version: 'v1.0.1' } },
  ],
};

describe('wrapperGoMod()', () => {
  test('takes staging modules in their published version, and keeps every other version', () => {
    const required = [{ path: 'k8s.io/kubernetes', version: 'v1.37.2' }];
    expect(
      wrapperGoMod('hairpin.lab/kubernetes', kubernetes, required, stagingVersion('v1.37.2')),
    ).toBe(`module hairpin.lab/kubernetes

go 1.26.0

godebug default=go1.26

require (
	k8s.io/kubernetes v1.37.2
	github.com/spf13/cobra v1.10.2
	k8s.io/api v0.37.2
	k8s.io/kube-openapi v0.0.0-20260721132016-d427ff9ee9ad
	golang.org/x/sys v0.46.0
)

replace (
	k8s.io/api => k8s.io/api v0.37.2
	example.com/fork v1.0.0 => example.com/ours v1.0.1
)
`);
  });

  test('leaves replacements by directories out where the required versions are published (etcd)', () => {
    const etcd: GoMod = {
      Module: { Path: 'go.etcd.io/etcd/server/v3' },
      Go: '1.26',
      Require: [{ Path: 'go.etcd.io/etcd/api/v3', Version: 'v3.7.0' }],
      Replace: [{ Old: { Path: 'go.etcd.io/etcd/api/v3' }, New: { Path: '../api' } }],
    };
    const required = ['go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/etcdctl/v3'].map((path) => ({
      path,
      version: 'v3.7.0',
    }));
    expect(wrapperGoMod('hairpin.lab/etcd', etcd, required, undefined)).toBe(`module hairpin.lab/etcd

go 1.26

require (
	go.etcd.io/etcd/server/v3 v3.7.0
	go.etcd.io/etcd/etcdctl/v3 v3.7.0
	go.etcd.io/etcd/api/v3 v3.7.0
)
`);
  });
});
