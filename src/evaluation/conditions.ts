/** The conditions that error rates are broken down by, and their classes. */

import type { Measures } from '../liveness/types.ts';

export interface Condition {
  readonly measure: keyof Measures;
  readonly title: string;
  /** What the numbers are. */
  readonly unit: string;
  /** From the lowest up; each holds what is at least `from` and below the next one's. */
  readonly classes: readonly { readonly label: string; readonly from: number }[];
}

/** The labels of ranges that are named by their limits. */
function ranges(limits: readonly number[]): Condition['classes'] {
  const [first] = limits;
  return [
    { label: `under ${first}`, from: Number.NEGATIVE_INFINITY },
    ...limits.map((limit, i) => {
      const next = limits[i + 1];
      return { label: next === undefined ? `${limit} and more` : `${limit}\u2013${next}`, from: limit };
    }),
  ];
}

export const conditions: readonly Condition[] = [
  {
    measure: 'side',
    title: 'Face size',
    unit: 'shorter side of the face, pixels',
    classes: ranges([100, 150, 250, 400]),
  },
  {
    measure: 'luma',
    title: 'Brightness',
    unit: 'mean luma of the face, 0 to 255',
    classes: ranges([50, 80, 110, 140, 170, 200]),
  },
  {
    measure: 'sharpness',
    title: 'Sharpness',
    unit: 'mean absolute Laplacian of the face',
    classes: ranges([2.2, 4, 6, 9, 13]),
  },
  {
    measure: 'typologyAngle',
    title: 'Skin-tone proxy',
    unit: 'individual typology angle (ITA) of the cheeks, degrees',
    // Chardon, Cretois and Hourseau 1991, and Del Bino et al. for the two darkest.
    classes: [
      { label: 'dark', from: Number.NEGATIVE_INFINITY },
      { label: 'brown', from: -30 },
      { label: 'tan', from: 10 },
      { label: 'intermediate', from: 28 },
      { label: 'light', from: 41 },
      { label: 'very light', from: 55 },
    ],
  },
];

/** The index of the class that a value belongs to. */
export function classOf({ classes }: Condition, value: number): number {
  return classes.findLastIndex(({ from }) => value >= from);
}
