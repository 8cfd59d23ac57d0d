/** Forms, in each dialect that takes them: no more bytes than any other body of the route, and no more parts than it has fields for. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { keyed, routes } from '../helpers/http.ts';
import { readPhotos } from '../helpers/pictures.ts';
import { open } from '../helpers/raw.ts';
import { keepLog, startServer, type TestServer } from '../helpers/server.ts';

const photos = await readPhotos();
const maxImageBytes = 1_000_000;
/** A hundred times what the larger of the two limits is; each reads on for a while, but not for that long. */
const endless = 400_000_000;
const log = keepLog();
let server: TestServer;

before(async () => {
  server = await startServer({ maxImageBytes, log });
});
after(() => server.close());

const part = (disposition: string, content: string) =>
  `--b\r\n${disposition && `content-disposition: form-data; ${disposition}\r\n`}\r\n${content}\r\n`;
const field = (name: string, content = 'a') => part(`name="${name}"`, content);

for (const { route, image, tooLarge } of [
  { route: routes.nhn, image: 'imageFile', tooLarge: /"resultCode":-45020/ },
  { route: routes.native, image: 'image', tooLarge: /"code":"too_many_bytes"/ },
]) {
  const picture = part(`name="${image}"; filename="a.jpg"`, photos.face.toString('latin1'));
  const head = (framing: string) => {
    const headers = keyed(route, { host: 'a', 'content-type': 'multipart/form-data; boundary=b' });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${route.path} HTTP/1.1\r\n${lines.join('')}${framing}\r\n\r\n`;
  };
  const chunk = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n`;
  /** What came of a request before it was at its end. */
  const lastOutcome = () => {
    const line = log.lines.findLast((one) => one.includes('"outcome"')) ?? '{}';
    return JSON.parse(line).outcome;
  };

  describe(`the bytes of a form: ${route.name}`, () => {
    it('are refused at once where there are to be too many', async () => {
      const socket = await open(server);
      socket.write(head('content-length: 5000000000') + part(`name="${image}"; filename="a"`, 'a'));
      const [answer] = await once(socket, 'data');
      socket.destroy();
      assert.match(`${answer}`, tooLarge);
    });

    for (const [name, start] of [
      ['before the first part', ''],
      ['in a file', `--b\r\ncontent-disposition: form-data; name="${image}"; filename="a"\r\n\r\n`],
      ['in a field', '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n'],
      ['in the head of a part', '--b\r\ncontent-disposition: form-data; name="a'],
      ['behind the last part', `${picture}--b--\r\n`],
    ] as const) {
      it(`are refused when there are too many: ${name}`, { timeout: 20_000 }, async () => {
        const socket = await open(server);
        let answer = '';
        socket.on('data', (bytes) => {
          answer += bytes;
        });
        socket.write(head('transfer-encoding: chunked') + chunk(start || 'a'), 'latin1');
        const piece = Buffer.from(chunk('a'.repeat(50_000)));
        let sent = 0;
        while (answer === '' && sent < endless) {
          sent += 50_000;
          if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'data')]);
          // Else nothing that comes would be seen.
          await new Promise(setImmediate);
        }
        socket.destroy();
        assert.match(answer, tooLarge, `${sent} bytes were sent`);
      });
    }
  });

  describe(`the parts of a form: ${route.name}`, () => {
    async function refusalOf(...parts: string[]): Promise<string> {
      const body = Buffer.from(`${parts.join('')}--b--\r\n`, 'latin1');
      const headers = keyed(route, { 'content-type': 'multipart/form-data; boundary=b' });
      const response = await fetch(server.origin + route.path, { method: 'POST', headers, body });
      await response.arrayBuffer();
      assert.equal(lastOutcome(), 'invalid_request');
      const refused = log.lines.findLast((one) => one.includes('"refused"')) ?? '{}';
      return JSON.parse(refused).reason;
    }

    const tooMany = 'The form has more parts than are allowed.';
    it('are one file', async () => assert.equal(await refusalOf(picture, picture), tooMany));
    it('are five', async () => {
      assert.equal(
        await refusalOf(...['a', 'b', 'c', 'd', 'e'].map((name) => field(name)), picture),
        tooMany,
      );
    });
    it('are five, those without a name too', async () => {
      assert.equal(await refusalOf(...Array<string>(5).fill(part('', 'a')), picture), tooMany);
    });
    it('are passed over where they have no name, however large', async () => {
      const nameless = part('', 'a'.repeat(200_000));
      assert.notEqual(await refusalOf(nameless), tooMany);
      const body = Buffer.from(`${nameless}${picture}--b--\r\n`, 'latin1');
      const headers = keyed(route, { 'content-type': 'multipart/form-data; boundary=b' });
      const response = await fetch(server.origin + route.path, { method: 'POST', headers, body });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
      assert.match(lastOutcome(), /^(live|attack)$/);
    });
    it('are fields of a thousand bytes', async () => {
      const reason = 'A field of the form has more than 1000 bytes.';
      assert.equal(await refusalOf(field('spoofingCondition', 'a'.repeat(1_001)), picture), reason);
      assert.notEqual(await refusalOf(field('spoofingCondition', 'a'.repeat(1_000)), picture), reason);
    });
  });
}
