/** What was measured of a face of which a test asks nothing. */

import type { Measures } from '../../src/liveness/types.ts';

export const measures: Measures = {
  side: 200,
  eyeDistance: 90,
  margin: 40,
  angle: 5,
  luma: 120,
  sharpness: 10,
  typologyAngle: 30,
};
