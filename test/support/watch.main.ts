import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';

// A watch over HTTP/2 as a Kubernetes client makes one: `watch.main.ts '{"origin":…,"caFile":…,"since":…,"events":5}'`
// verifies the server's certificate, reads that many events and prints the versions and who served them.

interface Wanted {
  readonly origin: string;
  readonly caFile: string;
  readonly since?: string;
  readonly events: number;
}

const { origin, caFile, since, events } = JSON.parse(process.argv[2] ?? '') as Wanted;
const session = connect(origin, { ca: readFileSync(caFile) });
session.once('error', (error) => {
  process.stdout.write(JSON.stringify({ problem: error.message }));
  process.exit(0);
});
const version = since === undefined ? '' : `&resourceVersion=${since}`;
const stream = session.request({ ':path': `/api/v1/namespaces/lab/configmaps?watch=true${version}` });
let machine = '';
let client = '';
let text = '';
stream.once('response', (headers) => {
  machine = String(headers['x-lab-machine']);
  client = String(headers['x-lab-client']);
});
stream.setEncoding('utf8');
stream.on('data', (chunk: string) => {
  text += chunk;
  const lines = text.split('\n').slice(0, -1);
  if (lines.length < events) return;
  const seen = lines.slice(0, events).map((line) => {
    const { type, object } = JSON.parse(line) as {
      type: string;
      object: { metadata: { resourceVersion?: string }; code?: number };
    };
    return { type, version: Number(object.metadata.resourceVersion ?? object.code) };
  });
  process.stdout.write(JSON.stringify({ machine, client, seen }));
  process.exit(0);
});
