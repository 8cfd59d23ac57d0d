/** What a run found, as Markdown: the aims first, then a section for each measurement. */

import type { Machine } from './machine.ts';
import type { Spread } from './statistics.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Something the product is to reach, and whether this run did. */
export interface Aim {
  readonly aim: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface SectionReport {
  readonly title: string;
  /** How it was measured, a sentence each. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  readonly aims: readonly Aim[];
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
  /** Every value behind the tables, for the JSON file. */
  readonly data: unknown;
}

export interface Report {
  readonly machine: Machine;
  /** The command that makes it again. */
  readonly command: string;
  readonly sections: readonly SectionReport[];
}

/** The whole report. */
export function toMarkdown(report: Report): string {
  return [headMarkdown(report), ...report.sections.map(sectionMarkdown)].join('\n');
}

/** What comes before the sections: the machine, and each aim with what was measured. */
export function headMarkdown({ machine, command, sections }: Report): string {
  const aims = sections.flatMap((section) => section.aims);
  return paragraphs([
    '# Benchmark',
    `Made by \`${command}\`. Another machine gives other milliseconds; the ratios were measured in one run, in turns, and carry further. Values are medians, with the quartiles behind them.`,
    table(
      ['Machine', ''],
      Object.entries(machine).map(([fact, value]) => [fact, String(value)]),
    ),
    ...(aims.length === 0
      ? []
      : [
          '## Aims',
          table(
            ['Aim', 'Measured', 'Met'],
            aims.map(({ aim, measured, met }) => [aim, measured, met ? 'yes' : '**no**']),
          ),
        ]),
  ]);
}

export function sectionMarkdown({ title, method, tables, skipped }: SectionReport): string {
  return paragraphs([
    `## ${title}`,
    method.join(' '),
    ...skipped.map((reason) => `**Not measured:** ${reason}`),
    ...tables.flatMap((one) => [`### ${one.title}`, table(one.columns, one.rows)]),
  ]);
}

/** Everything, to the microsecond; lists of numbers on one line each. */
export function toJson(report: Report): string {
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toFixed(3)) : value;
  const text = JSON.stringify(report, rounded, 1);
  return `${text.replace(/\[[\s\d.,e+-]+\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}

function paragraphs(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Three figures are what such measurements are good for; small ones get two places at most. */
export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A median and its quartiles. */
export function withQuartiles({ median, lower, upper }: Spread): string {
  return `${figure(median)} (${figure(lower)}–${figure(upper)})`;
}
