/** Logistic regression by Newton's method: the one fit behind calibration and fusion. */

export interface LogisticRow {
  /** The same number of features in every row. */
  readonly features: readonly number[];
  readonly bonaFide: boolean;
  /** Only its share within the class counts: both classes weigh alike. */
  readonly weight: number;
}

export interface LogisticFit {
  /** One per feature. */
  readonly weights: number[];
  readonly intercept: number;
}

/** Keeps a fit finite where a threshold tells all apart, and is too little to be seen elsewhere. */
const leastPenalty = 1e-9;

/**
 * P(live) = sigmoid(weights x features + intercept) of least cross-entropy, both classes weighed alike.
 * @param l2 penalty on the squares of the weights, each feature brought to unit variance first so that its unit does not
 *   matter; the loss it is added to is a mean per class, summed over both.
 * @throws RangeError where a class is empty or a feature is no number.
 */
export function fitLogistic(rows: readonly LogisticRow[], l2: number): LogisticFit {
  const mass = { live: 0, attack: 0 };
  for (const { bonaFide, weight, features } of rows) {
    if (!features.every(Number.isFinite)) throw new RangeError('A row without a score cannot be fitted.');
    mass[bonaFide ? 'live' : 'attack'] += weight;
  }
  if (mass.live === 0 || mass.attack === 0) {
    throw new RangeError('A fit needs at least one bona fide presentation and one attack.');
  }
  const shares = rows.map(({ bonaFide, weight }) => weight / mass[bonaFide ? 'live' : 'attack']);
  const { means, deviations } = moments(rows, shares);
  const size = means.length + 1;
  // The last value of each row is the intercept's.
  const inputs = rows.map(({ features }) => [
    ...features.map((value, i) => (value - (means[i] as number)) / (deviations[i] as number)),
    1,
  ]);
  const penalty = Math.max(l2, leastPenalty);
  const penaltyOf = (i: number) => (i === size - 1 ? leastPenalty : penalty);
  const loss = (at: readonly number[]) =>
    inputs.reduce(
      (sum, input, r) => {
        const z = dot(at, input);
        const target = rows[r]?.bonaFide ? 1 : 0;
        return (
          sum + (shares[r] as number) * (Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z))))
        );
      },
      at.reduce((sum, value, i) => sum + 0.5 * penaltyOf(i) * value * value, 0),
    );

  let at: number[] = new Array(size).fill(0);
  for (let round = 0; round < 100; round++) {
    const gradient = at.map((value, i) => penaltyOf(i) * value);
    const curvature = at.map((_, i) => at.map((_, j) => (i === j ? penaltyOf(i) : 0)));
    for (const [r, input] of inputs.entries()) {
      const p = 1 / (1 + Math.exp(-dot(at, input)));
      const error = (shares[r] as number) * (p - (rows[r]?.bonaFide ? 1 : 0));
      const curve = (shares[r] as number) * p * (1 - p);
      for (let i = 0; i < size; i++) {
        const value = input[i] as number;
        gradient[i] = (gradient[i] as number) + error * value;
        const line = curvature[i] as number[];
        for (let j = 0; j < size; j++) {
          line[j] = (line[j] as number) + curve * value * (input[j] as number);
        }
      }
    }
    const step = solve(curvature, gradient);
    const now = loss(at);
    // The step is halved while it makes things worse.
    let share = 1;
    const moved = () => at.map((value, i) => value - share * (step[i] as number));
    while (share > 1e-6 && loss(moved()) > now) share /= 2;
    at = moved();
    if (step.every((value) => Math.abs(share * value) < 1e-10)) break;
  }
  const weights = means.map((_, i) => (at[i] as number) / (deviations[i] as number));
  return { weights, intercept: (at[size - 1] as number) - dot(weights, means) };
}

/** Mean and standard deviation of every feature; a feature that never changes is left as it is. */
function moments(
  rows: readonly LogisticRow[],
  shares: readonly number[],
): { means: number[]; deviations: number[] } {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const mean = (value: (row: LogisticRow) => number) =>
    rows.reduce((sum, row, r) => sum + (shares[r] as number) * value(row), 0) / total;
  const count = rows[0]?.features.length ?? 0;
  const means = Array.from({ length: count }, (_, i) => mean(({ features }) => features[i] as number));
  const deviations = means.map((centre, i) => {
    const variance = mean(({ features }) => ((features[i] as number) - centre) ** 2);
    return variance > 1e-12 * (1 + centre * centre) ? Math.sqrt(variance) : 1;
  });
  return { means, deviations };
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, i) => sum + value * (other[i] as number), 0);
}

/** The x of `matrix` x = `right`, for a symmetric positive matrix, by elimination with the largest pivot. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const lines = matrix.map((line, i) => [...line, right[i] as number]);
  const size = lines.length;
  for (let column = 0; column < size; column++) {
    const below = lines.slice(column).map((line) => Math.abs(line[column] as number));
    const pivot = column + below.indexOf(Math.max(...below));
    [lines[column], lines[pivot]] = [lines[pivot] as number[], lines[column] as number[]];
    const head = lines[column] as number[];
    for (let r = 0; r < size; r++) {
      if (r === column) continue;
      const line = lines[r] as number[];
      const factor = (line[column] as number) / (head[column] as number);
      for (let c = column; c <= size; c++) line[c] = (line[c] as number) - factor * (head[c] as number);
    }
  }
  return lines.map((line, i) => (line[size] as number) / (line[i] as number));
}
