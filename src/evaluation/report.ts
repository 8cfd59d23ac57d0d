/** The report as one HTML file that needs nothing else: no script, no network. */

import { type OperatingPointName, operatingPointNames } from '../liveness/types.ts';
import type { Estimate } from './bootstrap.ts';
import { fewestSpeciesGroups } from './calibration.ts';
import { Html, html } from './html.ts';
import {
  conditionPlot,
  detPlot,
  fewestGroups,
  hundred,
  hundredPlot,
  type Portion,
  partsPlot,
  reliabilityPlot,
  scorePlot,
} from './plots.ts';
import { styleSheet } from './style.ts';
import type { ClassSummary, Comparison, PointRates, RatesByPoint, Summary, WorstError } from './summary.ts';

export interface ReportOptions {
  /** Thumbnails of the worst errors by file, as `data:` URIs; without them there is no contact sheet. */
  readonly thumbnails?: ReadonlyMap<string, string> | undefined;
  /** Another run, beside this one. */
  readonly compared?:
    | { readonly name: string; readonly summary: Summary; readonly differences: readonly Comparison[] }
    | undefined;
}

/** @returns the whole document. */
export function renderReport(summary: Summary, options: ReportOptions = {}): string {
  const name = summary.run?.profile ?? 'scores of another program';
  const { compared } = options;
  return `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>How well ${name} tells people from attacks</title>
<style>${new Html(styleSheet)}</style>
</head>
<body>
<main>
<header>
<p class="kicker">bonafide evaluation</p>
<h1>How well <em>${name}</em> tells people from attacks</h1>
<p class="lead">${summary.sentence}</p>
</header>
${cards(summary)}
${glanceSection(summary)}
${compared && comparisonSection(summary, compared)}
${pointsSection(summary)}
${scoresSection(summary)}
${setsSection(summary)}
${detSection(summary, compared)}
${summary.reliability && reliabilitySection(summary.reliability)}
${conditionsSection(summary)}
${nonResponseSection(summary)}
${options.thumbnails && sheetSection(summary, options.thumbnails)}
${methodSection(summary)}
</main>
</body>
</html>`}\n`;
}

const percent = (rate: number) => `${(100 * rate).toFixed(1)}\u00a0%`;
const plain = (rate: number) => (100 * rate).toFixed(1);

/** A rate and, small, its interval. */
function estimate(own: Estimate | undefined): Html {
  if (own === undefined) return html`<span class="none">\u2013</span>`;
  const range =
    own.low === null || own.high === null
      ? undefined
      : html` <small>${plain(own.low)}\u2013${plain(own.high)}</small>`;
  return html`${percent(own.value)}${range}`;
}

/** A difference of two rates, in percentage points. */
function points({ value, low, high }: Estimate): Html {
  const signed = (rate: number) => plain(rate).replace('-', '\u2212');
  const range =
    low === null || high === null ? undefined : html` <small>${signed(low)} to ${signed(high)}</small>`;
  return html`${signed(value)}${range}`;
}

function section(title: string, explanation: Html | string, ...content: (Html | undefined | false)[]): Html {
  return html`<section>
<h2>${title}</h2>
<p class="explanation">${explanation}</p>
${content}
</section>`;
}

/** The figures that everybody asks for first. */
function cards({ eer, operatingPoints, bonaFide, attack, bpcerAtApcer }: Summary): Html {
  const { balanced } = operatingPoints;
  const card = (value: Estimate | undefined, title: string, meaning: string, kind = '') =>
    value &&
    html`<div class="card ${kind}"><p class="figure">${percent(value.value)}</p><p class="name">${title}</p>
<p class="meaning">${meaning}${value.low !== null && value.high !== null && html`<br><small>95 % interval ${plain(value.low)}\u2013${plain(value.high)}</small>`}</p></div>`;
  // Where rare species fool it most, the highest of the common ones would hide them.
  const attackCard =
    (balanced.apcer?.value ?? 0) > (balanced.maxApcer?.value ?? 0)
      ? card(
          balanced.apcer,
          'Attacks let through',
          'APCER at balanced, over all attacks: more than over any common species.',
          'attack',
        )
      : card(
          balanced.maxApcer,
          'Attacks let through',
          'APCER at balanced, of the species that fools it most.',
          'attack',
        );
  return html`<div class="cards">
${card(eer, 'Equal error rate', 'As many people turned away as attacks let through, with one threshold for all cameras.', 'main')}
${card(balanced.bpcer, 'People turned away', 'BPCER at the operating point balanced.', 'live')}
${attackCard}
${card(bpcerAtApcer?.['5'], 'BPCER20', 'People turned away where at most 5 % of any species gets through.')}
${bonaFide.pictures > 0 && card(bonaFide.nonResponse, 'People without an answer', 'BPNRR: no face found, or not readable.')}
${attack.pictures > 0 && card(attack.nonResponse, 'Attacks without an answer', 'APNRR: neither caught nor let through.')}
</div>`;
}

/** What becomes of a hundred people and of a hundred attacks. */
function glanceSection({ operatingPoints, bonaFide, attack }: Summary): Html {
  const { balanced } = operatingPoints;
  const half = (
    of: ClassSummary,
    error: Estimate | undefined,
    colour: 'live' | 'attack',
    words: { all: string; wrong: string; right: string },
  ) => {
    if (of.pictures === 0 || error === undefined) return undefined;
    const answered = 1 - of.nonResponse.value;
    const portions: Portion[] = [
      { kind: 'wrong', share: answered * error.value },
      { kind: 'none', share: of.nonResponse.value },
      { kind: 'right', share: answered * (1 - error.value) },
    ];
    const kinds = hundred(portions);
    const count = (kind: Portion['kind']) => kinds.filter((own) => own === kind).length;
    const sentence = html`Of 100 ${words.all}, <b class="${colour}">${count('wrong')} ${words.wrong}</b>, ${count('right')} ${words.right}${count('none') > 0 && html`, ${count('none')} without an answer`}.`;
    return html`<figure><p>${sentence}</p>${hundredPlot(`A hundred ${words.all}`, portions, colour)}</figure>`;
  };
  return section(
    'At a glance',
    'At the operating point balanced, all attacks together. Full dots are errors, dashed rings got no answer.',
    html`<div class="halves">
${half(bonaFide, balanced.bpcer, 'live', { all: 'people', wrong: 'are turned away', right: 'are let in' })}
${half(attack, balanced.apcer, 'attack', { all: 'attacks', wrong: 'get through', right: 'are caught' })}
</div>`,
  );
}

const pointMeanings: Record<OperatingPointName, string> = {
  weak: 'turns the fewest people away',
  balanced: 'least mean of both errors',
  strict: 'lets the fewest attacks through',
};

function pointsTable(caption: string, points: RatesByPoint, hasThresholds = true): Html {
  const row = (name: OperatingPointName) => {
    const { threshold, maxApcer, apcer, bpcer, acer, hter }: PointRates = points[name];
    return html`<tr><th scope="row">${name} <small>${pointMeanings[name]}</small></th><td>${hasThresholds ? threshold : html`<small>varies</small>`}</td>
<td class="attack">${estimate(maxApcer)}</td><td>${estimate(apcer)}</td><td class="live">${estimate(bpcer)}</td><td>${estimate(acer)}</td><td>${estimate(hter)}</td></tr>`;
  };
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col">Operating point</th><th scope="col">P(live) from</th><th scope="col">APCER, worst species</th><th scope="col">APCER, all attacks</th><th scope="col">BPCER</th><th scope="col">ACER</th><th scope="col">HTER</th></tr></thead>
<tbody>${operatingPointNames.map(row)}</tbody></table></div>`;
}

function pointsSection({ operatingPoints, unseen, asAnswered, method, run }: Summary): Html {
  const caption =
    method.judgedBy === 'profile'
      ? 'The profile\u2019s own calibration and thresholds'
      : method.judgedBy === 'development sets'
        ? `Fitted and chosen on ${method.developmentSets?.join(', ')}; measured on ${method.sets.join(', ')}`
        : `Thresholds chosen on these scores; each score by a fit that did not see its ${method.judgedBy === 'other sets' ? 'set' : 'group'}`;
  return section(
    'Operating points',
    'A threshold decides who is let in. A stricter one lets fewer attacks through and turns more people away. In small print: the range in which the figure would lie in 95 of 100 repetitions with other people and other attacks of the same kind.',
    pointsTable(caption, operatingPoints),
    asAnswered &&
      method.judgedBy !== 'profile' &&
      pointsTable(
        `What the server answers today, with the calibration and thresholds of ${run?.profile ?? 'the profile'}${asAnswered.eer ? ` (equal error rate ${percent(asAnswered.eer.value)})` : ''}`,
        asAnswered.operatingPoints,
      ),
    unseen &&
      pointsTable(
        `What to expect ${method.judgedBy === 'other sets' ? 'on a camera that nothing was fitted on: thresholds, too, chosen without the set' : 'of people never seen: thresholds, too, chosen without the groups'} they judge`,
        unseen,
        false,
      ),
  );
}

function scoresSection(summary: Summary): Html {
  return section(
    'Scores',
    'Each bar is a share of the people (up) or of the attacks (down) by the P(live) they were given. People right of a dashed line are let in at that operating point; attacks right of it get through.',
    html`<figure>${scorePlot(summary)}</figure>`,
  );
}

const legend = html`<p class="legend"><span class="live">people turned away (BPCER)</span> <span class="attack">attacks let through (APCER)</span></p>`;

/** One class, set by set or species by species. */
function classTable(
  title: string,
  rows: readonly { readonly name: string; readonly own: ClassSummary }[],
  kind: 'live' | 'attack',
): Html {
  const rate = kind === 'live' ? 'BPCER' : 'APCER';
  return html`<div class="scroll"><table><caption>${title}</caption>
<thead><tr><th scope="col"></th><th scope="col">Pictures, groups</th><th scope="col">No answer</th><th scope="col">${rate} at weak</th><th scope="col">at balanced</th><th scope="col">at strict</th></tr></thead>
<tbody>${rows.map(
    ({
      name,
      own,
    }) => html`<tr><th scope="row">${name}</th><td>${own.pictures} <small>in ${own.groups}</small></td><td>${estimate(own.nonResponse)}</td>
<td>${estimate(own.errors.weak)}</td><td class="${kind}">${estimate(own.errors.balanced)}</td><td>${estimate(own.errors.strict)}</td></tr>`,
  )}</tbody></table></div>`;
}

function setsSection({ sets, species }: Summary): Html {
  const parts = [
    ...sets.map(({ set, bonaFide, attack }) => ({
      label: set,
      bonaFide: bonaFide?.errors.balanced,
      attack: attack?.errors.balanced,
    })),
    ...(species.length > 1
      ? species.map(({ species: name, errors }) => ({ label: `all ${name}`, attack: errors.balanced }))
      : []),
  ];
  const ofClass = (kind: 'bonaFide' | 'attack') =>
    sets.flatMap(({ set, [kind]: own }) => (own === undefined ? [] : [{ name: set, own }]));
  const rates = sets.filter(({ eer }) => eer !== undefined);
  return section(
    'Sets and species',
    'The same thresholds, camera by camera. A dot is the error rate at balanced, its bar the 95 % interval. A long bar means few people or few attacks, not a bad profile.',
    legend,
    html`<figure>${partsPlot('Error rates at balanced by set and species', parts)}</figure>`,
    ofClass('bonaFide').length > 0 && classTable('People, by set', ofClass('bonaFide'), 'live'),
    ofClass('attack').length > 0 && classTable('Attacks, by set', ofClass('attack'), 'attack'),
    species.length > 0 &&
      classTable(
        'Attacks, by species',
        species.map((own) => ({ name: own.isRare ? `${own.species} *` : own.species, own })),
        'attack',
      ),
    species.some(({ isRare }) => isRare) &&
      html`<p class="explanation after">* Fewer than ${fewestSpeciesGroups} groups with an answer: too few for a threshold or the highest APCER to hang on. They count among all attacks.</p>`,
    rates.length > 0 &&
      html`<p class="explanation after">Equal error rate of each set by itself, with a threshold of its own: ${rates.map(({ set, eer }, i) => html`${i > 0 && '; '}${set} ${estimate(eer)}`)}.</p>`,
  );
}

function detSection(summary: Summary, compared: ReportOptions['compared']): Html | undefined {
  if ((summary.det.all ?? []).length === 0) return undefined;
  return section(
    'The trade: detection error trade-off',
    html`Every threshold is a point on the line: further left, fewer attacks get through; further down, fewer people are turned away. Nearer the lower left corner is better. The dotted diagonal meets the line at the equal error rate.${compared && html` <span class="other">The second line is ${compared.name}.</span>`}`,
    html`<figure class="narrow">${detPlot(summary, compared)}</figure>`,
  );
}

function reliabilitySection(own: NonNullable<Summary['reliability']>): Html {
  return section(
    'Can P(live) be believed?',
    html`Of all answers near 0.8, about 80 % should be live people: the dots should lie on the dotted line. Larger dots are more answers. On average P(live) is off by ${percent(own.calibrationError)} (expected calibration error). People and attacks count alike here; where attacks are rare, a P(live) of 0.5 is most often a person.`,
    html`<figure class="narrow">${reliabilityPlot(own)}</figure>`,
  );
}

function conditionsSection({ conditions }: Summary): Html | undefined {
  if (conditions.length === 0) return undefined;
  return section(
    'Conditions',
    `Error rates at balanced by what the picture is like. Every person and every attack counts alike here. Classes with fewer than ${fewestGroups} groups are left out of the plots. The skin-tone proxy is measured from the colour of the cheeks, so coloured or dim light moves it as well: it can hint at unfairness, not prove its absence.`,
    legend,
    html`<div class="grid">${conditions.map(
      (condition) =>
        html`<figure><figcaption>${condition.title}</figcaption>${conditionPlot(condition)}</figure>`,
    )}</div>`,
    html`<details><summary>The same in figures</summary>${conditions.map(
      ({ title, unit, classes }) => html`<div class="scroll"><table><caption>${title}: ${unit}</caption>
<thead><tr><th scope="col">Class</th><th scope="col">People: pictures, groups</th><th scope="col">BPCER</th><th scope="col">Attacks: pictures, groups</th><th scope="col">APCER</th></tr></thead>
<tbody>${classes.map(
        ({ label, bonaFide, attack }) =>
          html`<tr><th scope="row">${label}</th><td>${bonaFide.pictures} <small>in ${bonaFide.groups}</small></td><td class="live">${estimate(bonaFide.error)}</td><td>${attack.pictures} <small>in ${attack.groups}</small></td><td class="attack">${estimate(attack.error)}</td></tr>`,
      )}</tbody></table></div>`,
    )}</details>`,
  );
}

const reasonWords: Record<string, string> = {
  none_found: 'no face found',
  too_small: 'every face smaller than 60 pixels',
  undecodable_image: 'damaged picture',
  unsupported_format: 'not a picture of a known format',
  image_too_large: 'picture too large',
  deadline_exceeded: 'took too long',
  worker_died: 'made the worker end',
  engine_failure: 'the engine failed',
};

function nonResponseSection({ reasons, bonaFide, attack, severalFaces }: Summary): Html {
  const all = bonaFide.pictures + attack.pictures;
  const silent = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  return section(
    'No answer',
    `${silent} of ${all} pictures got no answer. They are in none of the error rates: an attack without an answer was not caught, and a person without one was not let in.${severalFaces > 0 ? ` ${severalFaces} pictures show several faces; the largest was scored.` : ''}`,
    silent > 0 &&
      html`<div class="scroll"><table><thead><tr><th scope="col">Reason</th><th scope="col">Pictures</th></tr></thead>
<tbody>${Object.entries(reasons).map(([reason, count]) => html`<tr><th scope="row">${reasonWords[reason] ?? reason}</th><td>${count}</td></tr>`)}</tbody></table></div>`,
  );
}

function sheetSection({ worst }: Summary, thumbnails: ReadonlyMap<string, string>): Html {
  const sheet = (
    title: string,
    kind: string,
    errors: readonly WorstError[],
  ) => html`<h3 class="${kind}">${title}</h3>
<div class="sheet">${errors.map(({ file, set, species, score }) => {
    const picture = thumbnails.get(file);
    return html`<figure title="${file}">${picture === undefined ? html`<div class="missing">not there any more</div>` : html`<img src="${picture}" alt="" width="128" height="128" loading="lazy">`}
<figcaption><b>${score.toFixed(3)}</b> ${set}${species !== undefined && html`, ${species}`}</figcaption></figure>`;
  })}${errors.length === 0 && html`<p>None.</p>`}</div>`;
  return section(
    'The worst errors',
    'What was judged most wrongly at balanced, with its P(live): one picture of each group, the wrongest first.',
    sheet('People turned away', 'live', worst.bonaFide),
    sheet('Attacks let through', 'attack', worst.attack),
  );
}

function comparisonSection(
  summary: Summary,
  { name, summary: second, differences }: NonNullable<ReportOptions['compared']>,
): Html {
  const own = summary.run?.profile ?? 'this run';
  const verdict = ({ difference: { value, low, high } }: Comparison) => {
    if (low === null || high === null) return '';
    if (low > 0 || high < 0) return value < 0 ? `${own} is better` : `${name} is better`;
    return 'may be chance';
  };
  const sets = [...new Set([...summary.sets, ...second.sets].map(({ set }) => set))];
  const cell = (of: Summary, set: string, kind: 'bonaFide' | 'attack') =>
    html`<td>${estimate(of.sets.find((one) => one.set === set)?.[kind]?.errors.balanced)}</td>`;
  return section(
    `Beside ${name}`,
    'A difference is worth talking about if its interval does not hold zero. The interval is that of the two runs together, person by person, and so narrower than those of each.',
    html`<div class="scroll"><table><thead><tr><th scope="col">Figure</th><th scope="col">${own}</th><th scope="col">${name}</th><th scope="col">Difference, percentage points</th><th></th></tr></thead>
<tbody>${differences.map((row) => html`<tr><th scope="row">${row.figure}</th><td>${percent(row.one)}</td><td>${percent(row.other)}</td><td>${points(row.difference)}</td><td>${verdict(row)}</td></tr>`)}
<tr><th scope="row">People without an answer</th><td>${percent(summary.bonaFide.nonResponse.value)}</td><td>${percent(second.bonaFide.nonResponse.value)}</td><td>${points({ value: summary.bonaFide.nonResponse.value - second.bonaFide.nonResponse.value, low: null, high: null })}</td><td></td></tr></tbody></table></div>`,
    html`<div class="scroll"><table><caption>At balanced, each with its own threshold</caption><thead><tr><th scope="col" rowspan="2">Set</th><th scope="colgroup" colspan="2">BPCER</th><th scope="colgroup" colspan="2">APCER</th></tr>
<tr><th scope="col">${own}</th><th scope="col">${name}</th><th scope="col">${own}</th><th scope="col">${name}</th></tr></thead>
<tbody>${sets.map((set) => html`<tr><th scope="row">${set}</th>${cell(summary, set, 'bonaFide')}${cell(second, set, 'bonaFide')}${cell(summary, set, 'attack')}${cell(second, set, 'attack')}</tr>`)}</tbody></table></div>`,
  );
}

function methodSection({ method, run, auc, bonaFide, attack }: Summary): Html {
  const judged: Record<Summary['method']['judgedBy'], string> = {
    'other sets':
      'Each set is left out in turn: its P(live) comes from parameters fitted on the others, as on a camera never seen before.',
    'other groups':
      'A fifth of the groups is left out in turn: its P(live) comes from parameters fitted on the others. There are too few sets with both people and attacks to leave out whole sets, so a new camera may do worse.',
    'development sets': `Parameters and thresholds come from ${method.developmentSets?.join(', ')} alone.`,
    profile:
      'There are too few people or attacks to fit anything: P(live) and thresholds are the profile\u2019s own.',
  };
  const fitted =
    method.judgedBy === 'profile'
      ? ''
      : method.fitted === 'weights'
        ? ' Fitted are the weight of every liveness model, and the calibration of their sum.'
        : ' Fitted is the calibration; the weights of the liveness models are the profile\u2019s.';
  return html`<section class="method">
<h2>How this was made</h2>
<dl>
<dt>Pictures</dt><dd>${bonaFide.pictures} of people in ${bonaFide.groups} groups and ${attack.pictures} attacks in ${attack.groups} groups, from ${method.sets.length} ${method.sets.length === 1 ? 'set' : 'sets'}: ${method.sets.join(', ')}. Each is scored by its largest face.</dd>
<dt>Weighing</dt><dd>Frames of one group (a person, a video) are averaged first; within people and within attacks every group counts alike in its set, and every set alike. A long video does not outvote ten people.</dd>
<dt>Parameters</dt><dd>${judged[method.judgedBy]}${fitted}</dd>
<dt>Intervals</dt><dd>95 %, by ${method.draws} bootstrap draws of groups within sets (seed ${method.seed}); where no group or every group was judged wrongly, the exact bound over the groups. They say what chance may do with other people and attacks of the same kind, not what another kind of attack will do.</dd>
<dt>Words</dt><dd>ISO/IEC 30107-3: APCER, the share of attacks of one species taken for people; BPCER, the share of people taken for attacks; APNRR and BPNRR, the shares without an answer; ACER, the mean of the highest APCER and BPCER. HTER, the mean of APCER over all attacks and BPCER. BPCER20, BPCER where APCER is 5 %. An evaluation of one\u2019s own, not one by that standard.</dd>
${auc && html`<dt>Area under the curve</dt><dd>${auc.value.toFixed(4)}${auc.low !== null && auc.high !== null && html` (${auc.low.toFixed(4)}\u2013${auc.high.toFixed(4)})`}: the chance that a person scores higher than an attack.</dd>`}
${
  run &&
  html`<dt>Engine</dt><dd>bonafide ${run.bonafide}, profile ${run.profile}: ${run.liveness.map(({ model, weight }) => `${model} \u00d7 ${weight}`).join(', ')}. Manifest SHA-256 <code>${run.manifest.sha256.slice(0, 16)}\u2026</code>
<details><summary>Weights</summary><ul>${Object.entries(run.models).map(([id, sha256]) => html`<li>${id} <code>${sha256}</code></li>`)}</ul></details></dd>`
}
</dl>
</section>`;
}
