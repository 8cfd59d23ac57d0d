/** What fuzzing found, each by itself. */

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Connection } from '../helpers/fuzz/connection.ts';
import { keyed, routes } from '../helpers/http.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

/** A request by its head and its body, with the length of the body. */
function post(path: string, headers: Readonly<Record<string, string>>, body: Buffer): Buffer {
  const all = { host: 'localhost', ...headers, 'content-length': `${body.length}` };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

it('a body that is refused does not end its connection', async () => {
  const { argos } = routes;
  const connection = new Connection(server.origin);
  const headers = keyed(argos, { 'content-type': 'application/json' });
  for (const body of ['{', '{"faceImage":"?"}', '{"faceImage":1}']) {
    const refused = await connection.send(post(argos.path, headers, Buffer.from(body)), false, false);
    assert.match(refused?.text ?? '', /"errorCode":/);
    assert.equal(refused?.headers.get('connection'), 'keep-alive');
  }
  const next = await connection.send(Buffer.from('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'), false, false);
  assert.equal(next?.text, '{"status":"ok"}');
  connection.close();
});

it('who is refused is told for how long the connection is kept, as who is answered', async () => {
  const connection = new Connection(server.origin);
  for (const path of ['/livez', '/nowhere']) {
    const answer = await connection.send(
      Buffer.from(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`),
      false,
      false,
    );
    assert.match(answer?.headers.get('keep-alive') ?? '', /^timeout=/, path);
  }
  connection.close();
});

// Seed 12: the parser of the form had stopped reading, and nobody read on.
it('a form that is refused amid its body does not hold up the next request on its connection', async () => {
  const { nhn } = routes;
  const file = 'Content-Disposition: form-data; name="imageFile"; filename="x.png"';
  // A boundary longer than a parser is to take, a part whose head has a wrong end, and after it one file too many.
  const boundary = 'x'.repeat(500);
  const parts = [
    `${file}\n\r\n${'['.repeat(200_000)}`,
    `${file}\r\n\r\n`,
    `${file}\r\n\r\n${'x'.repeat(500)}`,
  ];
  const form = Buffer.from(
    `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`,
  );
  const connection = new Connection(server.origin);
  const headers = keyed(nhn, { 'content-type': `multipart/form-data; boundary=${boundary}` });
  const refused = await connection.send(post(nhn.path, headers, form), false, false);
  assert.match(refused?.text ?? '', /-40000/);
  assert.equal(refused?.headers.get('connection'), 'keep-alive');
  const next = await connection.send(Buffer.from('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'), false, false);
  assert.equal(next?.text, '{"status":"ok"}');
  connection.close();
});
