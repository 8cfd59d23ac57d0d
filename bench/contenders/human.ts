/**
 * The npm package @vladmandic/human on its wasm backend: face detection, mesh, antispoof and liveness, all else off. Argument: the folder
 * that it is installed in.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { answerOrders } from './orders.ts';

/** What is used of it; its own types are not installed here. */
interface Human {
  readonly tf: {
    tensor(values: Uint8Array, shape: number[], type: 'int32'): unknown;
    dispose(tensor: unknown): void;
  };
  load(): Promise<void>;
  detect(tensor: unknown): Promise<{
    readonly face: readonly { readonly mesh: unknown[]; readonly real?: number; readonly live?: number }[];
  }>;
}

const packageFolder = (name: string) => join(process.argv[2] as string, 'node_modules', name);
const require = createRequire(import.meta.url);

// It loads its models by fetch, which on Node reads no files.
const fetchRemote = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const address = String(input);
  if (!address.startsWith('file:')) return await fetchRemote(input, init);
  const type = address.endsWith('.json') ? 'application/json' : 'application/octet-stream';
  return new Response(await readFile(fileURLToPath(address)), { headers: { 'content-type': type } });
};

const { Human } = require(join(packageFolder('@vladmandic/human'), 'dist', 'human.node-wasm.js')) as {
  Human: new (config: object) => Human;
};
/** Pictures that are alike would otherwise be taken for frames of one video, and most of the work left out. */
const everyTime = { skipFrames: 0, skipTime: 0 };
const off = { enabled: false };
const human = new Human({
  backend: 'wasm',
  wasmPath: `${join(packageFolder('@tensorflow/tfjs-backend-wasm'), 'dist')}/`,
  modelBasePath: `file://${join(packageFolder('@vladmandic/human'), 'models')}/`,
  debug: false,
  cacheSensitivity: 0,
  skipAllowed: false,
  filter: off,
  gesture: off,
  body: off,
  hand: off,
  object: off,
  segmentation: off,
  face: {
    enabled: true,
    detector: { ...everyTime, rotation: false, maxDetected: 1 },
    mesh: { enabled: true },
    antispoof: { enabled: true, ...everyTime },
    liveness: { enabled: true, ...everyTime },
    attention: off,
    iris: off,
    description: off,
    emotion: off,
  },
});
await human.load();

await answerOrders(async (bytes) => {
  const { data, info } = await sharp(bytes).rotate().raw().toBuffer({ resolveWithObject: true });
  const tensor = human.tf.tensor(data, [1, info.height, info.width, 3], 'int32');
  const { face } = await human.detect(tensor);
  human.tf.dispose(tensor);
  const [first] = face;
  // Less work than this would not be compared.
  if (first?.real === undefined || first.live === undefined || first.mesh.length < 68) {
    throw new Error(
      `It left out work: mesh ${first?.mesh.length}, antispoof ${first?.real}, liveness ${first?.live}.`,
    );
  }
  return { faces: face.length };
});
