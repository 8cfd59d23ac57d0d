/** The types of MediaPipe's glue, as far as the face finder uses them. The package has none for it. */

declare module '@mediapipe/face_detection/face_detection_solution_simd_wasm_bin.js' {
  /** Memory on the side of C++, which nobody collects. */
  interface Deletable {
    delete(): void;
  }

  interface List<Item> extends Deletable {
    size(): number;
    get(i: number): Item;
    push_back(item: Item): void;
  }

  /** Detections as serialised protocol buffers: a rectangle, its points and its score each. */
  interface Detections extends Deletable {
    getRectList(): List<Uint8Array>;
    getLandmarksList(): List<Uint8Array>;
  }

  interface GraphOption {
    readonly calculatorName: string;
    readonly calculatorType: string;
    readonly calculatorIndex: number;
    readonly fieldName: string;
    readonly valueNumber: number;
    readonly valueBoolean: boolean;
    readonly valueString: string;
  }

  interface Packets extends Deletable {
    pushTexture2d(packet: {
      readonly glName: number;
      readonly width: number;
      readonly height: number;
      readonly stream: string;
      /** In microseconds; each later than the one before. */
      readonly timestamp: number;
    }): void;
  }

  interface Solution extends Deletable {
    loadGraph(graph: ArrayBuffer): void;
    overrideFile(path: string, content: ArrayBuffer): void;
    changeOptions(options: List<GraphOption>): void;
    attachMultiListener(streams: List<string>, listener: unknown): void;
    /** Runs the graph to its end, listeners included. @throws what C++ throws; nothing is of use after that. */
    send(packets: Packets): void;
  }

  export interface Runtime {
    canvas: HTMLCanvasElement;
    createContext(canvas: HTMLCanvasElement, useWebGl: true, setInModule: true, attributes: object): unknown;
    createTexture(): number;
    bindTexture2d(name: number): void;
    readonly SolutionWasm: new () => Solution;
    readonly StringList: new () => List<string>;
    readonly GraphOptionChangeRequestList: new () => List<GraphOption>;
    readonly PacketDataList: new () => Packets;
    readonly PacketListener: {
      implement(listener: { onResults(packets: { get(i: number): Detections | undefined }): void }): unknown;
    };
  }

  export default function createRuntime(options: {
    locateFile(name: string): string;
    print(line: string): void;
    printErr(line: string): void;
  }): Promise<Runtime>;
}
