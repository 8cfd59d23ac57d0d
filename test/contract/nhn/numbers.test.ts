/** NHN's numbers as the wire writes them: what a picture cannot be made to show is shown on an assessment made by hand. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toAnswer } from '../../../src/dialects/nhn/wire.ts';
import type { Assessment } from '../../../src/liveness/types.ts';
import { measures } from '../../helpers/measures.ts';

const assessment: Assessment = {
  image: { format: 'jpeg', width: 300, height: 300 },
  faces: [
    {
      box: { x0: -30, y0: 100, x1: 200, y1: 330 },
      detectionScore: 2 / 3,
      landmarks: {
        leftEye: { x: -15, y: 150 },
        rightEye: { x: 100, y: 150 },
        nose: { x: 40, y: 200 },
        leftLip: { x: 0, y: 310 },
        rightLip: { x: 90, y: 310 },
      },
      pLive: 0.9,
      verdicts: { weak: 'live', balanced: 'live', strict: 'attack' },
      scores: [],
      measures,
      warnings: [],
    },
  ],
  tooSmall: 0,
  warnings: [],
  timings: {},
};

const [face] = toAnswer(assessment, 'balanced', 'fraction').answer.data?.faceDetails ?? [];

describe('NHN: numbers', () => {
  it('assumed: are not rounded', () => {
    assert.equal(face?.confidence, 2 / 3);
    assert.equal(face?.bbox.y0, 1 / 3);
    assert.equal(face?.landmarks[1]?.x, 1 / 3);
  });

  it('assumed: boxes are clamped to the image, and points beyond it are left where they are', () => {
    assert.deepEqual([face?.bbox.x0, face?.bbox.y1], [0, 1]);
    assert.equal(face?.landmarks[0]?.x, -0.05);
    assert.equal(face?.landmarks[3]?.y, 310 / 300);
  });
});
