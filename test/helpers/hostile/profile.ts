/** Pictures whose colour profiles ask for more than their bytes are, in every format that sharp reads. */

import sharp from 'sharp';
import type { ImageFormat } from '../../../src/liveness/types.ts';
import { be16, be32, cat, drawing, filesOf, type HostileFile, inFormat, times } from './file.ts';
import { iccChunk, withSegments } from './jpeg.ts';

/** Numbers of 16.16 bits. */
const fixed = (...values: number[]) => be32(...values.map((value) => Math.round(value * 65_536)));
const xyz = (...values: number[]) => cat('XYZ ', be32(0), fixed(...values));

/** Tags that make a profile of a screen. */
const screen: Readonly<Record<string, Buffer>> = {
  wtpt: xyz(0.9642, 1, 0.8249),
  rXYZ: xyz(0.436, 0.2225, 0.0139),
  gXYZ: xyz(0.3851, 0.7169, 0.0971),
  bXYZ: xyz(0.1431, 0.0606, 0.7141),
  ...Object.fromEntries(
    ['rTRC', 'gTRC', 'bTRC'].map((tag) => [tag, cat('curv', be32(0, 1), be16(0x0233, 0))]),
  ),
};

/** A profile with these tags, of numbers of bytes that four divides. */
export function profileOf(tags: Readonly<Record<string, Buffer>>): Buffer {
  const names = Object.keys(tags);
  const values = Object.values(tags);
  const head = Buffer.alloc(128);
  const first = head.length + 4 + names.length * 12;
  head.write('lcms\x04\x30\0\0mntrRGB XYZ ', 4, 'latin1');
  head.write('acsp', 36);
  fixed(0.9642, 1, 0.8249).copy(head, 68);
  let at = first;
  const table = names.map((name, i) => {
    const { length } = values[i] as Buffer;
    at += length;
    return cat(name, be32(at - length, length));
  });
  const profile = cat(head, be32(names.length), ...table, ...values);
  profile.writeUInt32BE(profile.length);
  return profile;
}

/** A chain of that many steps, all of which are the same bytes, and make everything black. */
function chainOf(count: number): Buffer {
  const step = cat('matf', be32(0), be16(3, 3), Buffer.alloc(12 * 4));
  const places = times(count, be32(16 + count * 8, step.length));
  return cat('mpet', be32(0), be16(3, 3), be32(count), places, step);
}

/** A profile whose colours come from such a chain. */
export function profileOfSteps(count: number): Buffer {
  return profileOf({ ...screen, D2B0: chainOf(count) });
}

/** A profile of a screen with such a chain within a text, and within a value that is named as colours and is none. */
export function profileAroundSteps(count: number): Buffer {
  const text = cat('text', be32(0), 'A competent one. ', chainOf(count));
  return profileOf({
    ...screen,
    note: cat(text, Buffer.alloc(-text.length & 3)),
    D2B0: cat('data', chainOf(count)),
  });
}

/** A profile whose colours come from a table of half a gigabyte, by its head, of which nothing is there. */
function profileOfTable(): Buffer {
  const head = cat([3, 15, 255, 0], fixed(1, 0, 0, 0, 1, 0, 0, 0, 1), be16(2, 2), be16(0, 0xffff, 0, 0xffff));
  return profileOf({ ...screen, A2B0: cat('mft2', be32(0), head, Buffer.alloc(1_000)) });
}

/** A profile of a screen, with a tag of many bytes beside, which nobody reads. */
export function profileOfBytes(length: number): Buffer {
  const text = cat('text', be32(0));
  const { length: plain } = profileOf({ ...screen, note: text });
  return profileOf({ ...screen, note: cat(text, Buffer.alloc(length - plain)) });
}

/** The picture, encoded anew with that profile, which nobody follows meanwhile. */
export async function withProfile(
  jpeg: Buffer,
  profile: Buffer,
  format: Exclude<ImageFormat, 'heic'>,
): Promise<Buffer> {
  const most = 65_000;
  const count = Math.ceil(profile.length / most);
  const chunks = Array.from({ length: count }, (_, i) =>
    iccChunk(i + 1, count, profile.subarray(i * most, (i + 1) * most)),
  );
  const picture = withSegments(jpeg, ...chunks);
  if (format === 'jpeg') return picture;
  return await inFormat(sharp(picture).keepIccProfile(), format).toBuffer();
}

export async function profiled(): Promise<HostileFile[]> {
  const jpeg = await drawing().jpeg({ mozjpeg: false }).toBuffer();
  // As many as an AVIF may have bytes beside its picture.
  const many = profileOfSteps(50_000);
  const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const;
  const files = formats.map(async (format) =>
    filesOf(format, [
      ['a profile of 50,000 steps in one place', await withProfile(jpeg, many, format), 'assessed'],
    ]),
  );
  const table = filesOf('jpeg', [
    ['a profile of a table that is not there', await withProfile(jpeg, profileOfTable(), 'jpeg'), 'assessed'],
  ]);
  const hidden = filesOf('jpeg', [
    [
      'a profile with steps within its texts',
      await withProfile(jpeg, profileAroundSteps(50_000), 'jpeg'),
      'assessed',
    ],
  ]);
  return [...(await Promise.all(files)).flat(), ...table, ...hidden];
}
