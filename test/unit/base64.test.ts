/** Images in base64 in JSON, past its parser: what comes of a body is what comes of it where the parser has seen all of it. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { acceptBase64, imageOf, jsonLimit } from '../../src/server/base64.ts';
import { acceptJson } from '../../src/server/body.ts';

const maxImageBytes = 300_000;
let app: FastifyInstance;
/** Whether the image of the latest request came past the parser. */
let isPast = false;

before(() => {
  app = fastify({ bodyLimit: jsonLimit(maxImageBytes) });
  acceptJson(app);
  app.setErrorHandler<Error & { code?: string }>(({ code, message }, _request, reply) =>
    reply.code(400).send({ code, message }),
  );
  const handle = async (request: FastifyRequest) => {
    const body = request.body as Record<string, unknown>;
    const { image: text } = body;
    // Of other fields the names alone: in one that nobody looks at another image may have been taken out.
    const names = Object.keys(body);
    if (typeof text !== 'string') return { names };
    isPast = text === '\0';
    return { names, image: Buffer.from(imageOf(request, text, maxImageBytes)).toString('hex') };
  };
  app.post('/parser', handle);
  app.register(async (scope) => {
    acceptBase64(scope, 'image');
    scope.post('/', handle);
  });
});
after(() => app.close());

/** @returns the status of the answer, and whether the image came past the parser. */
async function ask(body: string | Buffer): Promise<{ status: number; isPast: boolean }> {
  const post = (url: string) => {
    const headers = { 'content-type': 'application/json' };
    // Each of its own: what was read is given back.
    return app.inject({ method: 'POST', url, headers, payload: Buffer.from(body) });
  };
  const expected = await post('/parser');
  isPast = false;
  const found = await post('/');
  const shown = body.toString().slice(0, 200);
  assert.equal(found.body, expected.body, shown);
  assert.equal(found.statusCode, expected.statusCode, shown);
  return { status: found.statusCode, isPast };
}

const base64 = Buffer.alloc(200_000, '>>>???photograph').toString('base64');
/** The same, damaged where the second of the pieces that it is decoded in begins. */
const damaged = (by: string) => `${base64.slice(0, 16_384)}${by}${base64.slice(16_384 + by.length)}`;

describe('an image in base64 goes past the parser', () => {
  const bodies = {
    'where it is all there is': `{"image":"${base64}"}`,
    'of one byte': '{"image":"/w=="}',
    'of as many bytes as are allowed': `{"image":"${Buffer.alloc(300_000).toString('base64')}"}`,
    'with white space around it': ` {\r\n\t"image" \n:\t "${base64}" } `,
    'between other fields': `{"a":[1],"b":"é","image":"${base64}","c":{},"d":"AAAA"}`,
    'where a field has its name for a text': `{"image":"${base64}","a":"image"}`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    it(name, async () => assert.deepEqual(await ask(body), { status: 200, isPast: true }));
  }

  it('and is refused where it has more bytes than are allowed', async () => {
    const body = `{"image":"${Buffer.alloc(300_001).toString('base64')}"}`;
    assert.deepEqual(await ask(body), { status: 400, isPast: true });
  });
});

describe('an image in base64 is left to the parser', () => {
  const bodies = {
    'with its slashes escaped': `{"image":"${base64.replaceAll('/', '\\/')}"}`,
    'beside a text with an escaped quote': `{"a":"\\"image\\":\\"AAAA","image":"${base64}"}`,
    'with its name escaped': `{"im\\u0061ge":"${base64}"}`,
    'behind a text that is its name': `{"a":"image","AAAA":"AAAA","image":"${base64}"}`,
    'behind one of the same name': `{"image":"","image":"${base64}"}`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    it(name, async () => assert.deepEqual(await ask(body), { status: 200, isPast: false }));
  }

  const refused = {
    'that is empty': '{"image":""}',
    'with padding within': `{"image":"${damaged('/w==')}"}`,
    'with a line break': `{"image":"${damaged('\n')}"}`,
    'with a space': `{"image":"${damaged(' ')}"}`,
    'in the URL-safe alphabet': `{"image":"${damaged('-___')}"}`,
    'with letters beyond ASCII': `{"image":"${damaged('é')}"}`,
    'with bytes that are not UTF-8': Buffer.from(`{"image":"${damaged('é')}"}`, 'latin1'),
    'that is cut short': `{"image":"${base64}`,
    'without a colon': `{"image","${base64}"}`,
    'without a field': `"image":"${base64}"`,
    'with bits left over': '{"image":"/x=="}',
  };
  it('and refused that is what the parser is shown of others', async () => {
    assert.equal((await ask('{"image":"\\u0000"}')).status, 400);
  });
  for (const [name, body] of Object.entries(refused)) {
    it(`and refused ${name}`, async () => assert.deepEqual(await ask(body), { status: 400, isPast: false }));
  }
});

it('comes to the same with the parser as without, in bodies of any kind', async () => {
  const random = xoroshiro128plus(11);
  const upTo = (limit: number) => uniformInt(random, 0, limit - 1);
  const names = ['"image"', '"image"', ' "image" ', '"im\\u0061ge"', '"AAAA"', '"a"'];
  const values = [
    ...['"AAAA"', '"/w=="', ' "AAAA" ', '"image"', '""', '"\\u0000"', '"é"', '"A"', '1'],
    ...['{"image":"AAAA"}', '["image","AAAA"]'],
  ];
  const damage = ['"', '\\', ':', ',', '{', '}', '[', ']', ' ', 'image', 'AAAA', '\0', '"image"'];
  const pick = (from: readonly string[]) => from[upTo(from.length)] as string;
  const counts = { taken: 0, past: 0, refused: 0 };
  for (let i = 0; i < 5_000; i++) {
    const members = Array.from({ length: 1 + upTo(3) }, () => `${pick(names)}:${pick(values)}`);
    const parts = [...`{${members.join(',')}}`];
    if (upTo(3) === 0) parts.splice(upTo(parts.length), upTo(2), pick(damage));
    const { status, isPast } = await ask(parts.join(''));
    if (status === 400) counts.refused++;
    else if (isPast) counts.past++;
    else counts.taken++;
  }
  assert.ok(
    Object.values(counts).every((count) => count > 100),
    JSON.stringify(counts),
  );
});
