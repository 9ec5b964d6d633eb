import { documentProblems } from '../../render/kubeadm/api.ts';
import { formatCidr, formatHostPort } from '../../std/address.ts';
import { parseVersion } from '../../std/version.ts';
import type { KubeadmDocument, Spec } from '../spec.ts';
import type { YamlPath } from '../yaml-source.ts';
import { field } from './kubeadm-arguments.ts';
import type { PlacedFinding, Rule } from './rule.ts';

/**
 * Raw documents win over what is generated. Where they would win over a field of the spec that the plan is computed from,
 * kubeadm and hairpin would work towards different clusters: such a field belongs into the spec.
 */
export const kubeadmDocuments: Rule = {
  name: 'kubeadm-documents',
  holds:
    'raw kubeadm documents are ones that this version reads, each kind once, without secrets, and say nothing else than the spec',
  codes: [
    'KUBEADM_DOCUMENT_API',
    'KUBEADM_DOCUMENT_KIND',
    'SPEC_DOCUMENT_CONFLICT',
    'SPEC_DOCUMENT_SECRET',
    'SPEC_DOCUMENT_TWICE',
    'SPEC_VERSION_SKEW',
  ],
  reads: ['kubernetes', 'endpoint', 'apiServerPort', 'kubeadm'],
  check({ spec }) {
    const { documents } = spec.kubeadm;
    const unread = documentProblems(spec.kubernetes.version, documents).map(
      ({ index, code, problem, expected }): PlacedFinding => ({
        at: pathTo(index, ['apiVersion']),
        code,
        problem,
        expected,
      }),
    );
    return [
      ...unread,
      ...twice(documents),
      ...documents.flatMap((document, index) => [
        ...conflicts(document, spec).map((finding) => ({ ...finding, at: pathTo(index, finding.at) })),
        ...secrets(document).map((finding) => ({ ...finding, at: pathTo(index, finding.at) })),
      ]),
    ];
  },
};

function pathTo(index: number, rest: YamlPath): YamlPath {
  return ['spec', 'kubeadm', 'documents', index, ...rest];
}

function twice(documents: readonly KubeadmDocument[]): PlacedFinding[] {
  const seen = new Map<string, number>();
  return documents.flatMap((document, index): PlacedFinding[] => {
    const first = seen.get(document.kind);
    seen.set(document.kind, first ?? index);
    if (first === undefined) return [];
    const problem = `there is a ${document.kind} already (documents[${first}])`;
    return [{ at: pathTo(index, ['kind']), code: 'SPEC_DOCUMENT_TWICE', problem, expected: 'one document of a kind' }];
  });
}

function conflicts(document: KubeadmDocument, spec: Spec): PlacedFinding[] {
  const found: PlacedFinding[] = [];
  const compare = (path: readonly string[], wanted: string | number | undefined, specField: string) => {
    const written = path.reduce<unknown>(field, document);
    if (written === undefined || (wanted !== undefined && same(written, wanted))) return;
    const says = wanted === undefined ? 'says nothing' : `says ${wanted}`;
    found.push({
      at: path,
      code: 'SPEC_DOCUMENT_CONFLICT',
      problem: `${scalar(written)} here, and ${specField} ${says}`,
      hint: `leave it out here and set ${specField}`,
    });
  };
  if (document.kind === 'ClusterConfiguration') {
    const { kubernetes, endpoint } = spec;
    compare(['controlPlaneEndpoint'], formatHostPort(endpoint.host, endpoint.port), 'spec.endpoint');
    compare(['imageRepository'], kubernetes.imageRepository, 'spec.kubernetes.imageRepository');
    compare(['networking', 'podSubnet'], kubernetes.podSubnets.map(formatCidr).join(','), 'spec.kubernetes.podSubnet');
    compare(
      ['networking', 'serviceSubnet'],
      kubernetes.serviceSubnets.map(formatCidr).join(','),
      'spec.kubernetes.serviceSubnet',
    );
    compare(['networking', 'dnsDomain'], kubernetes.dnsDomain, 'spec.kubernetes.dnsDomain');
    found.push(...skew(document, spec));
  }
  if (document.kind === 'InitConfiguration') {
    compare(['localAPIEndpoint', 'bindPort'], spec.apiServerPort, 'spec.apiServerPort');
  }
  if (document.kind === 'JoinConfiguration') {
    compare(['controlPlane', 'localAPIEndpoint', 'bindPort'], spec.apiServerPort, 'spec.apiServerPort');
  }
  return found;
}

function skew(document: KubeadmDocument, { kubernetes }: Spec): PlacedFinding[] {
  const written = field(document, 'kubernetesVersion');
  if (written === undefined || parseVersion(scalar(written))?.text === kubernetes.version.text) return [];
  return [
    {
      at: ['kubernetesVersion'],
      code: 'SPEC_VERSION_SKEW',
      problem: `${scalar(written)} here and ${kubernetes.version.text} in spec.kubernetes.version`,
      hint: 'leave it out here; the version decides which flags and documents kubeadm gets',
    },
  ];
}

/** hairpin makes these itself, short-lived; in a file they would stay. The values are never printed. */
function secrets(document: KubeadmDocument): PlacedFinding[] {
  const places: readonly (readonly string[])[] = [
    ['certificateKey'],
    ['bootstrapTokens'],
    ['controlPlane', 'certificateKey'],
    ['discovery', 'bootstrapToken'],
    ['discovery', 'tlsBootstrapToken'],
  ];
  return places
    .filter((path) => path.reduce<unknown>(field, document) !== undefined)
    .map((path) => ({
      at: path,
      code: 'SPEC_DOCUMENT_SECRET',
      problem: 'a secret that hairpin makes itself, for one run',
      hint: 'leave it out, and treat the one that was here as known to everybody who can read this file',
      atKey: true,
    }));
}

function same(written: unknown, wanted: string | number): boolean {
  return scalar(written).replaceAll(', ', ',') === String(wanted);
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? 'this' : JSON.stringify(value);
}
