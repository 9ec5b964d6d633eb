import type { Handlers } from '../handler.ts';
import { importImages, installBundle } from './bundle.ts';
import { applyManifest, deleteCredentials, deleteNode, removeEtcdMember } from './cluster.ts';
import { copyCertificates, hostsBlock, removeFile, writeFile } from './files.ts';
import { hold } from './hold.ts';
import { deliverCa, joinCredentials, kubeadmCa, kubeadmInit, kubeadmJoin, kubeadmReset } from './kubeadm.ts';
import { installProgram } from './program.ts';
import { restartPods } from './restart-pods.ts';
import { run } from './run.ts';
import { unit } from './unit.ts';

/** One handler a step kind; the list is all that is here. */
export const handlers: Handlers = {
  'write-file': writeFile,
  'remove-file': removeFile,
  run,
  unit,
  hold,
  'kubeadm-init': kubeadmInit,
  'kubeadm-join': kubeadmJoin,
  'join-credentials': joinCredentials,
  'delete-credentials': deleteCredentials,
  'copy-certificates': copyCertificates,
  'hosts-block': hostsBlock,
  'restart-pods': restartPods,
  'apply-manifest': applyManifest,
  'install-bundle': installBundle,
  'import-images': importImages,
  'install-program': installProgram,
  'kubeadm-ca': kubeadmCa,
  'deliver-ca': deliverCa,
  'kubeadm-reset': kubeadmReset,
  'remove-etcd-member': removeEtcdMember,
  'delete-node': deleteNode,
};
