/** Sound and hostile files with bytes turned, cut out, doubled and exchanged, as a seed has it. */

import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';
import type { HostileFile } from './file.ts';

const any = ['assessed', 'undecodable_image', 'unsupported_format', 'image_too_large'] as const;

/** `count` mutations, of a file after another. Nothing is known of what they come to but that it is no fault of ours. */
export function mutationsOf(
  files: readonly Pick<HostileFile, 'name' | 'bytes'>[],
  seed: number,
  count: number,
): HostileFile[] {
  const random = xorshift128plus(seed);
  const below = (limit: number) => (random.next() >>> 0) % Math.max(limit, 1);
  const small = files.filter(({ bytes }) => bytes.length > 16 && bytes.length < 100_000);
  return Array.from({ length: count }, (_, i) => {
    const file = small[i % small.length] as Pick<HostileFile, 'name' | 'bytes'>;
    const other = small[below(small.length)] as Pick<HostileFile, 'name' | 'bytes'>;
    let bytes = Buffer.from(file.bytes);
    const kinds = [
      // Bits, most of them near the start, where the heads are.
      () => {
        for (let n = 1 + below(16); n > 0; n--) {
          const at = below(2) === 0 ? below(Math.min(bytes.length, 256)) : below(bytes.length);
          bytes[at] = (bytes[at] as number) ^ (1 << below(8));
        }
      },
      // Numbers at the edge of what they may be.
      () => {
        const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];
        bytes.writeUInt32BE(edges[below(edges.length)] as number, below(bytes.length - 4));
      },
      () => {
        const at = below(bytes.length);
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(64))]);
      },
      () => {
        const at = below(bytes.length);
        const part = bytes.subarray(at, at + 1 + below(4_096));
        bytes = Buffer.concat([bytes.subarray(0, at), part, part, bytes.subarray(at)]);
      },
      () => {
        const from = below(other.bytes.length);
        const part = other.bytes.subarray(from, from + 1 + below(512));
        bytes.set(part.subarray(0, bytes.length), below(Math.max(bytes.length - part.length, 1)));
      },
    ] as const;
    for (let n = 1 + below(3); n > 0; n--)
      if (bytes.length > 16) (kinds[below(kinds.length)] as () => void)();
    return {
      name: `mutation ${i} of seed ${seed}, of ${file.name}`,
      format: undefined,
      outcomes: any,
      bytes,
    };
  });
}
