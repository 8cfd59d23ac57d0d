/** Measuring several things in turns, so that each has the same share of whatever else the machine does. */

export interface Rounds {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before them, which do not: code is compiled, caches are filled. */
  readonly warmUp: number;
}

/** Does one turn and answers what it took. */
export type Turn = () => Promise<number>;

/**
 * Gives each its turn in every round; another one is first each time.
 * @returns what each took, one value for each round that counts.
 */
export async function alternate<Name extends string>(
  turns: Readonly<Record<Name, Turn>>,
  { rounds, warmUp }: Rounds,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(turns) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    const first = (round + warmUp) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await turns[name]();
      if (round >= 0) taken[name].push(value);
    }
  }
  return taken;
}
