/** Tables for people: aligned columns without lines, which survive a pipe and a copy. */

import Table from 'cli-table3';

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** The rows under their head, one line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true };
  const lines = new Table({ head: [...head], chars: noLines, style });
  lines.push(...rows.map((row) => [...row]));
  return `${lines.toString().replace(/ +$/gm, '')}\n`;
}

/** The name of a file for a terminal: a stranger may have chosen it, and its control characters must not steer anything. */
export function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, '\ufffd');
}
