/** What this product uses of npm's own modules, which carry no types. */

declare module '@npmcli/config' {
  export default class Config {
    constructor(options: {
      definitions: object;
      shorthands: object;
      flatten: object;
      nerfDarts: readonly string[];
      npmPath: string;
      execPath: string;
      argv: readonly string[];
      env: Record<string, string | undefined>;
    });
    load(): Promise<void>;
    readonly flat: import('npm-registry-fetch').Options;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const all: {
    definitions: { registry: { default: string } };
    shorthands: object;
    flatten: object;
    nerfDarts: readonly string[];
  };
  export default all;
}

declare module 'npm-registry-fetch' {
  export interface Options {
    registry?: string;
    replaceRegistryHost?: string;
    cache?: string | undefined;
    retry?: { retries: number };
    spec?: string;
    integrity?: string;
    headers?: Record<string, string>;
    signal?: AbortSignal;
  }
  export interface Response {
    headers: { get(name: string): string | null };
    body: {
      on(event: 'error', listener: (error: Error) => void): void;
      pipe(to: import('node:stream').Writable): void;
    };
  }
  function fetch(pathOrUrl: string, options: Options): Promise<Response>;
  namespace fetch {
    function pickRegistry(spec: string, options: Options): string;
  }
  export default fetch;
}
