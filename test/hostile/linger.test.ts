/** Requests that are refused before their body came, on connections that their clients want closed or that nothing is read of any more: they are closed, and not before the body is here. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { routes } from '../helpers/http.ts';
import { hear, open, untilConnections } from '../helpers/raw.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

const asked = {
  'Connection: close': ['1.1', 'connection: close\r\n'],
  'HTTP/1.0': ['1.0', ''],
  'two hosts': ['1.1', 'host: y\r\n'],
} as const;

describe('a client whose connection is to be closed, and that is refused before its body came', () => {
  for (const [name, [version, line]] of Object.entries(asked)) {
    for (const { name: route, path } of Object.values(routes)) {
      it(`hears so, and has it closed behind its body: ${name}, ${route}`, async () => {
        const socket = await open(server);
        const body = Buffer.alloc(500_000);
        const head = `POST ${path} HTTP/${version}\r\nhost: x\r\n${line}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
        const heard = hear(socket);
        socket.write(head);
        socket.once('data', () => socket.write(body));
        const { text, statuses, isClosed } = await heard;
        assert.match(text, /\r\nconnection: close\r\n/i);
        assert.doesNotMatch(text, /keep-alive/i);
        assert.equal(statuses.length, 1, text);
        assert.ok(isClosed);
        // The body was taken, for nothing resets a connection that was closed in order.
        assert.equal(socket.bytesWritten, head.length + body.length);
        await untilConnections(server, 0);
      });
    }

    it(`may send all before it reads: ${name}`, async () => {
      const socket = await open(server);
      // More than the system holds of it.
      const body = Buffer.alloc(20_000_000);
      const head = `POST ${routes.native.path} HTTP/${version}\r\nhost: x\r\n${line}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
      await new Promise<void>((resolve, reject) => {
        socket.write(Buffer.concat([Buffer.from(head), body]), (error) =>
          error ? reject(error) : resolve(),
        );
      });
      const { statuses, isClosed } = await hear(socket);
      assert.equal(statuses.length, 1);
      assert.ok(isClosed);
    });
  }
});
