/** The score dial: P(live) on a half circle, with the threshold of each operating point marked. */

import { css, html, nothing, svg, type TemplateResult } from 'lit';
import { type PointName, pointNames } from './reading.ts';

export const dialStyles = css`
  .dial {
    display: block;
    width: 100%;
    max-width: 18rem;
    height: auto;
    overflow: visible;
  }
  .dial .track {
    stroke: var(--dial-track, var(--hover));
  }
  .dial .zone-attack {
    stroke: color-mix(in srgb, var(--attack) 22%, var(--surface));
  }
  .dial .zone-unsure {
    stroke: color-mix(in srgb, var(--faint) 22%, var(--surface));
  }
  .dial .zone-live {
    stroke: color-mix(in srgb, var(--live) 24%, var(--surface));
  }
  .dial .needle {
    fill: var(--ink);
    stroke: var(--surface);
  }
  .dial .value {
    stroke: var(--accent);
  }
  .dial .value.live {
    stroke: var(--live);
  }
  .dial .value.attack {
    stroke: var(--attack);
  }
  .dial .gap {
    stroke: var(--surface);
  }
  .dial .mark {
    stroke: var(--faint);
  }
  .dial .mark.chosen {
    stroke: var(--ink);
  }
  .dial text {
    fill: var(--faint);
    font-family: var(--font);
    font-size: 10px;
  }
  .dial text.chosen {
    fill: var(--ink);
    font-weight: 650;
  }
  .dial :is(text.figure, text.caption) {
    text-anchor: middle;
  }
  .dial text.figure {
    fill: var(--ink);
    font-weight: 680;
    font-size: 30px;
    font-variant-numeric: tabular-nums;
    letter-spacing: -0.03em;
  }
  .dial text.caption {
    font-size: 10.5px;
  }
`;

interface DialFacts {
  /** 0..1. */
  readonly value: number;
  /** Written in the middle, and under that what it is. */
  readonly figure: string;
  readonly caption: string;
  /** For who does not see it. */
  readonly label: string;
  readonly verdict?: 'live' | 'attack' | undefined;
  readonly thresholds?: Readonly<Record<PointName, number>> | undefined;
  readonly chosen?: PointName | undefined;
  readonly names: Readonly<Record<PointName, string>>;
}

const centre = { x: 130, y: 108 };
const radius = 84;

/** A position on the half circle, from its left end (0) to its right end (1). */
function at(value: number, distance: number): { x: number; y: number } {
  const angle = Math.PI * (1 - Math.min(Math.max(value, 0), 1));
  return {
    x: Math.round((centre.x + distance * Math.cos(angle)) * 100) / 100,
    y: Math.round((centre.y - distance * Math.sin(angle)) * 100) / 100,
  };
}

function arc(from: number, to: number): string {
  const [a, b] = [at(from, radius), at(to, radius)];
  return `M${a.x} ${a.y}A${radius} ${radius} 0 0 1 ${b.x} ${b.y}`;
}

export function dial(facts: DialFacts): TemplateResult {
  const { value, figure, caption, label, verdict, thresholds, chosen, names } = facts;
  const zones =
    thresholds === undefined
      ? svg`<path class="track" d=${arc(0, 1)} />`
      : svg`
          <path class="zone-attack" d=${arc(0, thresholds.weak)} />
          <path class="zone-unsure" d=${arc(thresholds.weak, thresholds.strict)} />
          <path class="zone-live" d=${arc(thresholds.strict, 1)} />`;
  const tip = at(value, radius);
  return html`<svg class="dial" viewBox="0 0 260 132" role="img" aria-label=${label}>
    <g fill="none" stroke-width="11">${zones}</g>
    <path class="value ${verdict ?? ''}" d=${arc(0, Math.max(value, 0.004))} fill="none" stroke-width="11"  />
    ${
      thresholds === undefined
        ? nothing
        : pointNames.map((name) => mark(name, thresholds, name === chosen, names[name]))
    }
    <circle class="needle" cx=${tip.x} cy=${tip.y} r="8" stroke-width="3" />
    <text class="figure" x=${centre.x} y=${centre.y - 14}>${figure}</text>
    <text class="caption" x=${centre.x} y=${centre.y + 4}>${caption}</text>
  </svg>`;
}

function mark(
  name: PointName,
  thresholds: Readonly<Record<PointName, number>>,
  isChosen: boolean,
  word: string,
): TemplateResult {
  const value = thresholds[name];
  // A gap in the arc, whatever its colour is there, and a line beyond it.
  const [a, b, c] = [at(value, radius - 7), at(value, radius + 7), at(value, radius + 12)];
  const place = labelAt(name, thresholds);
  const text = at(place, radius + 17);
  const side = place < 0.4 ? 'end' : place > 0.6 ? 'start' : 'middle';
  const chosen = isChosen ? 'chosen' : '';
  return svg`
    <line class="gap" x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y} stroke-width="3" />
    <line class="mark ${chosen}" x1=${b.x} y1=${b.y} x2=${c.x} y2=${c.y} stroke-width=${isChosen ? 3 : 1.5} />
    <text class=${chosen} text-anchor=${side} x=${text.x} y=${text.y + 3}>${word}</text>`;
}

/** Where the word of a mark stands: thresholds may lie so close together that words would lie on each other. */
function labelAt(name: PointName, { weak, balanced, strict }: Readonly<Record<PointName, number>>): number {
  const apart = 0.14;
  if (name === 'balanced') return balanced;
  return name === 'weak' ? Math.min(weak, balanced - apart) : Math.max(strict, balanced + apart);
}
