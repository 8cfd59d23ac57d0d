/** The figures of a report, against a second computation that shares nothing with the first and takes no short cut. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseScores } from '../../src/evaluation/scores.ts';
import { compare, type Summary, summarise } from '../../src/evaluation/summary.ts';
import { drawScores, run } from '../helpers/scores.ts';

const options = { fitted: 'calibration', draws: 40, seed: 7 } as const;

function near(
  actual: number | undefined,
  expected: number | undefined,
  what: string,
  tolerance = 1e-6,
): void {
  if (actual === undefined || expected === undefined) assert.equal(actual, expected, what);
  else assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

// From here to the next line of this kind: the second computation, from the text of the file.
interface Naive {
  live: boolean;
  species: string;
  group: string;
  set: string;
  answered: boolean;
  pLive: number;
  logOdds: number;
  score: number;
}

function read(text: string): Naive[] {
  const [, ...lines] = text.trim().split('\n');
  return lines.map((line) => {
    const [, label, species, group, set, outcome, , , pLive, logOdds] = line.split(',') as string[];
    return {
      live: label === 'bona-fide',
      species: species as string,
      group: group as string,
      set: set as string,
      answered: outcome === 'assessed',
      pLive: Number(pLive),
      logOdds: Number(logOdds),
      score: Number.NaN,
    };
  });
}

/** The mean over sets of the mean over groups of the mean over frames. */
function mean(rows: Naive[], value: (row: Naive) => number): number {
  const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const parts = (own: Naive[], key: 'set' | 'group') =>
    [...new Set(own.map((row) => row[key]))].map((name) => own.filter((row) => row[key] === name));
  return average(
    parts(rows, 'set').map((set) => average(parts(set, 'group').map((group) => average(group.map(value))))),
  );
}

function weight(row: Naive, among: Naive[]): number {
  const own = among.filter(({ live }) => live === row.live);
  const set = own.filter((other) => other.set === row.set);
  const groups = new Set(set.map(({ group }) => group)).size;
  return 1 / groups / set.filter(({ group }) => group === row.group).length;
}

const bpcer = (rows: Naive[], at: number) =>
  mean(
    rows.filter((row) => row.live),
    (row) => (row.score < at ? 1 : 0),
  );
const apcer = (rows: Naive[], at: number) =>
  mean(
    rows.filter((row) => !row.live),
    (row) => (row.score >= at ? 1 : 0),
  );

/** A species' rate keeps the weights that its rows have among all attacks. */
function apcerOf(species: string, rows: Naive[], at: number): number {
  const own = rows.filter((row) => !row.live && row.species === species);
  const total = own.reduce((sum, row) => sum + weight(row, rows), 0);
  return own.reduce((sum, row) => sum + (row.score >= at ? weight(row, rows) : 0), 0) / total;
}
const known = ['print', 'replay', 'mask'];
/** Species that a threshold may hang on: five groups with an answer at least. */
const common = (rows: Naive[]) =>
  known.filter((species) => {
    const own = rows.filter((row) => row.species === species && row.answered);
    return new Set(own.map(({ set, group }) => `${set} ${group}`)).size >= 5;
  });
const maxApcer = (rows: Naive[], at: number) => {
  const rates = common(rows).map((species) => apcerOf(species, rows, at));
  return rates.length > 0 ? Math.max(...rates) : apcer(rows, at);
};

type Naively = (sum: number) => number;

/**
 * P(live) by the slopes and intercept where all derivatives of the cross-entropy are nil, found by halving one within the
 * other: it is convex, so each derivative rises with its own variable while the others keep to their best.
 */
function fitNaively(rows: Naive[]): Naively {
  const weights = rows.map((row) => weight(row, rows));
  const mass = (live: boolean) =>
    rows.reduce((sum, row, i) => sum + (row.live === live ? (weights[i] as number) : 0), 0);
  const [people, attacks] = [mass(true), mass(false)];
  const shares = rows.map((row, i) => (weights[i] as number) / (row.live ? people : attacks));
  const below = (sum: number) => -Math.log(1 + Math.exp(-sum));
  const above = (sum: number) => Math.log(1 + Math.exp(sum));
  const inputs = rows.map(({ logOdds }) => [below(logOdds), above(logOdds), 1] as const);
  const derivative = (at: readonly [number, number, number], by: (input: (typeof inputs)[0]) => number) => {
    let total = 0;
    for (const [i, input] of inputs.entries()) {
      const z = at[0] * input[0] + at[1] * input[1] + at[2];
      total += (shares[i] as number) * by(input) * (1 / (1 + Math.exp(-z)) - (rows[i]?.live ? 1 : 0));
    }
    return total;
  };
  const root = (rising: (x: number) => number) => {
    let [low, high] = [-16, 16];
    for (let round = 0; round < 42; round++) {
      const middle = (low + high) / 2;
      if (rising(middle) < 0) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  const intercept = (a: number, b: number) => root((c) => derivative([a, b, c], () => 1));
  const second = (a: number) => root((b) => derivative([a, b, intercept(a, b)], (input) => input[1]));
  const first = root((a) => {
    const b = second(a);
    return derivative([a, b, intercept(a, b)], (input) => input[0]);
  });
  let slopes: [number, number] = [first, second(first)];
  if (Math.min(...slopes) <= 0) {
    const one = root((a) => derivative([a, a, intercept(a, a)], (input) => input[0] + input[1]));
    slopes = [one, one];
  }
  const c = intercept(...slopes);
  return (sum) => 1 / (1 + Math.exp(-(slopes[0] * below(sum) + slopes[1] * above(sum) + c)));
}

function withLeftOut(rows: Naive[]): Naive[] {
  return rows.map((row) => {
    const pLive = fits.get(row.set) ?? fitNaively(rows.filter(({ set }) => set !== row.set));
    fits.set(row.set, pLive);
    return { ...row, score: pLive(row.logOdds) };
  });
}
const fits = new Map<string, Naively>();

const thresholds = (rows: Naive[]) => [...new Set(rows.map(({ score }) => score))].sort((a, b) => a - b);

function eer(rows: Naive[]): number {
  const all = [...thresholds(rows), Number.POSITIVE_INFINITY].map((at) => [
    apcer(rows, at),
    bpcer(rows, at),
  ]) as [number, number][];
  const distance = ([x, y]: [number, number]) => Math.abs(x - y);
  const [x, y] = all.reduce((best, one) => (distance(one) < distance(best) - 1e-12 ? one : best));
  return (x + y) / 2;
}

function auc(rows: Naive[]): number {
  let [won, all] = [0, 0];
  for (const person of rows.filter(({ live }) => live)) {
    for (const attack of rows.filter(({ live }) => !live)) {
      const both = weight(person, rows) * weight(attack, rows);
      all += both;
      won += person.score > attack.score ? both : person.score === attack.score ? both / 2 : 0;
    }
  }
  return won / all;
}
// Here ends the second computation.

const text = drawScores(11);
const all = read(text);
const answered = withLeftOut(all.filter((row) => row.answered));
const { summary } = summarise(parseScores(text, 'drawn.csv'), run, options);

describe('a summary', () => {
  it('leaves every set out in turn, and has the equal error rate of the scores so got', () => {
    assert.equal(summary.method.judgedBy, 'other sets');
    near(summary.eer?.value, eer(answered), 'EER');
  });

  it('has the area under the curve, ties counting half', () => {
    assert.ok(new Set(answered.map(({ score }) => score)).size < answered.length, 'the drawn file has ties');
    near(summary.auc?.value, auc(answered), 'AUC');
  });

  it('has the lowest BPCER at each limit of APCER', () => {
    for (const limit of ['1', '5', '10'] as const) {
      const able = [...thresholds(answered), Number.POSITIVE_INFINITY].filter(
        (at) => maxApcer(answered, at) <= Number(limit) / 100 + 1e-9,
      );
      const least = Math.min(...able.map((at) => bpcer(answered, at)));
      near(summary.bpcerAtApcer?.[limit].value, least, `BPCER at APCER ${limit} %`);
    }
  });

  it('chooses the operating points as they are defined', () => {
    const able = thresholds(answered);
    const least = (from: number[], cost: (at: number) => number) => Math.min(...from.map(cost));
    const { weak, balanced, strict } = summary.operatingPoints;
    near(
      weak.maxApcer?.value,
      least(
        able.filter((at) => bpcer(answered, at) <= 0.01 + 1e-9),
        (at) => maxApcer(answered, at),
      ),
      'weak',
    );
    near(
      balanced.acer?.value,
      least(able, (at) => (maxApcer(answered, at) + bpcer(answered, at)) / 2),
      'balanced',
    );
    const tight = able.filter((at) => maxApcer(answered, at) <= 0.01 + 1e-9);
    if (tight.length > 0)
      near(
        strict.bpcer?.value,
        least(tight, (at) => bpcer(answered, at)),
        'strict',
      );
  });

  it('has every rate at those thresholds', () => {
    for (const rates of Object.values(summary.operatingPoints)) {
      const at = rates.threshold;
      near(rates.apcer?.value, apcer(answered, at), 'APCER');
      near(rates.maxApcer?.value, maxApcer(answered, at), 'highest APCER');
      near(rates.bpcer?.value, bpcer(answered, at), 'BPCER');
      near(rates.acer?.value, (maxApcer(answered, at) + bpcer(answered, at)) / 2, 'ACER');
      near(rates.hter?.value, (apcer(answered, at) + bpcer(answered, at)) / 2, 'HTER');
    }
  });

  it('has them by species and by set', () => {
    const at = summary.operatingPoints.balanced.threshold;
    assert.deepEqual(summary.species.map(({ species }) => species).sort(), [...known].sort());
    const rare = summary.species.filter(({ isRare }) => isRare).map(({ species }) => species);
    assert.deepEqual(rare, ['print'], 'four groups are too few for the highest APCER');
    assert.deepEqual(common(answered), ['replay', 'mask']);
    for (const { species, errors } of summary.species) {
      near(errors.balanced?.value, apcerOf(species, answered, at), species);
    }
    for (const { set, bonaFide, attack, eer: own } of summary.sets) {
      const rows = answered.filter((row) => row.set === set);
      const [live, attacks] = [rows.filter((row) => row.live), rows.filter((row) => !row.live)];
      near(
        bonaFide?.errors.balanced?.value,
        live.length > 0 ? bpcer(live, at) : undefined,
        `BPCER of ${set}`,
      );
      near(
        attack?.errors.balanced?.value,
        attacks.length > 0 ? apcer(attacks, at) : undefined,
        `APCER of ${set}`,
      );
      near(own?.value, live.length > 0 && attacks.length > 0 ? eer(rows) : undefined, `EER of ${set}`);
    }
  });

  it('counts what got no answer beside the errors, and never among them', () => {
    const silent = (live: boolean) =>
      mean(
        all.filter((row) => row.live === live),
        (row) => (row.answered ? 0 : 1),
      );
    assert.ok(silent(true) > 0 && silent(false) > 0);
    near(summary.bonaFide.nonResponse.value, silent(true), 'BPNRR');
    near(summary.attack.nonResponse.value, silent(false), 'APNRR');
    assert.deepEqual(summary.reasons, { none_found: all.filter((row) => !row.answered).length });
  });

  it('has what the server answers, at its own thresholds', () => {
    const asAnswered = answered.map((row) => ({ ...row, score: row.pLive }));
    near(summary.asAnswered?.eer?.value, eer(asAnswered), 'EER as answered');
    const { balanced } = summary.asAnswered?.operatingPoints ?? assert.fail();
    near(balanced.bpcer?.value, bpcer(asAnswered, 0.55), 'BPCER as answered');
    near(balanced.maxApcer?.value, maxApcer(asAnswered, 0.55), 'APCER as answered');
  });

  it('has the reliability of P(live), both classes weighed alike', () => {
    const classMass = (live: boolean) =>
      answered.filter((row) => row.live === live).reduce((sum, row) => sum + weight(row, answered), 0);
    const masses = { true: classMass(true), false: classMass(false) };
    const share = (row: Naive) => weight(row, answered) / masses[`${row.live}`] / 2;
    let error = 0;
    for (const { from, to, mean: said, mass, live } of summary.reliability?.bins ?? assert.fail()) {
      const rows = answered.filter(({ score }) => score >= from && (score < to || to === 1));
      const total = rows.reduce((sum, row) => sum + share(row), 0);
      const trueShare = rows.filter((row) => row.live).reduce((sum, row) => sum + share(row), 0) / total;
      near(mass, total, `mass from ${from}`);
      near(said, rows.reduce((sum, row) => sum + share(row) * row.score, 0) / total, `P(live) from ${from}`);
      near(live.value, trueShare, `live from ${from}`);
      error += mass * Math.abs(said - trueShare);
    }
    near(summary.reliability?.calibrationError, error, 'expected calibration error');
  });

  it('has shares of each class that sum to one', () => {
    for (const shares of [summary.histogram.bonaFide, summary.histogram.attack]) {
      near(
        shares.reduce((sum, share) => sum + share, 0),
        1,
        'histogram',
      );
    }
  });

  it('breaks the errors down by conditions, every group alike', () => {
    const at = summary.operatingPoints.balanced.threshold;
    const rows = parseScores(text, 'drawn.csv').filter(({ face }) => face !== undefined);
    const luma = summary.conditions.find(({ title }) => title === 'Brightness') ?? assert.fail();
    const dark = luma.classes[0] ?? assert.fail();
    assert.equal(dark.label, 'under 50');
    const own = rows.flatMap((row, i) => {
      const naive = answered[i] as Naive;
      return !row.bonaFide && (row.face?.measures.luma as number) < 50 ? [naive] : [];
    });
    const groups = [...Map.groupBy(own, ({ set, group }) => `${set} ${group}`).values()];
    const rate =
      groups.reduce(
        (sum, frames) => sum + frames.filter(({ score }) => score >= at).length / frames.length,
        0,
      ) / groups.length;
    assert.deepEqual([dark.attack.pictures, dark.attack.groups], [own.length, groups.length]);
    near(dark.attack.error?.value, rate, 'APCER in the dark');
    const pictures = luma.classes.reduce(
      (sum, { bonaFide, attack }) => sum + bonaFide.pictures + attack.pictures,
      0,
    );
    assert.equal(pictures, answered.length);
  });

  it('shows the wrongest of each group once', () => {
    const { bonaFide, attack } = summary.worst;
    for (const errors of [bonaFide, attack]) {
      assert.ok(errors.length > 0);
      const groups = errors.map(({ file }) => file.replace(/-\d+\.jpg$/, ''));
      assert.equal(new Set(groups).size, groups.length);
    }
    const at = summary.operatingPoints.balanced.threshold;
    assert.ok(bonaFide.every(({ score }) => score < at) && attack.every(({ score }) => score >= at));
    near(
      bonaFide[0]?.score,
      Math.min(...answered.filter(({ live }) => live).map(({ score }) => score)),
      'worst',
    );
  });

  it('is the same for the same scores, in whatever order, and has intervals around its figures', () => {
    const rows = parseScores(text, 'drawn.csv');
    const again = summarise(rows.toReversed(), run, options).summary;
    near(again.eer?.low as number, summary.eer?.low as number, 'low');
    near(again.eer?.high as number, summary.eer?.high as number, 'high');
    const { value, low, high } = summary.eer ?? assert.fail();
    assert.ok((low as number) < value && value < (high as number));
  });

  it('says the result in a sentence', () => {
    assert.match(
      summary.sentence,
      /^With one threshold for every camera, drawn turns away about 1 in \d people and lets about 1 in \d attacks through \(.* %, probably between .* % and .* %\)\. It gives no answer for .* % of the pictures of people and .* % of the attacks\.$/,
    );
  });
});

describe('the sentence of a run whose model was fitted on pictures', () => {
  const rows = parseScores(text, 'drawn.csv');
  const said = (fittedOn: string | undefined, sets?: string) =>
    summarise(
      rows.filter(({ set }) => sets === undefined || set === sets),
      { ...run, ...(fittedOn !== undefined && { fittedOn }) },
      options,
    ).summary.sentence;

  it('warns where they are these very pictures, and nowhere else', () => {
    const warning = ' A model of it was fitted on these very pictures, so expect more errors on others.';
    const own = said(run.manifest.sha256);
    assert.equal(own, summary.sentence + warning);
    assert.equal(said('f'.repeat(64)), summary.sentence);
    assert.ok(said(run.manifest.sha256, 'people-only').endsWith(warning), 'of people alone');
  });
});

describe('a split', () => {
  const split = { dev: ['office', 'street'], eval: ['people-only', 'attacks-only'] };
  const own = summarise(parseScores(text, 'drawn.csv'), run, { ...options, split }).summary;

  it('fits and chooses on one part, and reports on the other alone', () => {
    const dev = all.filter(({ set, answered: has }) => has && split.dev.includes(set));
    const pLive = fitNaively(dev);
    const scored = (rows: Naive[]) => rows.map((row) => ({ ...row, score: pLive(row.logOdds) }));
    const evaluated = scored(all.filter(({ set, answered: has }) => has && split.eval.includes(set)));
    assert.deepEqual(own.method.sets, ['attacks-only', 'people-only']);
    near(own.eer?.value, eer(evaluated), 'EER');
    const { balanced } = own.operatingPoints;
    near(
      balanced.hter?.value,
      (apcer(evaluated, balanced.threshold) + bpcer(evaluated, balanced.threshold)) / 2,
      'HTER',
    );
    const developed = scored(dev);
    const cost = (at: number) => maxApcer(developed, at) + bpcer(developed, at);
    near(
      cost(balanced.threshold),
      Math.min(...thresholds(developed).map(cost)),
      'the threshold is the best on the first part',
    );
    assert.equal(own.unseen, undefined);
  });
});

describe('too few pictures', () => {
  const rows = parseScores(text, 'drawn.csv');
  const ofOneClass = (bonaFide: boolean): Summary =>
    summarise(
      rows.filter((row) => row.bonaFide === bonaFide),
      run,
      options,
    ).summary;

  it('of people alone, BPCER is told at the profile\u2019s own thresholds', () => {
    const own = ofOneClass(true);
    assert.equal(own.method.judgedBy, 'profile');
    assert.equal(own.eer, undefined);
    assert.equal(own.attack.pictures, 0);
    const people = answered.filter(({ live }) => live).map((row) => ({ ...row, score: row.pLive }));
    near(own.operatingPoints.balanced.bpcer?.value, bpcer(people, 0.55), 'BPCER');
    assert.match(own.sentence, /^At its own balanced threshold, drawn turns away about 1 in \d people \(/);
  });

  it('of attacks alone, APCER is', () => {
    const own = ofOneClass(false);
    assert.equal(own.operatingPoints.balanced.bpcer, undefined);
    assert.ok(own.operatingPoints.balanced.maxApcer !== undefined);
  });

  it('leaves out groups where there is one set only', () => {
    const own = summarise(
      rows.filter(({ set }) => set === 'office'),
      run,
      options,
    ).summary;
    assert.equal(own.method.judgedBy, 'other groups');
    assert.ok(own.eer !== undefined);
  });

  it('claims no certainty where a threshold tells all apart', () => {
    const apart = (count: number) =>
      ['bona-fide', 'attack'].flatMap((label) =>
        Array.from({ length: count }, (_, i) => {
          const z = (label === 'attack' ? -2 : 2) + i / 10;
          return `${label}-${i}.jpg,${label},,${label}-${i},office,assessed,${1 / (1 + Math.exp(-z))},${z}\n`;
        }),
      );
    for (const count of [2, 10]) {
      const file = `file,label,species,group,set,outcome,p_live,log_odds\n${apart(count).join('')}`;
      const own = summarise(parseScores(file, 'apart.csv'), run, options).summary;
      // The exact bound, by hand: none of so many groups errs 2.5 % of the time where each does with this chance.
      const bound = count === 2 ? 0.842 : 0.308;
      for (const rate of [own.eer, own.asAnswered?.eer, own.sets[0]?.eer]) {
        assert.deepEqual([rate?.value, rate?.low], [0, 0]);
        near(rate?.high ?? undefined, bound, 'bound', 1e-3);
      }
      assert.ok(
        own.sentence.includes(`probably between 0.0 % and ${(100 * bound).toFixed(1)} %`),
        own.sentence,
      );
    }
  });

  it('is refused with a sentence where no picture has an answer', () => {
    const silent = rows.filter(({ face }) => face === undefined);
    assert.throws(() => summarise(silent, run, options), /^RangeError: No picture has a score/);
  });

  it('is refused for scores of another program, which have no threshold', () => {
    const people = rows.filter(({ bonaFide }) => bonaFide);
    assert.throws(
      () => summarise(people, undefined, options),
      /two groups of bona fide pictures and two of attacks/,
    );
  });
});

describe('compare', () => {
  const one = summarise(parseScores(text, 'one.csv'), run, options);

  it('finds no difference of a run from itself', () => {
    for (const { difference } of compare(one, one, true)) assert.equal(difference.value, 0);
  });

  it('has narrower intervals draw by draw than those of each run', () => {
    // The same pictures by a network that is a little worse for attacks.
    const worse = parseScores(text, 'two.csv').map((row) => {
      if (row.face === undefined || row.bonaFide) return row;
      return { ...row, face: { ...row.face, logOdds: row.face.logOdds + 0.4 } };
    });
    const [eerRow] = compare(one, summarise(worse, run, options), true);
    const { value, low, high } = eerRow?.difference ?? assert.fail();
    assert.ok(value < 0);
    const own = one.summary.eer ?? assert.fail();
    assert.ok((high as number) - (low as number) < (own.high as number) - (own.low as number));
  });

  it('has no interval where the pictures are others', () => {
    for (const { difference } of compare(one, one, false)) assert.equal(difference.low, null);
  });
});
