/** Hostile JPEGs: cut at every marker, with heads that lie, scans without end, and metadata that is a trap. */

import {
  be16,
  be32,
  cat,
  drawing,
  filesOf,
  flat,
  type HostileFile,
  type Outcome,
  patched,
  type Row,
  times,
} from './file.ts';

export interface Segment {
  /** Where its 0xff stands. */
  readonly at: number;
  readonly marker: number;
  /** Where the next one begins. */
  readonly end: number;
}

/** Every segment of a sound JPEG; that of SOS goes on over its entropy-coded data. */
export function segmentsOf(jpeg: Buffer): Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at < jpeg.length; ) {
    const marker = jpeg[at + 1] as number;
    let end = marker === 0xd8 || marker === 0xd9 ? at + 2 : at + 2 + jpeg.readUInt16BE(at + 2);
    if (marker === 0xda) {
      const isData = (next: number) => next === 0 || (next >= 0xd0 && next <= 0xd7);
      while (jpeg[end] !== 0xff || isData(jpeg[end + 1] as number)) end++;
    }
    segments.push({ at, marker, end });
    at = end;
  }
  return segments;
}

const isFrame = (marker: number) => marker === 0xc0 || marker === 0xc2;

function frameOf(jpeg: Buffer): number {
  return (segmentsOf(jpeg).find(({ marker }) => isFrame(marker)) as Segment).at;
}

export function segment(marker: number, content: Uint8Array): Buffer {
  return cat([0xff, marker], be16(content.length + 2), content);
}

/** The picture with more segments behind its first marker. */
export function withSegments(jpeg: Buffer, ...added: Buffer[]): Buffer {
  return cat(jpeg.subarray(0, 2), ...added, jpeg.subarray(2));
}

/** The picture with other dimensions in its head. */
function claiming(jpeg: Buffer, width: number, height: number): Buffer {
  return patched(jpeg, frameOf(jpeg) + 5, be16(height, width));
}

/** The picture with its last scan that many times. */
function withScans(jpeg: Buffer, count: number): Buffer {
  const { at, end } = segmentsOf(jpeg).findLast(({ marker }) => marker === 0xda) as Segment;
  const scan = jpeg.subarray(at, end);
  return cat(jpeg.subarray(0, end), times(count, scan), jpeg.subarray(end));
}

/** EXIF as a TIFF of one directory. */
function exif(entries: Buffer, { count = entries.length / 12, first = 8, next = 0 } = {}): Buffer {
  return segment(0xe1, cat('Exif\0\0MM\0*', be32(first), be16(count), entries, be32(next)));
}

const entry = (tag: number, type: number, count: number, value: Buffer) =>
  cat(be16(tag, type), be32(count), value);

const orientation = (value: number) => entry(0x0112, 3, 1, be16(value, 0));

export function iccChunk(number: number, of: number, content: Uint8Array): Buffer {
  return segment(0xe2, cat('ICC_PROFILE\0', [number, of], content));
}

/** A profile with a sound head and a table of that many tags that are not there. */
export function iccOfTags(count: number): Buffer {
  const head = Buffer.alloc(132);
  head.writeUInt32BE(132 + Math.min(count, 1_000) * 12, 0);
  head.write('lcms', 4);
  head.writeUInt32BE(0x04300000, 8);
  head.write('mntrRGB XYZ ', 12);
  head.write('acsp', 36);
  head.writeUInt32BE(count, 128);
  const tags = Array.from({ length: Math.min(count, 1_000) }, () =>
    cat('rTRC', be32(0xfffffff0, 0xfffffff0)),
  );
  return cat(head, ...tags);
}

/** The first half, with the marker of the end. */
export function halfOf(jpeg: Buffer): Buffer {
  return cat(jpeg.subarray(0, jpeg.length >> 1), [0xff, 0xd9]);
}

export function withJfif(jpeg: Buffer, major: number): Buffer {
  return withSegments(jpeg, segment(0xe0, cat('JFIF\0', [major, 1, 0, 0, 1, 0, 1, 0, 0])));
}

export function withAdobe(jpeg: Buffer, transform: number): Buffer {
  return withSegments(jpeg, segment(0xee, cat('Adobe', be16(100, 0, 0), [transform])));
}

/** The picture, whose first scan says that it is of coefficients `from` to `to`, without `bits` of theirs. */
export function withStated(jpeg: Buffer, from: number, to: number, bits: number): Buffer {
  const { at } = segmentsOf(jpeg).find(({ marker }) => marker === 0xda) as Segment;
  return patched(jpeg, at + 2 + jpeg.readUInt16BE(at + 2) - 3, [from, to, bits]);
}

/** The picture, which says that there is a restart after each so many blocks of all components. */
export function withInterval(jpeg: Buffer, blocks: number): Buffer {
  return withSegments(jpeg, segment(0xdd, be16(blocks)));
}

/** Flat grey of 64 x 8 in a byte for each two of its eight blocks, with those data; there is to be a restart between the bytes. */
export function withRestartsOf(...data: number[]): Buffer {
  const table = (kind: number) => segment(0xc4, cat([kind, 1], Buffer.alloc(15), [0]));
  return cat(
    [0xff, 0xd8],
    segment(0xdb, cat([0], Buffer.alloc(64, 1))),
    segment(0xc0, cat([8], be16(8, 64), [1, 1, 0x11, 0])),
    table(0x00),
    table(0x10),
    segment(0xdd, be16(2)),
    segment(0xda, cat([1, 1, 0, 0, 63, 0])),
    data,
    [0xff, 0xd9],
  );
}

/** Pictures in baseline coding of which libjpeg warns, though nothing of them is wrong. */
export function oddities(baseline: Buffer, cmyk: Buffer): [name: string, jpeg: Buffer][] {
  return [
    ['JFIF 0', withJfif(baseline, 0)],
    ['JFIF 2', withJfif(baseline, 2)],
    ['three components by way 77 of Adobe', withAdobe(baseline, 77)],
    ['three components by way 2 of Adobe', withAdobe(baseline, 2)],
    ['four components by way 1 of Adobe', withAdobe(cmyk, 1)],
    ['JFIF 2, by way 77 of Adobe', withJfif(withAdobe(baseline, 77), 2)],
    ['a scan that says it is of 63 coefficients', withStated(baseline, 0, 62, 0)],
    ['a scan that says it is of one coefficient', withStated(baseline, 0, 0, 0)],
    ['a scan that says it is of all but one bit', withStated(baseline, 0, 63, 1)],
  ];
}

export async function jpegs(): Promise<HostileFile[]> {
  const baseline = await drawing().jpeg({ quality: 80, mozjpeg: false }).toBuffer();
  const progressive = await drawing().jpeg({ progressive: true }).toBuffer();
  const grey = await drawing().greyscale().jpeg().toBuffer();
  const cmyk = await drawing().toColourspace('cmyk').jpeg().toBuffer();
  const large = await flat(6_000, 6_000).jpeg({ progressive: true, quality: 1 }).toBuffer();
  const frame = frameOf(baseline);
  const tables = segmentsOf(baseline).filter(({ marker }) => marker === 0xdb || marker === 0xc4);
  const scan = segmentsOf(baseline).find(({ marker }) => marker === 0xda) as Segment;
  const adobe = segmentsOf(cmyk).find(({ marker }) => marker === 0xee) as Segment;
  const [firstQuantisation] = tables.filter(({ marker }) => marker === 0xdb) as [Segment];
  const [firstCode] = tables.filter(({ marker }) => marker === 0xc4) as [Segment];
  const without = (jpeg: Buffer, marker: number) =>
    cat(
      ...segmentsOf(jpeg)
        .filter((one) => one.marker !== marker)
        .map(({ at, end }) => jpeg.subarray(at, end)),
    );

  const seventeen = Array.from({ length: 17 }).reduce((jpeg: Buffer) => withJfif(jpeg, 2), baseline);

  const cuts = [baseline, progressive].flatMap((jpeg, i): Row[] =>
    segmentsOf(jpeg)
      .slice(1)
      .flatMap(({ at, marker }): Row[] =>
        [0, 1, 2, 3].map((more) => [
          `${['baseline', 'progressive'][i]} cut ${more} bytes into marker ${marker.toString(16)} at ${at}`,
          jpeg.subarray(0, at + more),
          // After the last marker nothing is missing.
          ...((marker === 0xd9 && more >= 2
            ? ['assessed']
            : at + more < 3
              ? ['unsupported_format']
              : ['undecodable_image']) as Outcome[]),
        ]),
      ),
  );

  const rows: Row[] = [
    ...cuts,
    ['65,535 px wide and high', claiming(baseline, 65_535, 65_535), 'undecodable_image'],
    ['65,500 px wide and high', claiming(baseline, 65_500, 65_500), 'image_too_large'],
    ['0 px wide', claiming(baseline, 0, 100), 'undecodable_image'],
    ['0 px high, to be said after the scan', claiming(baseline, 160, 0), 'undecodable_image'],
    ['wider than its data', claiming(baseline, 7_000, 7_000), 'undecodable_image'],
    ['65,000 x 700 of which there is nothing', claiming(baseline, 65_000, 700), 'image_too_large'],
    ['narrower than its data', claiming(baseline, 16, 16), 'assessed'],
    ['1 x 65,500', await flat(1, 65_500).jpeg().toBuffer(), 'image_too_large'],
    ['65,500 x 1', await flat(65_500, 1).jpeg().toBuffer(), 'image_too_large'],
    ['1 x 1', await flat(1, 1).jpeg().toBuffer(), 'assessed'],
    ['no components', patched(baseline, frame + 9, [0]), 'undecodable_image'],
    ['255 components', patched(baseline, frame + 9, [255]), 'undecodable_image'],
    ['sampling factor 0', patched(baseline, frame + 11, [0]), 'undecodable_image'],
    ['sampling factor 15', patched(baseline, frame + 11, [0xff]), 'undecodable_image'],
    ['quantisation table 255', patched(baseline, frame + 12, [255]), 'undecodable_image'],
    ['8 bit called 12', patched(baseline, frame + 4, [12]), 'undecodable_image'],
    ['8 bit called 16', patched(baseline, frame + 4, [16]), 'undecodable_image'],
    ['two frames', cat(baseline.subarray(0, scan.at), baseline.subarray(frame)), 'undecodable_image'],
    ...[0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xde, 0xf7].map(
      (marker): Row => [
        `frame called ${marker.toString(16)} (extended, lossless, arithmetic, differential, JPEG-LS)`,
        patched(baseline, frame + 1, [marker]),
        // Extended sequential with 8 bits is the same as baseline.
        marker === 0xc1 ? 'assessed' : 'undecodable_image',
      ],
    ),
    ['100 scans more', withScans(progressive, 100), 'image_too_large'],
    ['2,000 scans more', withScans(progressive, 2_000), 'image_too_large'],
    ['36 megapixels in 2,000 scans more', withScans(large, 2_000), 'image_too_large'],
    ['49 megapixels in 20 scans', manyScans(7_000, 7_000, 19), 'assessed'],
    ['100 scans', manyScans(160, 200, 99), 'assessed'],
    ['101 scans', manyScans(160, 200, 100), 'image_too_large'],
    ['49 megapixels in 870 scans', manyScans(7_000, 7_000, 869), 'image_too_large'],
    [
      '870 scans, behind a length in the gap of a restart',
      manyScans(1_400, 1_400, 869, true),
      'image_too_large',
    ],
    ...segmentsOf(progressive)
      .filter(({ marker }) => marker === 0xda)
      .slice(1)
      .map(
        ({ at }, i): Row => [
          `progressive, ended before scan ${i + 1}`,
          cat(progressive.subarray(0, at), [0xff, 0xd9]),
          'undecodable_image',
        ],
      ),
    ['baseline with its scan twice', withScans(baseline, 1), 'assessed', 'undecodable_image'],
    ['no quantisation tables', without(baseline, 0xdb), 'undecodable_image'],
    ['no Huffman tables', without(baseline, 0xc4), 'assessed', 'undecodable_image'],
    ['no scan', without(baseline, 0xda), 'undecodable_image'],
    ['no frame', without(baseline, 0xc0), 'undecodable_image'],
    [
      'quantisation by 0',
      patched(baseline, firstQuantisation.at + 5, new Uint8Array(64)),
      'assessed',
      'undecodable_image',
    ],
    ['codes of 16 bits alone', patched(baseline, firstCode.at + 5, Array(16).fill(255)), 'undecodable_image'],
    ['a scan of other components', patched(baseline, scan.at + 5, [9]), 'undecodable_image'],
    ['a scan of no components', patched(baseline, scan.at + 4, [0]), 'undecodable_image'],
    ['a segment of length 0', withSegments(baseline, Buffer.from([0xff, 0xe5, 0, 0])), 'assessed'],
    ['a segment of length 1', withSegments(baseline, Buffer.from([0xff, 0xe5, 0, 1])), 'assessed'],
    [
      'a segment that reaches beyond the end',
      cat(baseline.subarray(0, 2), [0xff, 0xe5, 0xff, 0xff], baseline.subarray(2)),
      'undecodable_image',
    ],
    ['a megabyte of fill bytes', withSegments(baseline, Buffer.alloc(1_000_000, 0xff)), 'assessed'],
    ['10,000 comments', withSegments(baseline, times(10_000, segment(0xfe, Buffer.from('x')))), 'assessed'],
    ['restarts at every block that do not come', withInterval(baseline, 1), 'undecodable_image'],
    ['a restart in the middle that does not come', withInterval(baseline, 65), 'undecodable_image'],
    [
      'restarts in the wrong order',
      cat(
        baseline.subarray(0, scan.end - 40),
        ...Array.from({ length: 4_000 }, (_, i) => Buffer.from([0xff, 0xd0 + ((i * 5) % 8)])),
        baseline.subarray(scan.end - 40),
      ),
      'undecodable_image',
    ],
    ['100,000 restarts before the first block', withRestarts(baseline, scan), 'undecodable_image'],
    [
      'a drawing behind its first marker',
      cat([0xff, 0xd8, 0xff], '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'undecodable_image',
    ],
    ['grey', grey, 'assessed'],
    ['CMYK', cmyk, 'assessed'],
    ['YCCK, as Adobe has it', patched(cmyk, adobe.at + 15, [2]), 'assessed'],
    ['four components of an Adobe of its own', patched(cmyk, adobe.at + 15, [255]), 'assessed'],
    ['four components without an Adobe marker', without(cmyk, 0xee), 'assessed'],
    ...oddities(baseline, without(cmyk, 0xee)).flatMap(([name, jpeg]): Row[] => [
      [name, jpeg, 'assessed'],
      [`${name}, and its first half alone`, halfOf(jpeg), 'undecodable_image'],
    ]),
    ['JFIF 2 at 17 places', seventeen, 'undecodable_image'],
    ['without a loss', lossless(160, 200), 'undecodable_image'],
    ...[0, 9, 255, 65_535].map(
      (value): Row => [
        `EXIF orientation ${value}`,
        withSegments(baseline, exif(orientation(value))),
        'assessed',
      ],
    ),
    [
      'EXIF orientation as text',
      withSegments(baseline, exif(entry(0x0112, 2, 4, Buffer.from('six\0')))),
      'assessed',
    ],
    [
      'EXIF orientation as four thousand million numbers',
      withSegments(baseline, exif(entry(0x0112, 3, 0xffffffff, be32(8)))),
      'assessed',
    ],
    [
      'EXIF orientation of no type',
      withSegments(baseline, exif(entry(0x0112, 65_535, 1, be32(6)))),
      'assessed',
    ],
    [
      'EXIF whose directory is its own next',
      withSegments(baseline, exif(orientation(1), { next: 8 })),
      'assessed',
    ],
    [
      'EXIF whose sub-directories are itself',
      withSegments(
        baseline,
        exif(cat(...[0x8769, 0x8825, 0xa005, 0x014a].map((tag) => entry(tag, 4, 1, be32(8))))),
      ),
      'assessed',
    ],
    [
      'EXIF whose directory lies nowhere',
      withSegments(baseline, exif(orientation(1), { first: 0xfffffff0 })),
      'assessed',
    ],
    [
      'EXIF of more entries than bytes',
      withSegments(baseline, exif(orientation(6), { count: 65_535 })),
      'assessed',
    ],
    [
      'EXIF of 5,000 entries',
      withSegments(
        baseline,
        exif(cat(...Array.from({ length: 5_000 }, (_, i) => entry(i, 7, 0xffffff, be32(8))))),
      ),
      'assessed',
    ],
    [
      'EXIF whose thumbnail is elsewhere',
      withSegments(
        baseline,
        exif(cat(entry(0x0201, 4, 1, be32(0x7fffffff)), entry(0x0202, 4, 1, be32(0x7fffffff)))),
      ),
      'assessed',
    ],
    [
      'EXIF 40 times over',
      withSegments(baseline, times(40, exif(cat(orientation(6), Buffer.alloc(12 * 5_000))))),
      'assessed',
    ],
    [
      'XMP of two megabytes',
      withSegments(
        baseline,
        times(35, segment(0xe1, cat('http://ns.adobe.com/xap/1.0/\0', Buffer.alloc(60_000, '<a>')))),
      ),
      'assessed',
    ],
    ['a profile of no colours', withSegments(baseline, iccChunk(1, 1, Buffer.alloc(3_000, 7))), 'assessed'],
    [
      'a profile of two megabytes of nothing',
      withSegments(
        baseline,
        ...Array.from({ length: 35 }, (_, i) => iccChunk(i + 1, 35, Buffer.alloc(60_000))),
      ),
      'assessed',
    ],
    [
      'a profile of which the second half never comes',
      withSegments(baseline, iccChunk(1, 2, iccOfTags(9))),
      'assessed',
    ],
    ['a profile that is part 0 of 0', withSegments(baseline, iccChunk(0, 0, iccOfTags(9))), 'assessed'],
    [
      'a profile of four thousand million tags',
      withSegments(baseline, iccChunk(1, 1, iccOfTags(0xffffffff))),
      'assessed',
    ],
    [
      'a profile of 1,000 tags beyond its end',
      withSegments(baseline, iccChunk(1, 1, iccOfTags(1_000))),
      'assessed',
    ],
    [
      'a profile for another kind of pixels',
      withSegments(baseline, iccChunk(1, 1, patched(iccOfTags(9), 16, Buffer.from('CMYK')))),
      'assessed',
    ],
    [
      'an archive behind its end',
      cat(baseline, 'PK\x03\x04', Buffer.alloc(1_000), 'PK\x05\x06', Buffer.alloc(18)),
      'assessed',
    ],
    ['another picture behind its end', cat(baseline, large), 'assessed'],
    [
      'a drawing in a comment',
      withSegments(baseline, segment(0xfe, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))),
      'assessed',
    ],
  ];
  return filesOf('jpeg', rows);
}

function withRestarts(jpeg: Buffer, scan: Segment): Buffer {
  const head = scan.at + 2 + jpeg.readUInt16BE(scan.at + 2);
  return cat(
    jpeg.subarray(0, head),
    ...Array.from({ length: 100_000 }, (_, i) => Buffer.from([0xff, 0xd0 + (i % 8)])),
    jpeg.subarray(head),
  );
}

/** Flat grey without a loss, which a bit says of each sample. */
export function lossless(width: number, height: number): Buffer {
  const ids = [1, 2, 3];
  return cat(
    [0xff, 0xd8],
    segment(0xc3, cat([8], be16(height, width), [3], ...ids.map((id) => [id, 0x11, 0]))),
    segment(0xc4, cat([0, 1], Buffer.alloc(15), [0])),
    segment(0xda, cat([3], ...ids.map((id) => [id, 0]), [1, 0, 0])),
    Buffer.alloc(Math.ceil((width * height * 3) / 8)),
    [0xff, 0xd9],
  );
}

/**
 * A progressive picture of one colour in nearly as many scans as the rules allow: coefficients by themselves, and each of their bits. A scan says
 * in a hundred bytes that nothing changes in any block, which the decoder finds out block by block.
 * @param isHidden puts a reserved marker and what could be the length of a segment before the first restart of each.
 */
function manyScans(width: number, height: number, scans: number, isHidden = false): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const table = (kind: number, symbol: number) => segment(0xc4, cat([kind, 1], Buffer.alloc(15), [symbol]));
  const scan = (from: number, to: number, high: number, low: number) =>
    segment(0xda, cat([1, 1, 0, from, to, high * 16 + low]));
  // A code of one bit, 0, that says "as many blocks as the next 14 bits and 16,384 have nothing".
  const run = Math.ceil(blocks / 16_384);
  const gap = cat([0, 0, 0xff, 0x02, 0xff, 0xff, 0xff, 0xd0], [0, 0]);
  const nothing = isHidden ? gap : Buffer.alloc(Math.ceil((run * 15) / 8));
  const bits = 13;
  const parts: Buffer[] = [];
  // The last is of all that is left; without it something would be missing.
  let left = scans - 1;
  let coefficient = 1;
  for (; left > 0; coefficient++) {
    const highest = Math.min(bits, left - 1);
    for (let bit = highest; bit >= 0; bit--, left--) {
      parts.push(scan(coefficient, coefficient, bit === highest ? 0 : bit + 1, bit), nothing);
    }
  }
  parts.push(scan(coefficient, 63, 0, 0), nothing);
  return cat(
    [0xff, 0xd8],
    segment(0xdb, cat([0], Buffer.alloc(64, 1))),
    segment(0xc2, cat([8], be16(height, width), [1, 1, 0x11, 0])),
    table(0x00, 0),
    scan(0, 0, 0, 0),
    Buffer.alloc(Math.ceil(blocks / 8)),
    table(0x10, 0xe0),
    ...(isHidden ? [segment(0xdd, be16(16_384))] : []),
    ...parts,
    [0xff, 0xd9],
  );
}
