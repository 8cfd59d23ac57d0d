/** Pictures made from the sample photographs: crowds, passers-by, other formats, and what no decoder should be given. */

import { readFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { samplePhotos } from './weights.ts';

/** The bytes of the two sample photographs, JPEG with one face each: 256 x 256 close up, and 1200 x 1200 of a person. */
export async function readPhotos(): Promise<{ face: Buffer; body: Buffer }> {
  const { face, body } = await samplePhotos();
  return { face: await readFile(face), body: await readFile(body) };
}

/** A close-up placed in a picture: its top left corner and its side in pixels. The face fills two thirds of it. */
export interface Placed {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** A grey picture with copies of a square close-up in it, as JPEG. */
export async function placeFaces(
  face: Buffer,
  size: { width: number; height: number },
  places: readonly Placed[],
): Promise<Buffer> {
  const copies = places.map(async ({ x, y, side }) => ({
    input: await sharp(face).resize(side, side).toBuffer(),
    left: x,
    top: y,
  }));
  return await sharp({ create: { ...size, channels: 3, background: '#8a8f94' } })
    .composite(await Promise.all(copies))
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** `columns` x `rows` copies of a square close-up, edge to edge, as JPEG. */
export async function tileFaces(face: Buffer, columns: number, rows: number, side: number): Promise<Buffer> {
  const places = Array.from({ length: columns * rows }, (_, i) => ({
    x: (i % columns) * side,
    y: Math.floor(i / columns) * side,
    side,
  }));
  return await placeFaces(face, { width: columns * side, height: rows * side }, places);
}

/** A sky over a field, with nobody in it, as JPEG. */
export async function landscape(width: number, height: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <linearGradient id="g" x2="0" y2="1"><stop stop-color="#6fa8dc"/><stop offset="0.6" stop-color="#dce9f2"/>
    <stop offset="0.6" stop-color="#7a9a55"/><stop offset="1" stop-color="#3c5a28"/></linearGradient>
    <rect width="100%" height="100%" fill="url(#g)"/></svg>`;
  return await sharp(Buffer.from(svg)).jpeg().toBuffer();
}

/** One pixel colour throughout, as PNG. */
export async function plainPng(width: number, height: number): Promise<Buffer> {
  return await sharp({ create: { width, height, channels: 3, background: '#8a8f94' } })
    .png()
    .toBuffer();
}

/** The picture twice over, as an animation. */
export async function animate(picture: Buffer, format: 'gif' | 'webp'): Promise<Buffer> {
  const frame = await sharp(picture).png().toBuffer();
  return await sharp([frame, frame], { join: { animated: true } })
    .toFormat(format)
    .toBuffer();
}

/** What a phone held sideways stores: the picture turned, and the EXIF orientation 6 that turns it back. */
export async function storedSideways(picture: Buffer): Promise<Buffer> {
  return await sharp(picture).rotate(270).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer();
}

/** The same JPEG with as many comment segments as make it exactly `bytes` long. */
export function padJpeg(jpeg: Buffer, bytes: number): Buffer {
  const comments: Buffer[] = [];
  // A segment is two bytes of marker, two of length, which count themselves, and at most 65533 of text.
  for (let missing = bytes - jpeg.length; missing > 0; ) {
    let length = Math.min(missing, 65_537);
    // What would remain is too little for a segment of its own.
    if (missing - length > 0 && missing - length < 4) length -= 4;
    const segment = Buffer.alloc(length, ' ');
    segment.writeUInt16BE(0xfffe, 0);
    segment.writeUInt16BE(length - 2, 2);
    comments.push(segment);
    missing -= length;
  }
  return Buffer.concat([jpeg.subarray(0, 2), ...comments, jpeg.subarray(2)]);
}

/** A PNG of a few kilobytes that claims any size: its header says so, its pixels are missing. */
export function claimingPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8); // grey, 8 bit
  const pixels = deflateSync(Buffer.alloc(2_000_000));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** The first bytes of an iPhone's HEIC and nothing after them: enough to tell the format. */
export function heicHead(): Buffer {
  const head = Buffer.alloc(1_000);
  head.writeUInt32BE(24, 0);
  head.write('ftypheic\0\0\0\0mif1heic', 4, 'latin1');
  return head;
}
