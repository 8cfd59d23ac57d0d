/** Frames of the camera as canvases: what guidance is told of them, and the best one as JPEG. */

import type { Finder } from './finder.ts';
import { type Box, type Frame, largest, lightAndFocus, viewOf } from './guidance.ts';

/** Longest side of the photograph in pixels: more tells the server nothing. */
const longestSide = 1920;
/** Longest side of what the finder sees: its network looks at 128 pixels, and less than these lose small faces. */
const finderSide = 320;
/** What luma and sharpness are measured at. */
const measuredSide = 128;
/** Largest file: the NHN dialect takes 3,000,000 bytes, of which a form needs some. */
const mostBytes = 2_900_000;

export interface Photograph {
  readonly image: Blob;
  readonly width: number;
  readonly height: number;
}

/** Looks at the frames of one video, and keeps the best of them. */
export class Darkroom {
  /** Width by height of the part that the person sees. */
  readonly #shape: number;
  #current = surface();
  #best = surface();
  #bestScore = Number.NEGATIVE_INFINITY;
  readonly #small = surface({ willReadFrequently: true });
  readonly #measured = surface({ willReadFrequently: true });

  constructor(shape: number) {
    this.#shape = shape;
  }

  /** Takes the frame that the video shows, all of it and not mirrored. */
  take(video: HTMLVideoElement): void {
    const { videoWidth, videoHeight } = video;
    draw(this.#current, video, scaled(videoWidth, videoHeight, longestSide));
  }

  /** What there is to know of the frame taken last. @throws what the finder throws. */
  look(finder: Finder, time: number): Frame {
    const { canvas } = this.#current;
    const { width, height } = canvas;
    const size = scaled(width, height, finderSide);
    draw(this.#small, canvas, size);
    const scale = width / size.width;
    const faces = finder.find(this.#small.canvas).map(({ box, points }) => ({
      box: { x0: box.x0 * scale, y0: box.y0 * scale, x1: box.x1 * scale, y1: box.y1 * scale },
      points: mapValues(points, ({ x, y }) => ({ x: x * scale, y: y * scale })),
    }));
    const view = viewOf(width, height, this.#shape);
    return { width, height, view, faces, time, ...this.#measure(largest(faces)?.box ?? view) };
  }

  /** Keeps the frame taken last where it is better than the one kept. */
  keep(score: number): void {
    if (score <= this.#bestScore) return;
    [this.#best, this.#current] = [this.#current, this.#best];
    this.#bestScore = score;
  }

  /** Forgets the one kept. */
  forget(): void {
    this.#bestScore = Number.NEGATIVE_INFINITY;
  }

  /** The frame kept, to be shown. */
  get kept(): HTMLCanvasElement {
    return this.#best.canvas;
  }

  /** The frame kept as JPEG, with as little loss as the size allows. */
  async develop(): Promise<Photograph> {
    const { canvas } = this.#best;
    for (const quality of [0.92, 0.85, 0.7, 0.5]) {
      const image = await toJpeg(canvas, quality);
      if (image.size <= mostBytes) return { image, width: canvas.width, height: canvas.height };
    }
    // 1.4 bytes for each of two million pixels: no picture needs that at 0.5.
    throw new Error('The photograph cannot be made small enough.');
  }

  #measure({ x0, y0, x1, y1 }: Box): { luma: number; sharpness: number } {
    const { canvas, context } = this.#measured;
    canvas.width = measuredSide;
    canvas.height = measuredSide;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#current.canvas, x0, y0, x1 - x0, y1 - y0, 0, 0, measuredSide, measuredSide);
    return lightAndFocus(context.getImageData(0, 0, measuredSide, measuredSide).data, measuredSide);
  }
}

interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
}

function surface(settings?: CanvasRenderingContext2DSettings): Surface {
  const canvas = document.createElement('canvas');
  return { canvas, context: canvas.getContext('2d', settings) as CanvasRenderingContext2D };
}

function draw(
  { canvas, context }: Surface,
  source: CanvasImageSource,
  { width, height }: { width: number; height: number },
): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.drawImage(source, 0, 0, width, height);
}

/** The same shape, with no side longer than this. */
function scaled(width: number, height: number, longest: number): { width: number; height: number } {
  const scale = Math.min(longest / Math.max(width, height), 1);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

function toJpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('The browser made no JPEG.')) : resolve(blob)),
      'image/jpeg',
      quality,
    );
  });
}

function mapValues<Name extends string, From, To>(
  object: Readonly<Record<Name, From>>,
  change: (value: From) => To,
): Record<Name, To> {
  return Object.fromEntries(
    Object.entries<From>(object).map(([name, value]) => [name, change(value)]),
  ) as Record<Name, To>;
}
