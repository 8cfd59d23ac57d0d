/** The types of what is used of Swagger UI, which comes without any. */

declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export type Component = (props: Readonly<Record<string, unknown>>) => unknown;
  export interface React {
    createElement(type: string | Component, props: object | null, ...children: unknown[]): unknown;
  }
  /** For a component's name, what makes another of it. */
  export interface Plugin {
    readonly wrapComponents: Readonly<
      Record<string, (original: Component, system: { readonly React: React }) => Component>
    >;
  }
  interface Options {
    readonly domNode: Element;
    readonly url: string;
    readonly deepLinking: boolean;
    readonly validatorUrl: null;
    readonly queryConfigEnabled: boolean;
    readonly persistAuthorization: boolean;
    readonly displayRequestDuration: boolean;
    readonly defaultModelsExpandDepth: number;
    readonly defaultModelExpandDepth: number;
    readonly tryItOutEnabled: boolean;
    readonly syntaxHighlight: { readonly theme: string };
    readonly plugins: readonly Plugin[];
    /** Once the document was read. */
    onComplete(): void;
  }
  interface Pages {
    /** Fills in a key, by the name of its security scheme. */
    preauthorizeApiKey(scheme: string, key: string): void;
  }
  /** Renders an OpenAPI document into a node of the page. */
  const SwaggerUIBundle: (options: Options) => Pages;
  export default SwaggerUIBundle;
}
