/** Drawn score files: people and attacks of several sets, with ties, gaps and uneven groups. */

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { ScoreRun } from '../../src/evaluation/scores.ts';

/** Numbers that are the same in every run, from 0 up to 1. */
export function drawNumbers(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

export const run: ScoreRun = {
  bonafide: '0.0.0',
  manifest: { path: 'manifest.csv', sha256: 'a'.repeat(64), pictures: 0 },
  profile: 'drawn',
  models: { 'drawn-net': 'b'.repeat(64), 'other-net': 'c'.repeat(64) },
  settings: 'd'.repeat(64),
  liveness: [
    { model: 'drawn-net', weight: 1 },
    { model: 'other-net', weight: 0.5 },
  ],
  calibration: { slopeBelow: 0.6, slopeAbove: 0.4, intercept: 0.25 },
  operatingPoints: {
    weak: { threshold: 0.2, apcer: 0, bpcer: 0 },
    balanced: { threshold: 0.55, apcer: 0, bpcer: 0 },
    strict: { threshold: 0.9, apcer: 0, bpcer: 0 },
  },
};

const sets = [
  { set: 'office', live: 12, attacks: 8, species: ['print', 'replay'], shift: 0 },
  { set: 'street', live: 9, attacks: 7, species: ['replay', ''], shift: 1 },
  { set: 'people-only', live: 15, attacks: 0, species: [], shift: -1 },
  { set: 'attacks-only', live: 0, attacks: 10, species: ['mask'], shift: 0.5 },
];

/** A score file's text; log-odds have one decimal, so that many are equal. */
export function drawScores(seed: number): string {
  const draw = drawNumbers(seed);
  const lines = [
    'file,label,species,group,set,outcome,reason,faces,p_live,log_odds,log_odds.drawn-net,log_odds.other-net,face_side,luma,sharpness,ita',
  ];
  for (const { set, live, attacks, species, shift } of sets) {
    for (const [label, count] of [
      ['bona-fide', live],
      ['attack', attacks],
    ] as const) {
      for (let g = 0; g < count; g++) {
        const kind = label === 'attack' ? species[g % species.length] : '';
        const frames = 1 + Math.floor(draw() * 4);
        const centre = (label === 'attack' ? -1.5 : 1.5) + shift + (draw() - 0.5) * 4;
        for (let f = 0; f < frames; f++) {
          const head = `${set}/${label}-${g}-${f}.jpg,${label},${kind},${label}-${g},${set}`;
          if (draw() < 0.08) {
            lines.push(`${head},no_face,none_found,0,,,,,,,,`);
            continue;
          }
          const members = [centre + (draw() - 0.5) * 3, centre / 2 + (draw() - 0.5) * 4].map((value) =>
            Number(value.toFixed(1)),
          ) as [number, number];
          const logOdds = Number((members[0] + 0.5 * members[1]).toFixed(9));
          const [below, above] = [-Math.log(1 + Math.exp(-logOdds)), Math.log(1 + Math.exp(logOdds))];
          const pLive = Number((1 / (1 + Math.exp(-(0.6 * below + 0.4 * above + 0.25)))).toPrecision(9));
          const measures = [60 + 400 * draw(), 20 + 220 * draw(), 15 * draw(), 140 * draw() - 70];
          lines.push(
            `${head},assessed,,${draw() < 0.1 ? 2 : 1},${pLive},${logOdds},${members},${measures.map((value) => value.toFixed(3))}`,
          );
        }
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
