/** The face finder: MediaPipe's BlazeFace for short range, in WebAssembly, from files that lie beside this one. */

import graphUrl from '@mediapipe/face_detection/face_detection_short.binarypb?url';
import modelUrl from '@mediapipe/face_detection/face_detection_short_range.tflite?url';
import type { Runtime } from '@mediapipe/face_detection/face_detection_solution_simd_wasm_bin.js';
import wasmUrl from '@mediapipe/face_detection/face_detection_solution_simd_wasm_bin.wasm?url';
import type { FoundFace, Point } from './guidance.ts';

/** Where the graph looks for its model. */
const modelPath = 'third_party/mediapipe/modules/face_detection/face_detection_short_range.tflite';

export interface Finder {
  /**
   * Finds the faces of a picture that are at least a tenth as wide as it.
   * @returns them in its pixels, in no order.
   * @throws where the finder has failed: it is of no more use.
   */
  find(picture: HTMLCanvasElement): FoundFace[];
}

/** @throws where this browser has no WebGL 2 or no WebAssembly with SIMD, or the page's policy forbids them, or a file does not come. */
export async function loadFinder(): Promise<Finder> {
  const canvas = document.createElement('canvas');
  const gl = canvas.getContext('webgl2');
  if (gl === null) throw new Error('This browser has no WebGL 2.');
  const load = async (url: string) => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} is answered with ${response.status}.`);
    return await response.arrayBuffer();
  };
  // It writes about its progress, and what it cannot do it throws.
  const silence = () => {};
  const startRuntime = async () => {
    const { default: createRuntime } = await import(
      '@mediapipe/face_detection/face_detection_solution_simd_wasm_bin.js'
    );
    return await createRuntime({ locateFile: () => wasmUrl, print: silence, printErr: silence });
  };
  const [runtime, graph, model] = await Promise.all([startRuntime(), load(graphUrl), load(modelUrl)]);
  return startFinder(runtime, { canvas, gl, graph, model });
}

function startFinder(
  runtime: Runtime,
  {
    canvas,
    gl,
    graph,
    model,
  }: { canvas: HTMLCanvasElement; gl: WebGL2RenderingContext; graph: ArrayBuffer; model: ArrayBuffer },
): Finder {
  runtime.canvas = canvas;
  runtime.createContext(canvas, true, true, {});
  const solution = new runtime.SolutionWasm();
  solution.loadGraph(graph);
  solution.overrideFile(modelPath, model);

  let size = { width: 0, height: 0 };
  let found: FoundFace[] = [];
  const streams = new runtime.StringList();
  streams.push_back('detections');
  const listener = runtime.PacketListener.implement({
    onResults(packets) {
      const detections = packets.get(0);
      if (detections === undefined) return;
      const boxes = detections.getRectList();
      const points = detections.getLandmarksList();
      found = Array.from({ length: boxes.size() }, (_, i) => toFace(boxes.get(i), points.get(i), size));
      boxes.delete();
      points.delete();
      detections.delete();
    },
  });
  solution.attachMultiListener(streams, listener);
  streams.delete();

  // The network itself runs in WebAssembly: shaders take seconds to compile, and a graphics card is not everywhere one.
  const options = new runtime.GraphOptionChangeRequestList();
  options.push_back({
    calculatorName: '',
    calculatorType: 'InferenceCalculator',
    calculatorIndex: 0,
    fieldName: 'use_cpu_inference',
    valueNumber: 0,
    valueBoolean: true,
    valueString: '',
  });
  solution.changeOptions(options);
  options.delete();

  const texture = runtime.createTexture();
  let last = 0;
  return {
    find(picture) {
      if (gl.isContextLost()) throw new Error('The browser took WebGL away.');
      size = picture;
      found = [];
      gl.activeTexture(gl.TEXTURE0);
      runtime.bindTexture2d(texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
      runtime.bindTexture2d(0);
      last = Math.max(performance.now() * 1000, last + 1);
      const packets = new runtime.PacketDataList();
      packets.pushTexture2d({
        glName: texture,
        width: picture.width,
        height: picture.height,
        stream: 'input_frames_gpu',
        timestamp: last,
      });
      solution.send(packets);
      packets.delete();
      return found;
    },
  };
}

/** Of MediaPipe's messages NormalizedRect (x, y of the middle, height, width) and NormalizedLandmarkList. */
function toFace(
  rect: Uint8Array,
  list: Uint8Array,
  { width, height }: { width: number; height: number },
): FoundFace {
  const [x = 0, y = 0, tall = 0, wide = 0] = readFloats(rect, 0, rect.length);
  const points: Point[] = [];
  // A list of points: tag 10, length, and that many bytes.
  for (let at = 0; at + 1 < list.length && list[at] === 10; ) {
    const end = at + 2 + (list[at + 1] as number);
    const [px = 0, py = 0] = readFloats(list, at + 2, end);
    points.push({ x: px * width, y: py * height });
    at = end;
  }
  const [rightEye, leftEye, nose, mouth, rightEar, leftEar] = points;
  if (!rightEye || !leftEye || !nose || !mouth || !rightEar || !leftEar) {
    throw new Error('The face finder gave a face without its six points.');
  }
  return {
    box: {
      x0: (x - wide / 2) * width,
      y0: (y - tall / 2) * height,
      x1: (x + wide / 2) * width,
      y1: (y + tall / 2) * height,
    },
    points: { rightEye, leftEye, nose, mouth, rightEar, leftEar },
  };
}

/** The fields of type float (wire type 5) of a protocol buffer, by their number from 1 on. */
function readFloats(bytes: Uint8Array, start: number, end: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats: number[] = [];
  for (let at = start; at < end; ) {
    const tag = bytes[at++] as number;
    // All else in these messages are numbers of one byte.
    if ((tag & 7) !== 5) {
      at++;
      continue;
    }
    floats[(tag >> 3) - 1] = view.getFloat32(at, true);
    at += 4;
  }
  return floats;
}
