/** The report's plots as static SVG: the only importer of Observable Plot, and of the document it draws into. */

import * as Plot from '@observablehq/plot';
import { DOMImplementation, XMLSerializer } from '@xmldom/xmldom';
import { probit } from 'simple-statistics';
import { type OperatingPointName, operatingPointNames } from '../liveness/types.ts';
import type { Estimate } from './bootstrap.ts';
import { Html } from './html.ts';
import type { Summary } from './summary.ts';

/** Colours are names of the report's style sheet, which has them for light and for dark. */
const ink = 'var(--ink)';
const muted = 'var(--muted)';
const grid = 'var(--grid)';
const live = 'var(--live)';
const attack = 'var(--attack)';
const other = 'var(--other)';

/** Draws one plot. @param label what it shows, for those who cannot see it. */
export function draw(label: string, options: Plot.PlotOptions): Html {
  const document = new DOMImplementation().createDocument('http://www.w3.org/1999/xhtml', 'html', null);
  const svg = Plot.plot({
    document,
    className: 'plot',
    ariaLabel: label,
    style: 'font-size: 12px; overflow: visible; background: none',
    ...options,
  } as unknown as Plot.PlotOptions);
  return new Html(new XMLSerializer().serializeToString(svg as never));
}

const percentTick = (rate: number) => `${Number((100 * rate).toPrecision(3))}%`;

/** A part of a hundred, as it is drawn. */
export interface Portion {
  readonly share: number;
  readonly kind: 'right' | 'wrong' | 'none';
}

/** A hundred dots, of which as many are full as were judged wrongly, and as many are rings as got no answer. */
export function hundredPlot(label: string, portions: readonly Portion[], colour: 'live' | 'attack'): Html {
  const columns = 20;
  const kinds = hundred(portions);
  const dots = kinds.map((kind, i) => ({ kind, x: i % columns, y: Math.floor(i / columns) }));
  const ofKind = (kind: Portion['kind']) => dots.filter((dot) => dot.kind === kind);
  const fill = colour === 'live' ? live : attack;
  const place = { x: 'x', y: 'y', r: 6.5 };
  return draw(label, {
    width: 440,
    height: 116,
    margin: 10,
    x: { domain: [0, columns - 1], axis: null },
    y: { domain: [4, 0], axis: null },
    marks: [
      Plot.dot(ofKind('right'), { ...place, fill, fillOpacity: 0.2 }),
      Plot.dot(ofKind('wrong'), { ...place, fill }),
      Plot.dot(ofKind('none'), { ...place, stroke: muted, strokeDasharray: '2 2', r: 6 }),
    ],
  });
}

/** The kinds of a hundred, rounded so that they are a hundred: the largest remainders are rounded up. */
export function hundred(portions: readonly Portion[]): Portion['kind'][] {
  const counts = portions.map(({ share }) => Math.floor(share * 100 + 1e-9));
  const missing = 100 - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = portions
    .map(({ share }, i) => ({ i, remainder: share * 100 - (counts[i] as number) }))
    .sort((a, b) => b.remainder - a.remainder);
  for (const { i } of byRemainder.slice(0, missing)) counts[i] = (counts[i] as number) + 1;
  return portions.flatMap(({ kind }, i) => new Array<Portion['kind']>(counts[i] as number).fill(kind));
}

/** Where P(live) of people and of attacks lies, and where it is cut. */
export function scorePlot({ histogram, operatingPoints }: Summary): Html {
  const width = 1 / histogram.bonaFide.length;
  const bars = (shares: readonly number[], sign: number) =>
    shares.map((share, i) => ({ from: i * width, to: (i + 1) * width, share: sign * share }));
  const top = Math.max(...histogram.bonaFide, 0.02) * 1.15;
  const bottom = -Math.max(...histogram.attack, 0.02) * 1.15;
  const points = operatingPointNames.map((name) => ({ name, at: operatingPoints[name].threshold }));
  return draw('Distribution of P(live) of people, upwards, and of attacks, downwards', {
    width: 700,
    height: 300,
    marginLeft: 54,
    marginTop: 34,
    marginBottom: 42,
    x: {
      domain: [0, 1],
      label: 'P(live): how sure the profile is that this is a living person',
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      domain: [bottom, top],
      label: null,
      tickFormat: (share: number) => percentTick(Math.abs(share)),
      ticks: 6,
    },
    marks: [
      Plot.gridY({ stroke: grid, strokeOpacity: 1 }),
      Plot.rectY(bars(histogram.bonaFide, 1), { x1: 'from', x2: 'to', y: 'share', fill: live, inset: 0.5 }),
      Plot.rectY(bars(histogram.attack, -1), { x1: 'from', x2: 'to', y: 'share', fill: attack, inset: 0.5 }),
      Plot.ruleY([0], { stroke: ink }),
      Plot.ruleX(points, { x: 'at', stroke: ink, strokeDasharray: '4 3' }),
      ...points.map(({ name, at }) =>
        Plot.text([{ at }], {
          x: 'at',
          y: top,
          text: () => name,
          dy: pointLabelShift(name, points) - 8,
          fill: ink,
          textAnchor: at > 0.9 ? 'end' : at < 0.1 ? 'start' : 'middle',
        }),
      ),
      Plot.text([{ x: 0.5, y: top * 0.82 }], {
        x: 'x',
        y: 'y',
        text: () => 'people',
        fill: live,
        fontWeight: 600,
        fontSize: 14,
      }),
      Plot.text([{ x: 0.5, y: bottom * 0.82 }], {
        x: 'x',
        y: 'y',
        text: () => 'attacks',
        fill: attack,
        fontWeight: 600,
        fontSize: 14,
      }),
    ],
  });
}

/** Names of thresholds that lie close together go above each other. */
function pointLabelShift(
  name: OperatingPointName,
  points: readonly { name: OperatingPointName; at: number }[],
): number {
  const index = points.findIndex((point) => point.name === name);
  const own = points[index]?.at ?? 0;
  const close = points.slice(index + 1).filter(({ at }) => Math.abs(at - own) < 0.12).length;
  return -13 * close;
}

const detLimits = { least: 0.001, most: 0.8 };
const detTicks = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

/** Every trade that the profile offers between attacks let through and people turned away, on axes that make it nearly a line. */
export function detPlot(summary: Summary, compared?: { summary: Summary; name: string }): Html {
  const { least, most } = detLimits;
  const place = (rate: number) => probit(Math.min(Math.max(rate, least), most));
  const curve = (points: Summary['det'][string] = []) =>
    points.map(({ apcer, bpcer }) => ({ x: place(apcer), y: place(bpcer) }));
  const species = Object.keys(summary.det).filter((name) => name !== 'all');
  const dots = operatingPointNames.flatMap((name) => {
    const { apcer, bpcer } = summary.operatingPoints[name];
    return apcer && bpcer ? [{ name, x: place(apcer.value), y: place(bpcer.value) }] : [];
  });
  const axis = {
    domain: [probit(least), probit(most)],
    ticks: detTicks.map(probit),
    tickFormat: (_: unknown, i: number) => percentTick(detTicks[i] as number),
    grid: false,
  };
  const speciesStyles = ['6 3', '2 3', '8 3 2 3', '1 4'];
  return draw('Detection error trade-off', {
    width: 520,
    height: 470,
    marginLeft: 58,
    marginBottom: 46,
    marginRight: 70,
    x: { ...axis, label: 'attacks let through (APCER)', labelAnchor: 'center', labelArrow: 'none' },
    y: { ...axis, label: 'people turned away (BPCER)', labelAnchor: 'center', labelArrow: 'none' },
    marks: [
      Plot.gridX(axis.ticks, { stroke: grid, strokeOpacity: 1 }),
      Plot.gridY(axis.ticks, { stroke: grid, strokeOpacity: 1 }),
      Plot.line(
        [
          { x: probit(least), y: probit(least) },
          { x: probit(most), y: probit(most) },
        ],
        { x: 'x', y: 'y', stroke: muted, strokeDasharray: '2 4' },
      ),
      ...species.map((name, i) =>
        Plot.line(curve(summary.det[name]), {
          x: 'x',
          y: 'y',
          stroke: attack,
          strokeWidth: 1.2,
          strokeDasharray: speciesStyles[i % speciesStyles.length] as string,
          curve: 'step-after',
        }),
      ),
      ...species.flatMap((name) => {
        const points = curve(summary.det[name]).filter(
          ({ x, y }) => x > probit(least) && y > probit(least) && y < probit(0.5),
        );
        const end = points.at(-1);
        return end === undefined
          ? []
          : [
              Plot.text([end], {
                x: 'x',
                y: 'y',
                text: () => name,
                fill: attack,
                textAnchor: 'start',
                dx: 5,
                dy: -6,
              }),
            ];
      }),
      ...(compared === undefined
        ? []
        : [
            Plot.line(curve(compared.summary.det.all), {
              x: 'x',
              y: 'y',
              stroke: other,
              strokeWidth: 2.2,
              curve: 'step-after',
            }),
          ]),
      Plot.line(curve(summary.det.all), {
        x: 'x',
        y: 'y',
        stroke: ink,
        strokeWidth: 2.4,
        curve: 'step-after',
      }),
      Plot.dot(dots, { x: 'x', y: 'y', r: 5, fill: ink, stroke: 'var(--card)', strokeWidth: 2 }),
      Plot.text(dots, {
        x: 'x',
        y: 'y',
        text: 'name',
        textAnchor: 'start',
        dx: 9,
        dy: -9,
        fill: ink,
        fontWeight: 600,
        stroke: 'var(--card)',
        strokeWidth: 4,
      }),
    ],
  });
}

/** Of the answers near each P(live), how many were live. */
export function reliabilityPlot({ bins }: NonNullable<Summary['reliability']>): Html {
  return draw('Reliability of P(live)', {
    width: 520,
    height: 470,
    marginRight: 70,
    marginLeft: 58,
    marginBottom: 46,
    x: { domain: [0, 1], label: 'P(live) that was said', labelAnchor: 'center', labelArrow: 'none' },
    y: {
      domain: [0, 1],
      label: 'share that was live',
      labelAnchor: 'center',
      labelArrow: 'none',
      tickFormat: percentTick,
    },
    marks: [
      Plot.gridX({ stroke: grid, strokeOpacity: 1 }),
      Plot.gridY({ stroke: grid, strokeOpacity: 1 }),
      Plot.line(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        { x: 'x', y: 'y', stroke: muted, strokeDasharray: '2 4' },
      ),
      Plot.ruleX(
        bins.filter(({ live: share }) => share.low !== null),
        {
          x: 'mean',
          y1: ({ live: share }) => share.low,
          y2: ({ live: share }) => share.high,
          stroke: live,
          strokeOpacity: 0.5,
          strokeWidth: 3,
        },
      ),
      Plot.line(bins, { x: 'mean', y: ({ live: share }) => share.value, stroke: live, strokeWidth: 1.5 }),
      Plot.dot(bins, {
        x: 'mean',
        y: ({ live: share }) => share.value,
        fill: live,
        r: ({ mass }: { mass: number }) => Math.sqrt(mass),
        stroke: 'var(--card)',
      }),
    ],
    r: { range: [3, 11], domain: [0, 0.6] },
  });
}

/** Error rates of one kind of part, as dots with intervals, people and attacks in their colours. */
export interface PartErrors {
  readonly label: string;
  readonly bonaFide?: Estimate | undefined;
  readonly attack?: Estimate | undefined;
}

/** The parts as rows. */
export function partsPlot(label: string, parts: readonly PartErrors[]): Html {
  const rows = parts.flatMap(({ label: part, bonaFide, attack: spoof }) => [
    ...(bonaFide ? [{ part, ...bonaFide, colour: live, shift: spoof ? -5 : 0 }] : []),
    ...(spoof ? [{ part, ...spoof, colour: attack, shift: bonaFide ? 5 : 0 }] : []),
  ]);
  const widest = Math.max(0.1, ...rows.map(({ value, high }) => high ?? value));
  return draw(label, {
    width: 700,
    height: 56 + parts.length * 34,
    marginLeft: 170,
    marginTop: 26,
    marginBottom: 10,
    marginRight: 30,
    x: { domain: [0, Math.min(1, widest)], axis: 'top', label: null, tickFormat: percentTick, ticks: 6 },
    y: { domain: parts.map(({ label: part }) => part), label: null, tickSize: 0 },
    marks: [Plot.gridX({ stroke: grid, strokeOpacity: 1 }), ...intervalMarks(rows, 'y')],
  });
}

/** Fewer groups than this say nothing about a condition. */
export const fewestGroups = 3;

/** The classes of a condition from left to right. */
export function conditionPlot({ title, unit, classes }: Summary['conditions'][number]): Html {
  const rows = classes.flatMap(({ label: part, bonaFide, attack: spoof }) => [
    ...(bonaFide.error && bonaFide.groups >= fewestGroups
      ? [{ part, ...bonaFide.error, colour: live, shift: -6 }]
      : []),
    ...(spoof.error && spoof.groups >= fewestGroups
      ? [{ part, ...spoof.error, colour: attack, shift: 6 }]
      : []),
  ]);
  const widest = Math.max(0.1, ...rows.map(({ value, high }) => high ?? value));
  return draw(`Error rates by ${title.toLowerCase()}`, {
    width: 500,
    height: 230,
    marginLeft: 46,
    marginBottom: 44,
    marginTop: 14,
    x: {
      domain: classes.map(({ label: part }) => part),
      label: unit,
      labelAnchor: 'center',
      labelArrow: 'none',
      tickSize: 0,
      padding: 0.2,
    },
    y: { domain: [0, Math.min(1, widest)], label: null, tickFormat: percentTick, ticks: 5 },
    marks: [
      Plot.gridY({ stroke: grid, strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: muted }),
      ...intervalMarks(rows, 'x'),
    ],
  });
}

interface Marked extends Estimate {
  readonly part: string;
  readonly colour: string;
  /** Pixels beside the middle of the part. */
  readonly shift: number;
}

/** One mark for each, as a shift is a mark's and not a row's. */
function intervalMarks(rows: readonly Marked[], axis: 'x' | 'y'): Plot.Markish[] {
  return rows.flatMap((row) => {
    const at = axis === 'y' ? { y: 'part', dy: row.shift } : { x: 'part', dx: row.shift };
    const range = {
      ...at,
      stroke: row.colour,
      strokeOpacity: 0.45,
      strokeWidth: 4,
      strokeLinecap: 'round',
    } as const;
    const has = row.low !== null && row.high !== null;
    const rule =
      axis === 'y'
        ? Plot.ruleY([row], { ...range, x1: 'low', x2: 'high' })
        : Plot.ruleX([row], { ...range, y1: 'low', y2: 'high' });
    const value = axis === 'y' ? { x: 'value' } : { y: 'value' };
    return [
      ...(has ? [rule] : []),
      Plot.dot([row], { ...at, ...value, r: 5, fill: row.colour, stroke: 'var(--card)', strokeWidth: 1.5 }),
    ];
  });
}
