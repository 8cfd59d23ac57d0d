/** The served OpenAPI document under Redocly's strictest rules, and some that it leaves to those who want them. */

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { startServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

/** On top of the recommended ones, under which a warning is an error too. */
const rules = {
  'no-invalid-media-type-examples': 'error',
  'no-invalid-parameter-examples': 'error',
  'no-invalid-schema-examples': 'error',
  'no-mixed-number-range-constraints': 'error',
  'no-required-schema-properties-undefined': 'error',
  'no-schema-type-mismatch': 'error',
  'no-undefined-server-variable': 'error',
  'operation-description': 'error',
  'operation-operationId': 'error',
  'operation-singular-tag': 'error',
  'operation-tag-defined': 'error',
  'parameter-description': 'error',
  'path-params-defined': 'error',
  'spec-components-invalid-map-name': 'error',
  'tag-description': 'error',
} as const;

it('the OpenAPI document has nothing against it under the strictest rules', async () => {
  const source = await (await fetch(`${server.origin}/openapi.json`)).text();
  const config = await createConfig({ extends: ['recommended-strict'], rules });
  const problems = await lintFromString({ source, config });
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`),
    [],
  );
});

it('the linter sees what is wrong with it', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what the linter judges.
  const document: any = await (await fetch(`${server.origin}/openapi.json`)).json();
  const { post } = document.paths['/v1/assess'];
  delete post.description;
  post.responses[200].content['application/json'].examples.attack.value.faces = 1;
  const config = await createConfig({ extends: ['recommended-strict'], rules });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  const found = new Set(problems.map(({ ruleId }) => ruleId));
  assert.deepEqual([...found].sort(), ['no-invalid-media-type-examples', 'operation-description']);
});
