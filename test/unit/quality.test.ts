/** Warnings about a picture and a face: angles from drawn heads, light and focus from drawn frames, and every limit. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  judgeFace,
  judgePicture,
  largestAngle,
  lightAndFocus,
  lumaView,
  measureFace,
  qualityLimits,
  typologyAngle,
} from '../../src/liveness/quality.ts';
import type { Box, Frame, Landmarks, Point, Warning, WarningCode } from '../../src/liveness/types.ts';
import { toTensor } from '../../src/models/tensor.ts';

interface Pose {
  /** Degrees. */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
}

/** A head with the proportions of a grown person's, in units of the distance between the eyes, nose towards the camera. */
const head = {
  leftEye: [-0.5, 0, 0],
  rightEye: [0.5, 0, 0],
  nose: [0, 0.53, 0.42],
  leftLip: [-0.4, 1.02, 0],
  rightLip: [0.4, 1.02, 0],
} as const;

/** The head turned and seen from afar, its eyes `size` pixels apart when it looks straight ahead. */
function landmarks(
  { yaw = 0, pitch = 0, roll = 0 }: Pose,
  size = 100,
  centre: Point = { x: 300, y: 300 },
): Landmarks {
  const [a, b, c] = [yaw, pitch, roll].map((angle) => (angle * Math.PI) / 180) as [number, number, number];
  const seen = ([x, y, z]: readonly [number, number, number]): Point => {
    const turnedX = x * Math.cos(a) + z * Math.sin(a);
    const turnedZ = z * Math.cos(a) - x * Math.sin(a);
    const nodded = y * Math.cos(b) + turnedZ * Math.sin(b);
    return {
      x: centre.x + size * (turnedX * Math.cos(c) - nodded * Math.sin(c)),
      y: centre.y + size * (turnedX * Math.sin(c) + nodded * Math.cos(c)),
    };
  };
  return Object.fromEntries(Object.entries(head).map(([name, point]) => [name, seen(point)])) as Landmarks;
}

/** A frame whose luma at a pixel is what `draw` says. */
function frame(width: number, height: number, draw: (x: number, y: number) => number): Frame {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) pixels.fill(draw(x, y), at, at + 3);
  }
  return { format: 'png', width, height, pixels };
}

const within = ({ x0, y0, x1, y1 }: Box, x: number, y: number) => x >= x0 && x < x1 && y >= y0 && y < y1;
const faceBox: Box = { x0: 200, y0: 180, x1: 400, y1: 440 };

/** Sharp, in middling light: nothing to warn of. */
const chequered = (x: number, y: number) => (((x >> 3) + (y >> 3)) % 2 ? 150 : 90);
const good = frame(640, 600, chequered);

/** What the crop stage prepares for this one. */
function lumaOf(frame: Frame, box: Box): Float32Array {
  const { region, input } = lumaView(box);
  return toTensor(frame, region, input);
}

const lightIn = (frame: Frame, box: Box) => lightAndFocus(lumaOf(frame, box));

const codes = (warnings: readonly Warning[]) => warnings.map(({ code }) => code);
const theOne = (warnings: readonly Warning[], code: WarningCode): Warning => {
  assert.deepEqual(codes(warnings), [code]);
  const [warning] = warnings as [Warning];
  assert.equal(warning.limit, qualityLimits[code]);
  return warning;
};

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

describe('the largest angle', () => {
  it('is about zero for a head that looks straight ahead, wherever and however large it is', () => {
    near(largestAngle(landmarks({})), 0, 1);
    near(largestAngle(landmarks({}, 37, { x: -20, y: 900 })), 0, 1);
  });

  for (const angle of [-60, -30, -15, 15, 30, 60]) {
    const size = Math.abs(angle);
    it(`is ${size} for a head rolled by ${angle}`, () => {
      near(largestAngle(landmarks({ roll: angle })), size, 1);
    });
    it(`is ${size} for a head turned aside by ${angle}`, () => {
      near(largestAngle(landmarks({ yaw: angle })), size, 1);
    });
    it(`is ${size} for a head nodding by ${angle}`, () => {
      near(largestAngle(landmarks({ pitch: angle })), size, 1);
    });
  }

  it('is the largest of the three', () => {
    near(largestAngle(landmarks({ roll: 40, yaw: 10 })), 40, 1);
    near(largestAngle(landmarks({ roll: 10, yaw: 40 })), 40, 1);
    near(largestAngle(landmarks({ roll: -10, pitch: 40 })), 40, 1);
  });

  it('does not take a roll for a turn', () => {
    for (const roll of [-25, 25]) near(largestAngle(landmarks({ roll })), 25, 1);
  });

  it('does not take a slanting middle line for a turn', () => {
    const { leftEye, rightEye, nose, leftLip, rightLip } = landmarks({});
    const aside = (point: Point, by: number) => ({ x: point.x + by, y: point.y });
    const slanting = {
      leftEye,
      rightEye,
      nose: aside(nose, 13),
      leftLip: aside(leftLip, 25),
      rightLip: aside(rightLip, 25),
    };
    near(largestAngle(slanting), 0, 1);
  });

  it('is near 90 for a face in profile, where points fall together', () => {
    const { leftEye, nose, leftLip } = landmarks({ yaw: 90 });
    const angle = largestAngle({ leftEye, rightEye: leftEye, nose, leftLip, rightLip: leftLip });
    assert.ok(angle > 80 && angle <= 90, `${angle}`);
  });

  it('is a number where all points fall together', () => {
    const point = { x: 5, y: 5 };
    const all = { leftEye: point, rightEye: point, nose: point, leftLip: point, rightLip: point };
    assert.ok(Number.isFinite(largestAngle(all)));
  });
});

describe('light and focus', () => {
  it('is the mean luma of the box alone', () => {
    const lit = frame(640, 600, (x, y) => (within(faceBox, x, y) ? 70 : 250));
    near(lightIn(lit, { x0: 210, y0: 190, x1: 390, y1: 430 }).luma, 70, 0.5);
  });

  it('weighs the colours as the eye does', () => {
    const pixels = new Uint8Array(200 * 200 * 3);
    for (let at = 0; at < pixels.length; at += 3) pixels.set([200, 100, 50], at);
    const { luma } = lightIn(
      { format: 'png', width: 200, height: 200, pixels },
      { x0: 20, y0: 20, x1: 180, y1: 180 },
    );
    near(luma, 124.2, 0.2);
  });

  it('finds no edge in a plain face', () => {
    near(
      lightIn(
        frame(300, 300, () => 128),
        { x0: 50, y0: 50, x1: 250, y1: 250 },
      ).sharpness,
      0,
      0.3,
    );
  });

  it('finds none in a slope either: light from one side is no edge', () => {
    const slope = frame(512, 512, (x) => x / 2);
    near(lightIn(slope, { x0: 0, y0: 0, x1: 512, y1: 512 }).sharpness, 0, 0.5);
  });

  it('is what the pattern gives by hand', () => {
    // Columns 0, 0, 80, 80, ... at the size measured: each pixel differs from one neighbour by 80.
    const stripes = frame(128, 128, (x) => (x & 2 ? 80 : 0));
    const { luma, sharpness } = lightIn(stripes, { x0: 0, y0: 0, x1: 128, y1: 128 });
    near(luma, 40, 0.5);
    near(sharpness, 80, 0.5);
  });

  it('falls as a face is blurred', () => {
    const edge = (soft: number) =>
      frame(512, 512, (x, y) => {
        const wave = Math.sin((x * Math.PI) / soft) * Math.sin((y * Math.PI) / soft);
        return 128 + 60 * wave;
      });
    const values = [16, 32, 64, 128].map(
      (soft) => lightIn(edge(soft), { x0: 0, y0: 0, x1: 512, y1: 512 }).sharpness,
    );
    assert.deepEqual(
      values,
      values.toSorted((a, b) => b - a),
    );
    assert.ok((values[0] as number) > 10 * (values[3] as number), `${values}`);
  });

  it('means the same at every resolution', () => {
    const sharpness = (times: number) => {
      const drawn = frame(128 * times, 128 * times, (x, y) =>
        chequered(Math.floor(x / times), Math.floor(y / times)),
      );
      return lightIn(drawn, { x0: 0, y0: 0, x1: 128 * times, y1: 128 * times }).sharpness;
    };
    near(sharpness(4) / sharpness(1), 1, 0.35);
    near(sharpness(8) / sharpness(4), 1, 0.05);
  });

  it('counts the border for what a box shows beyond it', () => {
    const half = frame(200, 200, (x) => (x < 100 ? 200 : 50));
    near(lightIn(half, { x0: -100, y0: 0, x1: 100, y1: 200 }).luma, 200, 1);
    assert.ok(Number.isFinite(lightIn(half, { x0: 300, y0: 300, x1: 400, y1: 400 }).sharpness));
  });
});

describe('the individual typology angle', () => {
  const coloured = (left: readonly number[], right = left): Frame => {
    const { width, height, format } = good;
    const pixels = new Uint8Array(width * height * 3);
    for (let at = 0; at < pixels.length; at += 3) pixels.set((at / 3) % width < 300 ? left : right, at);
    return { format, width, height, pixels };
  };

  // By the formulas of CIE 15, worked out apart from this program.
  for (const [rgb, angle] of [
    [[245, 216, 190], 66.6],
    [[224, 172, 105], 29.8],
    [[141, 85, 36], -12.6],
    [[90, 56, 37], -51.7],
  ] as const) {
    it(`is ${angle} for cheeks of the colour ${rgb}`, () => {
      near(typologyAngle(coloured(rgb), landmarks({})), angle, 0.2);
    });
  }

  it('is of the mean of both cheeks', () => {
    const [mean, left, right] = [
      [150, 110, 90],
      [180, 130, 100],
      [120, 90, 80],
    ] as const;
    near(
      typologyAngle(coloured(left, right), landmarks({})),
      typologyAngle(coloured(mean), landmarks({})),
      0.5,
    );
  });

  it('is 90 or -90 for grey, and a number where all points fall together', () => {
    near(typologyAngle(coloured([200, 200, 200]), landmarks({})), 90, 0.1);
    near(typologyAngle(coloured([20, 20, 20]), landmarks({})), -90, 0.1);
    const point = { x: 5, y: 5 };
    const all = { leftEye: point, rightEye: point, nose: point, leftLip: point, rightLip: point };
    assert.ok(Number.isFinite(typologyAngle(good, all)));
  });
});

describe('warnings about a face', () => {
  const judge = (change: { frame?: Frame; box?: Box; landmarks?: Landmarks }) => {
    const [frame, box] = [change.frame ?? good, change.box ?? faceBox];
    return judgeFace(measureFace(frame, box, change.landmarks ?? landmarks({}), lumaOf(frame, box)));
  };

  it('are none where nothing is amiss', () => {
    assert.deepEqual(judge({}), []);
  });

  /** A number just on either side of a limit, to show that the limit itself is still good. */
  const plain = (luma: number) => frame(640, 600, (x, y) => luma + (((x >> 3) + (y >> 3)) % 2 ? 8 : -8));

  it('tell of the dark', () => {
    const warning = theOne(judge({ frame: plain(qualityLimits.too_dark - 3) }), 'too_dark');
    near(warning.value, qualityLimits.too_dark - 3, 1);
    assert.deepEqual(judge({ frame: plain(qualityLimits.too_dark + 3) }), []);
  });

  it('tell of glare', () => {
    const warning = theOne(judge({ frame: plain(qualityLimits.too_bright + 3) }), 'too_bright');
    near(warning.value, qualityLimits.too_bright + 3, 1);
    assert.deepEqual(judge({ frame: plain(qualityLimits.too_bright - 3) }), []);
  });

  it('tell of blur', () => {
    const wave = (height: number) =>
      frame(640, 600, (x, y) => 120 + height * Math.sin(x / 6) * Math.sin(y / 6));
    const { sharpness } = lightIn(wave(100), faceBox);
    const limit = (100 * qualityLimits.blurred) / sharpness;
    assert.ok(limit < 100, `the wave is too flat for this test: ${sharpness}`);
    assert.ok(theOne(judge({ frame: wave(limit * 0.8) }), 'blurred').value > 0);
    assert.deepEqual(judge({ frame: wave(limit * 1.2) }), []);
  });

  it('tell of a small face by the shorter side of its box', () => {
    const side = qualityLimits.small_face;
    const box = { x0: 200, y0: 180, x1: 200 + side - 1, y1: 440 };
    assert.equal(theOne(judge({ box }), 'small_face').value, side - 1);
    assert.deepEqual(judge({ box: { ...box, x1: 200 + side } }), []);
  });

  it('tell of eyes that are close together', () => {
    const apart = qualityLimits.close_eyes;
    near(theOne(judge({ landmarks: landmarks({}, apart - 1) }), 'close_eyes').value, apart - 1, 1e-9);
    assert.deepEqual(judge({ landmarks: landmarks({}, apart + 1) }), []);
  });

  it('tell of a border that is near, on each of the four sides', () => {
    const gap = qualityLimits.near_border;
    const at = (left: number, top: number): Box => ({ x0: left, y0: top, x1: left + 200, y1: top + 260 });
    const [right, bottom] = [640 - 200, 600 - 260];
    for (const near of [
      at(gap - 1, 100),
      at(100, gap - 1),
      at(right - gap + 1, 100),
      at(100, bottom - gap + 1),
    ]) {
      assert.equal(theOne(judge({ box: near }), 'near_border').value, gap - 1);
    }
    for (const far of [at(gap, gap), at(right - gap, bottom - gap)])
      assert.deepEqual(judge({ box: far }), []);
  });

  it('count a box that reaches beyond the border below zero', () => {
    const box = { x0: -30, y0: 100, x1: 200, y1: 400 };
    assert.equal(theOne(judge({ box }), 'near_border').value, -30);
  });

  it('tell of a head turned away', () => {
    const angle = qualityLimits.off_angle;
    near(theOne(judge({ landmarks: landmarks({ roll: angle + 2 }) }), 'off_angle').value, angle + 2, 1);
    near(theOne(judge({ landmarks: landmarks({ yaw: -angle - 2 }) }), 'off_angle').value, angle + 2, 1);
    assert.deepEqual(judge({ landmarks: landmarks({ yaw: angle - 2 }) }), []);
  });

  it('come together where much is amiss', () => {
    const dark = frame(100, 100, () => 10);
    const box = { x0: 0, y0: 0, x1: 70, y1: 80 };
    const warnings = judgeFace(measureFace(dark, box, landmarks({ yaw: 50 }, 30), lumaOf(dark, box)));
    assert.deepEqual(codes(warnings), [
      'small_face',
      'close_eyes',
      'near_border',
      'off_angle',
      'too_dark',
      'blurred',
    ]);
  });
});

describe('warnings about a picture', () => {
  const size = qualityLimits.low_resolution;

  it('are none for one face or none in a picture large enough', () => {
    for (const count of [0, 1])
      assert.deepEqual(
        judgePicture(
          frame(size, size, () => 0),
          count,
        ),
        [],
      );
  });

  it('tell of a low resolution by the shorter side', () => {
    for (const [width, height] of [
      [size - 1, size * 2],
      [size * 2, size - 1],
    ] as const) {
      assert.equal(
        theOne(
          judgePicture(
            frame(width, height, () => 0),
            1,
          ),
          'low_resolution',
        ).value,
        size - 1,
      );
    }
  });

  it('tell of several faces', () => {
    assert.equal(
      theOne(
        judgePicture(
          frame(size, size, () => 0),
          2,
        ),
        'several_faces',
      ).value,
      2,
    );
  });
});
