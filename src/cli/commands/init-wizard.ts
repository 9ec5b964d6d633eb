import { cancel, group, intro, select, text } from '@clack/prompts';
import {
  balancerProducts,
  checkEndpoint,
  checkNodes,
  type InitFlags,
  OperatorError,
  strategyChoices,
} from '../../index.ts';

/** Asks on the terminal for what flags would have said. Ctrl-C ends it; nothing was written by then. */
export async function askForFlags(signal: AbortSignal): Promise<InitFlags> {
  intro('A new cluster.yaml. Enter takes what is shown; Ctrl-C stops, and nothing is written.');
  const answers = await group(
    {
      name: () => text({ message: 'Name of the cluster', initialValue: 'prod', signal }),
      masters: () =>
        text({
          message: 'Addresses of the masters',
          placeholder: '10.0.0.1,10.0.0.2,10.0.0.3',
          validate: (value) => checkNodes(value ?? '', 'masters'),
          signal,
        }),
      workers: () =>
        text({
          message: 'Addresses of the workers (empty for none)',
          defaultValue: '',
          validate: (value) => (value ? checkNodes(value, 'workers') : undefined),
          signal,
        }),
      endpoint: () =>
        text({
          message: "The endpoint: the balancer's address or name, and its port",
          placeholder: '172.16.105.26:6443',
          validate: (value) => checkEndpoint(value ?? ''),
          signal,
        }),
      balancer: () =>
        select({
          message: 'What is behind it',
          options: [
            { value: '', label: 'something else, or I do not know' },
            ...balancerProducts.map(({ name, title }) => ({ value: name, label: title })),
          ],
          signal,
        }),
      strategy: () =>
        select({
          message: 'How masters reach it',
          options: strategyChoices.map(({ name, meaning }) => ({ value: name, label: name, hint: meaning })),
          signal,
        }),
      kubernetes: () => text({ message: 'Kubernetes version', initialValue: 'v1.37.2', signal }),
      sshUser: () => text({ message: 'Who logs in by ssh', initialValue: 'root', signal }),
    },
    {
      onCancel: () => {
        cancel('Nothing was written.');
        throw new OperatorError('INTERRUPTED', 'Stopped before anything was written');
      },
    },
  );
  const { balancer, workers, ...rest } = answers;
  return { ...rest, ...(balancer === '' ? {} : { balancer }), ...(workers === '' ? {} : { workers }) };
}
