/** What the capture element says to a person, and when it takes the picture: frames made up, one thing wrong with each. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type FoundFace,
  type Frame,
  Guide,
  type Instruction,
  judge,
  largestAngle,
  lightAndFocus,
  limits,
  viewOf,
} from '../../console/src/capture/guidance.ts';

const width = 1280;
const height = 720;
const view = viewOf(width, height, 3 / 4);

interface Pose {
  /** Of the face, by that of the view. */
  readonly share?: number;
  /** Of its middle from that of the view, by the view's width. */
  readonly right?: number;
  readonly down?: number;
  /** In degrees. */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
}

/** A face of a head that is a ball with a nose: ears at its sides, eyes and mouth on its front. */
function face({ share = 0.5, right = 0, down = 0, yaw = 0, pitch = 0, roll = 0 }: Pose = {}): FoundFace {
  const wide = share * (view.x1 - view.x0);
  const x = width / 2 + right * (view.x1 - view.x0);
  const y = height / 2 + down * (view.x1 - view.x0);
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  /** Right, down and towards the camera, in halves of the head. */
  const seen = (px: number, py: number, pz: number) => {
    const turned = { x: px * Math.cos(radians(yaw)) + pz * Math.sin(radians(yaw)), z: 0 };
    turned.z = pz * Math.cos(radians(yaw)) - px * Math.sin(radians(yaw));
    const nod = py * Math.cos(radians(pitch)) + turned.z * Math.sin(radians(pitch));
    const [c, s] = [Math.cos(radians(roll)), Math.sin(radians(roll))];
    return { x: x + (wide / 2) * (turned.x * c - nod * s), y: y + (wide / 2) * (turned.x * s + nod * c) };
  };
  return {
    box: { x0: x - wide / 2, y0: y - wide / 2, x1: x + wide / 2, y1: y + wide / 2 },
    points: {
      rightEar: seen(-1, -0.1, 0),
      leftEar: seen(1, -0.1, 0),
      rightEye: seen(-0.45, -0.35, 1.1),
      leftEye: seen(0.45, -0.35, 1.1),
      nose: seen(0, 0.1, 1.45),
      mouth: seen(0, 0.55, 1.1),
    },
  };
}

function frame(change: Partial<Frame> = {}): Frame {
  return { width, height, view, faces: [face()], luma: 130, sharpness: 6, time: 0, ...change };
}

describe('the judgement of a frame', () => {
  it('has nothing to say of a face that is right', () => {
    assert.equal(judge(frame(), 0, 'still'), undefined);
  });

  const wrong: [Instruction, string, Partial<Frame>, number?][] = [
    ['show', 'nobody', { faces: [] }],
    ['brighter', 'nobody, in the dark', { faces: [], luma: 20 }],
    ['alone', 'somebody beside', { faces: [face(), face({ share: 0.3, right: 0.6 })] }],
    ['closer', 'a small face', { faces: [face({ share: 0.2 })] }],
    ['further', 'a large face', { faces: [face({ share: 0.8 })] }],
    ['centre', 'a face to the left', { faces: [face({ right: -0.2 })] }],
    ['centre', 'a face too low', { faces: [face({ down: 0.2 })] }],
    ['straight', 'a face turned aside', { faces: [face({ yaw: 30 })] }],
    ['straight', 'a face turned to the other side', { faces: [face({ yaw: -30 })] }],
    ['straight', 'a face that looks up', { faces: [face({ pitch: -30 })] }],
    ['straight', 'a tilted face', { faces: [face({ roll: 25 })] }],
    ['brighter', 'a dark face', { luma: 40 }],
    ['darker', 'a glaring face', { luma: 220 }],
    ['still', 'a blurred face', { sharpness: 1.5 }],
    ['still', 'a face that moves', {}, 1],
  ];
  for (const [instruction, what, change, motion = 0] of wrong) {
    it(`says "${instruction}" to ${what}`, () => {
      assert.equal(judge(frame(change), motion, 'show'), instruction);
    });
  }

  it('counts no small face in the background', () => {
    assert.equal(judge(frame({ faces: [face({ share: 0.1, right: 0.6 }), face()] }), 0, 'still'), undefined);
  });

  it('says one thing at a time, the largest trouble first', () => {
    const small = face({ share: 0.2, right: 0.3, yaw: 40 });
    assert.equal(judge(frame({ faces: [small], luma: 20, sharpness: 0 }), 2, 'show'), 'closer');
    const aside = face({ right: 0.3, yaw: 40 });
    assert.equal(judge(frame({ faces: [aside], luma: 20, sharpness: 0 }), 2, 'show'), 'centre');
  });

  it('asks for a larger face of a camera with few pixels, and never for one that is too large', () => {
    const low = viewOf(640, 480, 3 / 4);
    const at = (share: number): FoundFace => {
      const scale = (low.x1 - low.x0) / (view.x1 - view.x0);
      const { box, points } = face({ share });
      const move = ({ x, y }: { x: number; y: number }) => ({
        x: (x - width / 2) * scale + 320,
        y: (y - height / 2) * scale + 240,
      });
      const [a, b] = [move({ x: box.x0, y: box.y0 }), move({ x: box.x1, y: box.y1 })];
      return {
        box: { x0: a.x, y0: a.y, x1: b.x, y1: b.y },
        points: Object.fromEntries(
          Object.entries(points).map(([name, point]) => [name, move(point)]),
        ) as FoundFace['points'],
      };
    };
    const said = (share: number) =>
      judge(frame({ width: 640, height: 480, view: low, faces: [at(share)] }), 0, 'still');
    assert.equal(said(limits.least + 0.02), 'closer');
    assert.equal(said(limits.leastPixels / (low.x1 - low.x0) + 0.02), undefined);
    const tiny = { ...frame(), view: viewOf(160, 120, 3 / 4) };
    assert.equal(judge({ ...tiny, faces: [] }, 0, 'still'), 'show');
    assert.equal(
      judge(
        {
          ...tiny,
          width: 160,
          height: 120,
          faces: [{ ...at(0.3), box: { x0: 55, y0: 35, x1: 105, y1: 85 } }],
        },
        0,
        'centre',
      ),
      undefined,
    );
  });

  it('lets an instruction go only when there is some room', () => {
    const barely = frame({ faces: [face({ share: limits.least * 1.05 })] });
    assert.equal(judge(barely, 0, 'still'), undefined);
    assert.equal(judge(barely, 0, 'closer'), 'closer');
    const turned = frame({ faces: [face({ roll: limits.angle * 0.95 })] });
    assert.equal(judge(turned, 0, 'still'), undefined);
    assert.equal(judge(turned, 0, 'straight'), 'straight');
  });
});

describe('the angle of a face', () => {
  for (const axis of ['yaw', 'pitch', 'roll'] as const) {
    it(`is about its ${axis}`, () => {
      for (const degrees of [-25, -10, 0, 10, 25]) {
        const told = largestAngle(face({ [axis]: degrees }));
        assert.ok(Math.abs(told - Math.abs(degrees)) < 8, `${degrees} is told as ${told}`);
      }
    });
  }
});

/** Shows the same frame every 100 ms. */
function show(guide: Guide, change: Partial<Frame>, from: number, frames: number) {
  return Array.from({ length: frames }, (_, i) => guide.next(frame({ ...change, time: from + i * 100 })));
}

describe('the guidance over time', () => {
  it('changes what it says no sooner than it holds, and not at every frame', () => {
    const guide = new Guide();
    const small = { faces: [face({ share: 0.2 })] };
    show(guide, small, 0, 10);
    // One frame of something else is not worth a word.
    assert.equal(guide.next(frame({ faces: [], time: 1_000 })).instruction, 'closer');
    assert.equal(show(guide, small, 1_100, 5).at(-1)?.instruction, 'closer');
    const said = Array.from({ length: 40 }, (_, i) => {
      const jitter = i % 2 === 0 ? small : { faces: [face({ right: 0.4 })] };
      return guide.next(frame({ ...jitter, time: 2_000 + i * 100 })).instruction;
    });
    assert.deepEqual([...new Set(said)], ['closer']);
  });

  it('takes the picture after several good frames in a row, and of no fewer', () => {
    const guide = new Guide();
    show(guide, { faces: [face({ share: 0.2 })] }, 0, 10);
    const good = show(guide, {}, 1_000, 12);
    // The first is a leap from where the face was before.
    assert.equal(good[0]?.progress, 0);
    const done = good.findIndex(({ progress }) => progress >= 1);
    assert.ok(done >= 7 && done <= 9, `${done}`);
    assert.ok(
      good
        .slice(1)
        .every(({ instruction, score }, i) => score !== undefined && (i < 3 || instruction === 'still')),
    );
  });

  it('begins again when a frame among them is not good', () => {
    const guide = new Guide();
    show(guide, {}, 0, 6);
    assert.equal(guide.next(frame({ sharpness: 0.5, time: 600 })).progress, 0);
    assert.ok(show(guide, {}, 700, 6).every(({ progress }) => progress < 1));
  });

  it('takes none of a face that moves all the time', () => {
    const guide = new Guide();
    for (let i = 0; i < 40; i++) {
      const faces = [face({ right: i % 2 === 0 ? 0.03 : -0.03 })];
      assert.equal(guide.next(frame({ faces, time: i * 100 })).progress, 0);
    }
  });

  it('likes a sharper and a straighter face better', () => {
    const score = (change: Partial<Frame>) => show(new Guide(), change, 0, 3).at(-1)?.score as number;
    assert.ok(score({ sharpness: 8 }) > score({ sharpness: 6 }));
    assert.ok(score({}) > score({ faces: [face({ yaw: 12 })] }));
  });
});

describe('light and focus', () => {
  const side = 16;
  const picture = (value: (x: number, y: number) => number) =>
    Uint8ClampedArray.from({ length: 4 * side * side }, (_, i) => {
      const pixel = Math.floor(i / 4);
      return i % 4 === 3 ? 255 : value(pixel % side, Math.floor(pixel / side));
    });

  it('are those of plain grey and of a chessboard', () => {
    const grey = lightAndFocus(
      picture(() => 90),
      side,
    );
    assert.ok(Math.abs(grey.luma - 90) < 0.01 && grey.sharpness < 0.01);
    const board = lightAndFocus(
      picture((x, y) => ((x + y) % 2) * 100),
      side,
    );
    assert.ok(Math.abs(board.luma - 50) < 0.01);
    assert.ok(Math.abs(board.sharpness - 400) < 0.01);
  });
});

describe('the view', () => {
  it('is the middle of a wide camera, and of a tall one', () => {
    assert.deepEqual(viewOf(1280, 720, 3 / 4), { x0: 370, y0: 0, x1: 910, y1: 720 });
    assert.deepEqual(viewOf(1080, 1920, 3 / 4), { x0: 0, y0: 240, x1: 1080, y1: 1680 });
  });
});
