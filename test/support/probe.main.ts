import { runHairpinProbe } from '../../src/balancer/probe/run-probe.ts';
import { openLab } from '../../src/lab/runtime/open-lab.ts';
import { silent } from '../../src/report/event.ts';
import { probeRequest } from './probe-lab.ts';

// A process that probes a lab, to be killed.
const lab = await openLab(process.argv[2] ?? '');
await runHairpinProbe(probeRequest(lab), { signal: new AbortController().signal, emit: silent });
