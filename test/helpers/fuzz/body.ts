/** Bodies that are nearly what the OpenAPI document asks for, or nothing like it. */

import { readFile } from 'node:fs/promises';
import fc, { type Arbitrary } from 'fast-check';
import sharp from 'sharp';
import { portraitBytes } from '../../../src/dialects/portrait.ts';
import { mutationsOf } from '../hostile/mutations.ts';
import { plainPng, readPhotos } from '../pictures.ts';
import { bombs } from './bombs.ts';
import { misplacedKey } from './secrets.ts';
import { text } from './text.ts';

/** A body and the media type that it is sent with. */
export interface Body {
  readonly type: string | undefined;
  readonly bytes: Uint8Array;
}

/** Pictures that are sound and small. */
export interface Pictures {
  /** With nobody in it: soon assessed. */
  readonly plain: Buffer;
  readonly portrait: Buffer;
  /** One of each format and coding, to be mutated. */
  readonly ofEachKind: readonly Buffer[];
}

export async function readPictures(): Promise<Pictures> {
  const { face } = await readPhotos();
  const small = sharp(face).resize(96, 96);
  const heic = await readFile(new URL('../../fixtures/portrait.heic', import.meta.url));
  const ofEachKind = await Promise.all([
    small.clone().jpeg().toBuffer(),
    small.clone().jpeg({ progressive: true }).toBuffer(),
    small.clone().png().toBuffer(),
    small.clone().png({ palette: true, progressive: true }).toBuffer(),
    small.clone().webp().toBuffer(),
    small.clone().ensureAlpha(0.5).webp({ lossless: true }).toBuffer(),
    small.clone().gif().toBuffer(),
    small.clone().tiff({ compression: 'lzw' }).toBuffer(),
    small.clone().tiff({ compression: 'deflate', tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer(),
    small.clone().ensureAlpha(0.5).avif({ effort: 0 }).toBuffer(),
  ]);
  return { plain: await plainPng(96, 96), portrait: portraitBytes, ofEachKind: [...ofEachKind, heic] };
}

/** Pictures with bytes turned, cut out, doubled and exchanged. */
function mutated({ ofEachKind }: Pictures): Arbitrary<Buffer> {
  const files = ofEachKind.map((bytes) => ({ name: 'sound', bytes }));
  return fc
    .tuple(fc.constantFrom(...files), fc.integer())
    .map(([file, seed]) => mutationsOf([file, ...files], seed, 1).map(({ bytes }) => bytes)[0] as Buffer);
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly format?: string;
  readonly maxProperties?: number;
  readonly contentMediaType?: string;
}

/** Bodies that are exactly what is asked for, with a picture that comes to the decoder or an address that may not be asked. */
export function rightBodies(
  content: Readonly<Record<string, { schema: object }>>,
  known: Pictures,
): Arbitrary<Body> {
  // A face takes three times as long as none.
  const pictures = fc.oneof(
    { weight: 8, arbitrary: fc.constant(known.plain) },
    { weight: 2, arbitrary: fc.constant(known.portrait) },
    { weight: 3, arbitrary: mutated(known) },
  );
  return fc.oneof(
    ...Object.entries(content).map(([type, { schema }]): Arbitrary<Body> => {
      const value = pictures.chain((picture) => right(schema as Schema, '', picture));
      switch (type) {
        case 'application/json':
          return value.map((document) => ({ type, bytes: Buffer.from(JSON.stringify(document)) }));
        case 'multipart/form-data':
          return value.map((fields) => rightForm(fields as Readonly<Record<string, string | Buffer>>));
        default:
          return pictures.map((bytes) => ({ type, bytes }));
      }
    }),
  );
}

/** Values that are of the schema, with as many of its members as it likes. */
function right(schema: Schema, name: string, picture: Buffer): Arbitrary<unknown> {
  if (name === 'bytes' || name === 'faceImage') return fc.constant(picture.toString('base64'));
  if (name === 'url') return url;
  if (schema.contentMediaType !== undefined) return fc.constant(picture);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const members = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([member, own]) => [member, right(own, member, picture)]),
  );
  return schema.maxProperties === 1
    ? fc.oneof(...Object.entries(members).map(([member, own]) => fc.record({ [member]: own })))
    : fc.record(members, { requiredKeys: [...(schema.required ?? [])] });
}

function rightForm(fields: Readonly<Record<string, string | Buffer>>): Body {
  const boundary = 'b';
  const parts = Object.entries(fields).map(([field, value]) => {
    const file = typeof value === 'string' ? '' : '; filename="x.png"';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${file}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(value as Buffer), Buffer.from('\r\n')]);
  });
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** As large as the body of any dialect may be, or NHN's. */
const fullSizes = [26_680_000, 4_010_000];

/** Bodies that are far more work than their bytes, at full size. */
export const bombBodies: Arbitrary<Body> = fc
  .tuple(fc.constantFrom(...Object.values(bombs)), fc.constantFrom(...fullSizes))
  .map(([make, size]) => ({ type: 'application/json', bytes: make(size) }));

/** @param picture bytes of a picture that is sound and soon assessed. */
export function bodies(
  content: Readonly<Record<string, { schema: object }>>,
  picture: Buffer,
): Arbitrary<Body> {
  const json = content['application/json'];
  const form = content['multipart/form-data'];
  const kinds: Arbitrary<Body>[] = [fc.record({ type: mediaType, bytes: junk(picture) })];
  if (json !== undefined) kinds.push(jsonBody(json.schema, picture), jsonBody(json.schema, picture));
  if (form !== undefined) {
    kinds.push(formBody(Object.keys((form.schema as Schema).properties ?? {}), picture));
  }
  if ('image/jpeg' in content) {
    kinds.push(fc.record({ type: fc.constantFrom(...Object.keys(content)), bytes: junk(picture) }));
  }
  return fc.oneof(...kinds);
}

const mediaType = fc.oneof(
  fc.constantFrom(
    undefined,
    '',
    'application/json',
    'application/json; charset=utf-16',
    'application/json;charset=utf-8;charset=utf-7',
    'APPLICATION/JSON',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/html',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="',
    'multipart/mixed; boundary=b',
    'image/jpeg',
    'image/svg+xml',
    'image/*',
    '*/*',
    'a/b/c',
    ';',
  ),
  text,
);

const junk = (picture: Buffer): Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.constant(new Uint8Array()),
    fc.uint8Array({ maxLength: 200 }),
    fc.nat({ max: picture.length }).map((length) => picture.subarray(0, length)),
    text.map((value) => Buffer.from(value)),
    fc.constant(Buffer.alloc(200_000, '[')),
  );

/** The picture in base64, and what is nearly that. */
function base64(picture: Buffer): Arbitrary<string> {
  const sound = picture.toString('base64');
  return fc.oneof(
    fc.constantFrom(
      sound,
      '',
      '=',
      '====',
      'A',
      'AA',
      'AA=',
      'AAAA=',
      sound.slice(0, -1),
      `${sound}=`,
      `${sound}\n`,
      ` ${sound}`,
      sound.replace(/(.{76})/g, '$1\r\n'),
      sound.replaceAll('+', '-').replaceAll('/', '_'),
      `data:image/png;base64,${sound}`,
      encodeURIComponent(sound),
      `${sound}\0`,
      sound.replace(/.$/, 'é'),
      'A'.repeat(50_000),
      // Bits beyond the last byte that are not 0: another text of the same bytes.
      'AB==',
    ),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    text,
  );
}

/** Addresses none of which lead anywhere: names would be asked of a name server. */
const url = fc.constantFrom(
  'http://127.0.0.1/',
  'http://0x7f.1/',
  'http://2130706433:80/',
  'http://[::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://0/',
  'https://user:password@10.0.0.1/',
  `https://user:${misplacedKey}@10.0.0.1/`,
  `http://127.0.0.1/photo?signature=${misplacedKey}`,
  'http://127.0.0.1:99999/',
  'http://127.0.0.1:22/',
  'http://%31%32%37.0.0.1/',
  'http:127.0.0.1',
  'http:///',
  '//127.0.0.1/',
  'file:///etc/passwd',
  'gopher://127.0.0.1/',
  'data:image/png;base64,AAAA',
  'blob:null/1',
  'javascript:alert(1)',
  'ftp://127.0.0.1/',
  'http://127.0.0.1/\r\nx: y',
  'http://',
  ':',
  '',
);

const wrongValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  text,
  fc.constantFrom<unknown>(null, true, [], {}, [[[]]], 0, -1, 1.5, 1e21, 2 ** 53, -0, [null], { '': 1 }),
);

const wrongName = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '',
  'image',
  'Image',
  'x',
  '\0',
  '0',
);

/** Values that are mostly of the schema. */
function near(schema: Schema, name: string, picture: Buffer): Arbitrary<unknown> {
  return fc.oneof(
    { weight: 9, arbitrary: like(schema, name, picture) },
    { weight: 1, arbitrary: wrongValue },
  );
}

function like(schema: Schema, name: string, picture: Buffer): Arbitrary<unknown> {
  if (name === 'bytes' || name === 'faceImage') return base64(picture);
  if (name === 'url') return url;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => like(one, name, picture)));
  switch (schema.type) {
    case 'object': {
      const members = Object.entries(schema.properties ?? {}).map(
        ([member, own]) => [member, near(own, member, picture)] as const,
      );
      return fc
        .tuple(
          fc.record(Object.fromEntries(members), { requiredKeys: [] }),
          fc.oneof(
            { weight: 8, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(fc.tuple(wrongName, wrongValue)) },
          ),
        )
        .map(([record, more]) => Object.fromEntries([...Object.entries(record), ...more]));
    }
    case 'array':
      return fc.array(near(schema.items ?? {}, name, picture), { maxLength: 5 });
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer(),
        fc.nat({ max: 1_000 }),
        fc.double(),
        fc.constantFrom(0, -1, 1e308, 2 ** 53),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return schema.format === 'date-time'
        ? fc.oneof(
            fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
            text,
          )
        : text;
  }
}

/** What may be wrong with the text of a JSON document that was right. */
const spoilers: Arbitrary<(json: string) => string | Uint8Array> = fc.constantFrom(
  (json) => json.slice(0, -1),
  (json) => `${json},`,
  (json) => `\ufeff${json}`,
  (json) => `// ${json}`,
  (json) => json.replaceAll('"', "'"),
  (json) => json.replace('{', '{"image":1,"image":2,'),
  (json) => json.replace('{', '{"__proto__":{"x":1},"constructor":{"prototype":1},'),
  (json) => json.replace('{', '{"\\u005f_proto__":1,'),
  (json) => json.replace('{', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},`),
  (json) => '[1,'.repeat(30_000) + json,
  (json) => '{"a":'.repeat(5_000) + json + '}'.repeat(5_000),
  (json) => json.replace('{', '{"x":1e99999,"y":-1e-99999,'),
  (json) => json.replace('{', `{"x":${'9'.repeat(10_000)},`),
  (json) => json.replace('{', '{"\\ud800":"\\udfff",'),
  (json) => json.replace('{', '{"\\x00":1,'),
  (json) => json.replace('{', `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":0,`).join('')}`),
  (json) => Buffer.from(json, 'utf16le'),
  (json) =>
    Buffer.concat([
      Buffer.from(json.slice(0, 9)),
      Buffer.from([0xc0, 0x80, 0xff, 0xed, 0xa0, 0x80]),
      Buffer.from(json.slice(9)),
    ]),
);

function jsonBody(schema: object, picture: Buffer): Arbitrary<Body> {
  const document = near(schema as Schema, '', picture).map((value) => JSON.stringify(value) ?? '');
  const spoilt = fc.tuple(document, spoilers).map(([json, spoil]) => spoil(json));
  return fc.record({
    type: fc.oneof(
      { weight: 9, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: mediaType },
    ),
    bytes: fc
      .oneof({ weight: 3, arbitrary: document }, { weight: 1, arbitrary: spoilt })
      .map((value) => Buffer.from(value)),
  });
}

interface Part {
  readonly head: string;
  readonly content: Uint8Array;
}

function formBody(fields: readonly string[], picture: Buffer): Arbitrary<Body> {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...fields) },
    { weight: 1, arbitrary: wrongName },
    { weight: 1, arbitrary: text },
  );
  const disposition = fc.oneof(
    { weight: 4, arbitrary: name.map((field) => `form-data; name="${field}"; filename="x.png"`) },
    { weight: 2, arbitrary: name.map((field) => `form-data; name="${field}"`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'form-data',
        'attachment; name="imageFile"',
        'form-data; name=',
        'form-data; name="image',
        `form-data; name="image"; filename*=UTF-8''%ff%00`,
        'form-data; filename="x"',
        `form-data; name="image"; filename="${'x'.repeat(9_000)}"`,
        'form-data; name="image"; name="imageFile"; filename="../../x"',
      ),
    },
  );
  const head = fc.oneof(
    {
      weight: 8,
      arbitrary: disposition.map((value) => `Content-Disposition: ${value}\r\nContent-Type: image/png\r\n`),
    },
    { weight: 1, arbitrary: disposition.map((value) => `Content-Disposition: ${value}\n`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'x\r\n', ': \r\n', `${'a: b\r\n'.repeat(3_000)}`) },
  );
  const content = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Uint8Array>(picture) },
    { weight: 1, arbitrary: fc.constantFrom('balanced', 'weak').map((value) => Buffer.from(value)) },
    { weight: 1, arbitrary: junk(picture) },
  );
  const parts: Arbitrary<readonly Part[]> = fc.oneof(
    { weight: 9, arbitrary: fc.array(fc.record({ head, content }), { maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: head.map((one) =>
        Array.from({ length: 1_000 }, () => ({ head: one, content: Buffer.from('x') })),
      ),
    },
  );
  const boundary = fc.constantFrom(
    'b',
    '----WebKitFormBoundary0123456789',
    'x'.repeat(70),
    'x'.repeat(500),
    "'()+_,-./:=?",
    '--',
  );
  const end = fc.oneof(
    { weight: 6, arbitrary: fc.constant('--\r\n') },
    { weight: 1, arbitrary: fc.constantFrom('', '-', '\r\n', '\n', '--junk behind the end') },
  );
  const lineEnd = fc.oneof(
    { weight: 9, arbitrary: fc.constant('\r\n') },
    { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '') },
  );
  return fc
    .record({ boundary, parts, end, lineEnd, isQuoted: fc.boolean(), isSaid: fc.nat({ max: 9 }) })
    .map((form) => {
      const pieces = form.parts.flatMap((part) => [
        `--${form.boundary}${form.lineEnd}${part.head}${form.lineEnd}`,
        part.content,
        form.lineEnd,
      ]);
      const said = form.isSaid === 0 ? 'another' : form.boundary;
      return {
        type: `multipart/form-data; boundary=${form.isQuoted ? `"${said}"` : said}`,
        bytes: Buffer.concat([...pieces, `--${form.boundary}${form.end}`].map((piece) => Buffer.from(piece))),
      };
    });
}
