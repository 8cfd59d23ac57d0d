/** The measurements of a soak as one SVG file: panels below each other, over the same minutes, for light and dark. */

import * as Plot from '@observablehq/plot';
import { draw } from '../../src/evaluation/plots.ts';
import type { Sample } from './samples.ts';

const width = 860;
const height = 150;

interface Line {
  readonly of: (sample: Sample) => number;
  readonly label: string;
  readonly colour: string;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const megabytes = (bytes: number) => bytes / 1e6;

const panels: readonly Panel[] = [
  {
    title: 'resident memory, MB',
    lines: [
      { of: ({ rss, workerRss }) => megabytes(rss + workerRss), label: 'all', colour: 'var(--ink)' },
      { of: ({ workerRss }) => megabytes(workerRss), label: 'workers', colour: 'var(--live)' },
      { of: ({ rss }) => megabytes(rss), label: 'server', colour: 'var(--other)' },
      { of: ({ sparedRss }) => megabytes(sparedRss), label: 'one worker', colour: 'var(--spared)' },
      { of: ({ heap }) => megabytes(heap), label: 'server’s heap', colour: 'var(--attack)' },
    ],
  },
  {
    title: 'open files, threads and handles',
    lines: [
      { of: ({ fds }) => fds, label: 'files', colour: 'var(--ink)' },
      { of: ({ threads }) => threads, label: 'threads', colour: 'var(--live)' },
      { of: ({ handles }) => handles, label: 'handles', colour: 'var(--other)' },
    ],
  },
  {
    title: 'delay of the event loop, 99th percentile, ms',
    lines: [{ of: ({ loopMs }) => loopMs, label: '', colour: 'var(--ink)' }],
  },
  {
    title: 'outcomes of each interval',
    lines: [
      { of: ({ done }) => done, label: 'expected', colour: 'var(--ink)' },
      { of: ({ refused }) => refused, label: '503', colour: 'var(--other)' },
      { of: ({ unexpected }) => unexpected, label: 'unexpected', colour: 'var(--attack)' },
    ],
  },
];

const style = `text { font-family: system-ui, sans-serif; }
:root { --ink: #1c2024; --muted: #60646c; --grid: #e0e1e6; --live: #00749e; --attack: #ce2c31; --other: #8145b5; --spared: #946800; --card: #fff; }
@media (prefers-color-scheme: dark) {
:root { --ink: #edeef0; --muted: #b0b4ba; --grid: #363a3f; --live: #3db9cf; --attack: #ff9592; --other: #bf7af0; --spared: #ffca16; --card: #18191b; } }`;

/** @returns a whole SVG file. */
export function soakPlot(samples: readonly Sample[]): string {
  const end = (samples.at(-1)?.seconds ?? 0) / 60;
  const drawn = panels.map((panel, i) => {
    const svg = `${drawPanel(panel, samples, end, i === panels.length - 1)}`;
    return svg.replace('<svg ', `<svg y="${i * height + 4}" `);
  });
  const whole = panels.length * height + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${whole}" width="${width}" height="${whole}" role="img" aria-label="A soak: memory, open files, event-loop delay and outcomes over time"><style>${style}</style><rect width="100%" height="100%" fill="var(--card)"/><g color="var(--ink)">${drawn.join('')}</g></svg>\n`;
}

function drawPanel({ title, lines }: Panel, samples: readonly Sample[], end: number, isLast: boolean) {
  const at = ({ seconds }: Sample) => seconds / 60;
  const most = Math.max(1, ...lines.flatMap(({ of }) => samples.map(of)));
  return draw(title, {
    width,
    height,
    marginLeft: 50,
    marginRight: 90,
    marginTop: 26,
    marginBottom: 30,
    x: { domain: [0, end], label: isLast ? 'minutes' : null, labelArrow: 'none' },
    y: { domain: [0, most], label: null, ticks: 4 },
    marks: [
      Plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1 }),
      ...lines.map(({ of, colour }) =>
        Plot.lineY(samples, { x: at, y: of, stroke: colour, strokeWidth: 1.4 }),
      ),
      // Beside each other, as lines may end in the same place.
      ...lines.map(({ label, colour }, i) =>
        Plot.text([label], {
          frameAnchor: 'top-right',
          text: (text: string) => text,
          textAnchor: 'start',
          dx: 10,
          dy: 16 * i,
          fill: colour,
        }),
      ),
      Plot.text([title], {
        frameAnchor: 'top-left',
        dy: -18,
        fill: 'var(--muted)',
        text: (text: string) => text,
      }),
    ],
  });
}
