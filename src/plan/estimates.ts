/**
 * How long things take, in milliseconds, for the estimate of a plan and for progress bars. Measured on one busy machine
 * of two cores, Kubernetes v1.37.2; a plan is right about the order of magnitude.
 */
export const estimates = {
  writeFile: 150,
  command: 300,
  unit: 400,
  hold: 1_000,
  holdEndpoint: 3_000,
  holdReady: 5_000,
  kubeadmInit: 12_000,
  kubeadmJoinMaster: 22_000,
  kubeadmJoinWorker: 4_000,
  kubeadmReset: 5_000,
  credentials: 1_500,
  manifest: 1_500,
  restartPods: 8_000,
  installBundle: 6_000,
  installProgram: 4_000,
  importImages: 15_000,
  pullImages: 20_000,
} as const;
