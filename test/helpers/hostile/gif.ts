/** Hostile GIFs: cut at every block, canvases without end, frames beyond them, and codes that lead nowhere. */

import { cat, drawing, filesOf, flat, type HostileFile, le16, patched, type Row, times } from './file.ts';

interface Block {
  readonly at: number;
  readonly kind: number;
}

/** Where every block of a sound GIF begins. */
export function blocksOf(gif: Buffer): Block[] {
  const tableAt = (at: number, flags: number) => (flags & 0x80 ? at + 3 * 2 ** ((flags & 7) + 1) : at);
  const blocks: Block[] = [];
  let at = tableAt(13, gif[10] as number);
  while (at < gif.length) {
    const kind = gif[at] as number;
    blocks.push({ at, kind });
    if (kind === 0x3b) break;
    at = kind === 0x2c ? tableAt(at + 10, gif[at + 9] as number) + 1 : at + 2;
    while (gif[at] !== 0) at += 1 + (gif[at] as number);
    at++;
  }
  return blocks;
}

/** Where each part of the data of the first frame ends. */
export function partsOf(gif: Buffer): number[] {
  const frame = blocksOf(gif).find(({ kind }) => kind === 0x2c)?.at as number;
  const flags = gif[frame + 9] as number;
  let at = frame + 11 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  const ends: number[] = [];
  while (gif[at] !== 0) {
    at += 1 + (gif[at] as number);
    ends.push(at);
  }
  return ends;
}

/** One picture of one colour: a canvas, and a frame on it of that size and place. */
function plain(
  canvas: readonly [number, number],
  [x, y, width, height]: readonly [number, number, number, number],
  { codeSize = 2, codes = Buffer.from([0x44, 0x01]), count = 1 } = {},
): Buffer {
  const frame = cat([0x2c], le16(x, y, width, height), [0, codeSize, codes.length], codes, [0]);
  return cat('GIF89a', le16(...canvas), [0x80, 0, 0], [200, 100, 50, 0, 0, 0], times(count, frame), [0x3b]);
}

const extension = (label: number, ...parts: Buffer[]) =>
  cat([0x21, label], ...parts.map((part) => cat([part.length], part)), [0]);

export async function gifs(): Promise<HostileFile[]> {
  const sound = await drawing().gif().toBuffer();
  const blocks = blocksOf(sound);
  const frame = blocks.find(({ kind }) => kind === 0x2c)?.at as number;
  const within = (...added: Buffer[]) => cat(sound.subarray(0, frame), ...added, sound.subarray(frame));
  const codesAt =
    frame +
    10 +
    ((sound[frame + 9] as number) & 0x80 ? 3 * 2 ** (((sound[frame + 9] as number) & 7) + 1) : 0);

  const parts = partsOf(sound);

  const large = await flat(7_000, 7_000).gif().toBuffer();

  const rows: Row[] = [
    ...blocks.flatMap(({ at, kind }): Row[] =>
      [0, 1, 5, 12].map((more) => [
        `cut ${more} bytes into block ${kind.toString(16)} at ${at}`,
        sound.subarray(0, at + more),
        // All pixels are there where only the end is missing.
        ...((kind === 0x3b ? ['assessed', 'undecodable_image'] : ['undecodable_image']) as Row[2][]),
      ]),
    ),
    ...[0, parts.length >> 1, parts.length - 2].map(
      (i): Row => [
        `no data behind part ${i} of its first frame`,
        cat(sound.subarray(0, parts[i]), [0, 0x3b]),
        'undecodable_image',
      ],
    ),
    [
      'a canvas of 65,535 px by 65,535',
      patched(sound, 6, le16(65_535, 65_535)),
      'assessed',
      'image_too_large',
    ],
    ['a canvas of 7,000 px by 7,000 and a small frame', patched(sound, 6, le16(7_000, 7_000)), 'assessed'],
    ['a canvas of 65,535 px by 700', patched(sound, 6, le16(65_535, 700)), 'assessed'],
    ['a canvas of 1 px and a frame of 49 megapixels', patched(large, 6, le16(1, 1)), 'assessed'],
    ['a canvas of 1 px and a frame 6,999 px from it', plain([1, 1], [6_999, 6_999, 1, 1]), 'assessed'],
    ['a canvas of 1 px and a frame of 20,000', plain([1, 1], [0, 0, 20_000, 1]), 'image_too_large'],
    [
      'a canvas of 1 px and a frame beyond 50 megapixels',
      plain([1, 1], [8_000, 8_000, 1, 1]),
      'image_too_large',
    ],
    ['a canvas of 0 px', patched(sound, 6, le16(0, 0)), 'assessed', 'undecodable_image'],
    ['a frame beyond the canvas', patched(sound, 6, le16(8, 8)), 'assessed', 'image_too_large'],
    [
      'a frame of 65,535 px by 65,535',
      patched(sound, frame + 5, le16(65_535, 65_535)),
      'undecodable_image',
      'image_too_large',
    ],
    [
      'a frame that begins outside',
      patched(sound, frame + 1, le16(65_535, 65_535)),
      'assessed',
      'undecodable_image',
      'image_too_large',
    ],
    ['a frame of 0 px', patched(sound, frame + 5, le16(0, 0)), 'assessed', 'undecodable_image'],
    [
      'a frame 65,535 px from a small canvas',
      plain([8, 8], [60_000, 60_000, 5_000, 5_000]),
      'assessed',
      'undecodable_image',
      'image_too_large',
    ],
    ['a frame with too few pixels', plain([200, 200], [0, 0, 200, 200]), 'assessed', 'undecodable_image'],
    ...[0, 1, 9, 12, 13, 255].map(
      (size): Row => [
        `codes of ${size} bits`,
        patched(sound, codesAt, [size]),
        'assessed',
        'undecodable_image',
      ],
    ),
    [
      'codes that are not yet there',
      plain([9, 9], [0, 0, 9, 9], { codes: Buffer.alloc(200, 0xff) }),
      'undecodable_image',
    ],
    [
      'codes that clear without end',
      plain([9, 9], [0, 0, 9, 9], { codes: Buffer.alloc(255, 0x24) }),
      'assessed',
      'undecodable_image',
    ],
    ['20,000 frames of one pixel', plain([1, 1], [0, 0, 1, 1], { count: 20_000 }), 'assessed'],
    ['5,000 frames on 49 megapixels', plain([7_000, 7_000], [0, 0, 1, 1], { count: 5_000 }), 'assessed'],
    ['no frames', cat('GIF89a', le16(9, 9), [0, 0, 0, 0x3b]), 'undecodable_image'],
    [
      'two megabytes of comment',
      within(extension(0xfe, times(8_000, Buffer.alloc(255)))),
      'assessed',
      'undecodable_image',
    ],
    ['100,000 extensions', within(times(100_000, extension(0xfe, Buffer.from('x')))), 'assessed'],
    [
      '100,000 extensions that nobody knows',
      within(times(100_000, extension(7))),
      'assessed',
      'undecodable_image',
    ],
    ['an unknown block', within(Buffer.alloc(5, 0x77)), 'undecodable_image'],
    [
      'loops without number',
      within(extension(0xff, Buffer.from('NETSCAPE2.0'), Buffer.from([1, 0xff, 0xff]))),
      'assessed',
    ],
    [
      'a transparent colour that is none',
      within(extension(0xf9, Buffer.from([0xff, 0xff, 0xff, 0xff]))),
      'assessed',
      'undecodable_image',
    ],
    ['no colours at all', patched(plain([1, 1], [0, 0, 1, 1]), 10, [0]), 'assessed', 'undecodable_image'],
    ['a script', cat('GIF89a/*', Buffer.alloc(40), '*/=1;alert(1)//'), 'undecodable_image'],
    [
      'a drawing by its first words',
      Buffer.from('GIF89a<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>'),
      'undecodable_image',
    ],
    ['a script behind its end', cat(sound, '<script>alert(1)</script>'), 'assessed'],
    ['version 87a', patched(sound, 4, Buffer.from('7')), 'assessed'],
  ];
  return filesOf('gif', rows);
}
