/** What is used of WebAssembly, which TypeScript knows as a part of browsers alone. */

declare namespace WebAssembly {
  function compile(bytes: Uint8Array): Promise<Module>;
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    /** @param pages of 64 KiB. */
    grow(pages: number): number;
  }
}
