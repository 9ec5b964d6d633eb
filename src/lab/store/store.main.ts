import { serveControl } from '../control/server.ts';
import { createStore, type StoreRequest } from './store.ts';

// The store of a lab's stand-ins: `store.main.ts SOCKET`. What it holds ends with it.

const [socket = ''] = process.argv.slice(2);
const store = createStore();
const control = await serveControl(socket, async (request) => store(request as StoreRequest));
const stop = () => {
  control.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
