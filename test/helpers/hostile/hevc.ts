/** HEVC as HEICs hold it: parameters that claim another size than the picture has, and slices that are cut. */

import { be16, be32, cat } from './file.ts';

/** Where the parameters of a sequence lie in the content of an `hvcC` box: [at, length]. */
function sequenceIn(configuration: Buffer): [number, number] {
  let at = 23;
  for (let arrays = configuration[22] as number; arrays > 0; arrays--) {
    const isSequence = ((configuration[at] as number) & 63) === 33;
    const count = configuration.readUInt16BE(at + 1);
    at += 3;
    if (isSequence) return [at + 2, configuration.readUInt16BE(at)];
    for (let i = 0; i < count; i++) at += 2 + configuration.readUInt16BE(at);
  }
  throw new Error('There are no parameters of a sequence.');
}

/** The bits of a NAL unit, without what keeps three bytes of it from being taken for the start of one. */
function bitsOf(unit: Buffer): string {
  const bytes = [...unit].filter(
    (byte, i) => !(byte === 3 && i > 1 && unit[i - 1] === 0 && unit[i - 2] === 0),
  );
  return bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

function unitOf(bits: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 8) {
    const byte = Number.parseInt(bits.slice(at, at + 8).padEnd(8, '0'), 2);
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3);
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** A number as the parameters have it: as many zeros as there are bits behind its first. */
const coded = (value: number) =>
  (value + 1).toString(2).padStart(2 * (value + 1).toString(2).length - 1, '0');

/** How many bits a number takes there. */
const bitsTaken = (bits: string, at: number) => 2 * (bits.indexOf('1', at) - at) + 1;

/**
 * The configuration of a picture with another size in it.
 * @param configuration content of an `hvcC` box, of a picture in 4:2:0, of 8 bit, of one layer and not cropped.
 * @param isRich claims 4:4:4 and 10 bit, too.
 */
export function claiming(configuration: Buffer, width: number, height: number, isRich = false): Buffer {
  const [start, length] = sequenceIn(configuration);
  const bits = bitsOf(configuration.subarray(start, start + length));
  // Head of the unit, its number of layers, the profile; then the number of the sequence and the kind of colours.
  let at = 16 + 8 + 96;
  at += bitsTaken(bits, at);
  let behind = at + bitsTaken(bits, at);
  for (let i = 0; i < 2; i++) behind += bitsTaken(bits, behind);
  // In 4:4:4 a bit follows, of planes that are apart; behind the size another, of what is cropped, and both depths beyond 8 bit.
  const colours = isRich ? `${coded(3)}0` : coded(1);
  const depths = isRich ? `0${coded(2)}${coded(2)}` : '011';
  const size = coded(width) + coded(height);
  const unit = unitOf(bits.slice(0, at) + colours + size + depths + bits.slice(behind + 3));
  const before = Buffer.from(configuration.subarray(0, start - 2));
  if (isRich) before.set([0xff, 0xfa, 0xfa], 16);
  return cat(before, be16(unit.length), unit, configuration.subarray(start + length));
}

/** A slice's first `share` of its bytes, with a length that says so; `slice` has its length in four bytes before it. */
export function cutSlice(slice: Buffer, share: number): Buffer {
  const unit = slice.subarray(4, 4 + slice.readUInt32BE(0));
  const cut = unit.subarray(0, Math.floor(unit.length * share));
  return cat(be32(cut.length), cut);
}
