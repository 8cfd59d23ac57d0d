/** Builds the console into console/dist: the pages, and `capture.js`, the one file with a name that other sites link to. */

import { defineConfig } from 'vite';
import { faceFinderGlue } from './face-finder.ts';

export default defineConfig({
  root: import.meta.dirname,
  // The capture element is loaded from other sites: what it loads is found beside it, not at their root.
  base: './',
  publicDir: false,
  plugins: [faceFinderGlue()],
  build: {
    target: 'es2022',
    // The policy allows no inline script and no data: script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What is served is handed on: the licences of others go with it.
    license: { fileName: 'licences.md' },
    // Swagger UI is one large file, of which only the pages of the APIs know.
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      input: {
        index: `${import.meta.dirname}/index.html`,
        docs: `${import.meta.dirname}/docs.html`,
        capture: `${import.meta.dirname}/src/capture/element.ts`,
      },
      output: {
        entryFileNames: ({ name }) => (name === 'capture' ? 'capture.js' : 'assets/[name]-[hash].js'),
      },
      // The element defines itself when it is imported, and exports its types' names.
      preserveEntrySignatures: 'allow-extension',
    },
  },
});
