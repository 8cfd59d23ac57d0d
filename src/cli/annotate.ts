/** The picture with what was found drawn in: box, points, verdict and P(live) of each face. */

import { decode } from '../liveness/decode.ts';
import type { HeicDecoder } from '../liveness/heic.ts';
import { encodeJpeg } from '../liveness/raster.ts';
import { imageFormats } from '../liveness/sniff.ts';
import type { Assessment, Box, OperatingPointName } from '../liveness/types.ts';

/**
 * Decodes the picture again, upright, and draws the assessment over it.
 * @param bytes a picture that was assessed.
 * @returns a JPEG of the same size in pixels.
 * @throws when no JPEG of that size can be made: its sides end at 65,535 pixels.
 */
export async function annotate(
  bytes: Uint8Array,
  assessment: Assessment,
  operatingPoint: OperatingPointName,
  heic: HeicDecoder,
): Promise<Uint8Array> {
  const { width, height } = assessment.image;
  const frame = await decode(bytes, imageFormats, { maxPixels: width * height }, heic);
  return await encodeJpeg(frame, drawings(assessment, operatingPoint));
}

/** One drawing, and where in the picture its top left corner lies, in pixels. */
export interface Drawing {
  /** SVG. */
  readonly input: Buffer;
  readonly left: number;
  readonly top: number;
}

const colours = { live: '#1a9641', attack: '#d7191c' } as const;

/**
 * A drawing for each face, scaled with the picture's shorter side. Each is as large as what is drawn: one of the
 * picture's own size would take more time and memory than all the rest.
 */
export function drawings({ image, faces }: Assessment, operatingPoint: OperatingPointName): Drawing[] {
  const shorter = Math.min(image.width, image.height);
  const line = Math.max(shorter / 250, 1);
  return faces.map(({ box, landmarks, verdicts, pLive }, i) => {
    const verdict = verdicts[operatingPoint];
    const colour = colours[verdict];
    // The number is the one of the table's row; alone, it would only be one more number.
    const text = `${faces.length > 1 ? `${i + 1} ` : ''}${verdict.toUpperCase()} ${pLive.toFixed(3)}`;
    const columns = text.length * advance + margin;
    const rows = glyphHeight + 2 * margin;
    const unit = Math.min(Math.max(shorter / 200, 1), image.width / columns);
    const label = placeLabel(columns * unit, rows * unit, box, image);
    // On a small face in a large picture, points of the lines' size would hide it.
    const radius = Math.min(line * 1.5, (box.x1 - box.x0) / 30);
    const points = Object.values(landmarks).map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="${radius}"/>`);

    const left = Math.max(Math.floor(Math.min(box.x0 - line, label.x0)), 0);
    const top = Math.max(Math.floor(Math.min(box.y0 - line, label.y0)), 0);
    const width = Math.min(Math.ceil(Math.max(box.x1 + line, label.x1)), image.width) - left;
    const height = Math.min(Math.ceil(Math.max(box.y1 + line, label.y1)), image.height) - top;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${left} ${top} ${width} ${height}">
<rect x="${box.x0}" y="${box.y0}" width="${box.x1 - box.x0}" height="${box.y1 - box.y0}" fill="none" stroke="${colour}" stroke-width="${line}"/>
<g fill="${colour}" stroke="#fff" stroke-width="${radius / 3}">${points.join('')}</g>
<g transform="translate(${label.x0} ${label.y0}) scale(${unit})">
<rect width="${columns}" height="${rows}" fill="${colour}"/>
<path d="${strokes(text)}" fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round"/>
</g></svg>`;
    return { input: Buffer.from(svg), left, top };
  });
}

/** Above the face or, where the picture ends, below it or else inside its top edge; never beyond the picture. */
function placeLabel(width: number, height: number, face: Box, image: Assessment['image']): Box {
  const x0 = Math.max(Math.min(face.x0, image.width - width), 0);
  const y0 =
    [face.y0 - height, face.y1].find((y) => y >= 0 && y + height <= image.height) ??
    Math.max(Math.min(face.y0, image.height - height), 0);
  return { x0, y0, x1: x0 + width, y1: y0 + height };
}

const glyphHeight = 6;
const advance = 6;
const margin = 2;

/**
 * An alphabet of strokes on a grid of 4 x 6, as points "xy" that a line joins; a space lifts the pen. A machine without
 * any font (a bare container) would draw text as nothing.
 */
const glyphs: Readonly<Record<string, string>> = {
  A: '0602204246 0444',
  B: '00063645443303 3342413000',
  C: '4010010516 1646',
  D: '000626444220 2000',
  E: '40000646 0333',
  F: '400006 0333',
  G: '40100105163645 4543 4323',
  H: '0006 4046 0343',
  I: '1030 2026 1636',
  J: '4045361605',
  K: '0006 400346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '103041453616050110',
  P: '060030414233 3303',
  Q: '103041453616050110 2446',
  R: '060030414233 3303 2346',
  S: '401001021333444536 3606',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  0: '103041453616050110',
  1: '112026 1636',
  2: '01103041420646',
  3: '0040224445361605',
  4: '36300444',
  5: '40000333444536 3606',
  6: '40200205163645443303',
  7: '004016',
  8: '130201103041423313040516364544 4433',
  9: '43130201103041442606',
  '.': '2626',
};

function strokes(text: string): string {
  return [...text]
    .flatMap((character, i) =>
      (glyphs[character] ?? '')
        .split(' ')
        .map((pen) =>
          (pen.match(/../g) ?? [])
            .map(
              ([x, y], n) =>
                `${n === 0 ? 'M' : 'L'}${Number(x) + margin + i * advance} ${Number(y) + margin}`,
            )
            .join(''),
        ),
    )
    .join('');
}
