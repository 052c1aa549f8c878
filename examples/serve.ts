/** Serves a model of nnU-Net v1 or v2 over HTTP, until SIGTERM or Ctrl-C. Usage: node serve.js MODEL_FOLDER [PORT] */
import { loadModel } from 'nnunet-diag';
import { segmentationServer } from './server.js';

const [folder, port = '8080'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node serve.js MODEL_FOLDER [PORT]');
const model = await loadModel(folder);
const server = segmentationServer(model);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await server.close();
    await model.close();
  });
}
// Put a proxy with TLS and authentication before it to serve other machines.
await server.listen({ host: '127.0.0.1', port: Number(port) });
