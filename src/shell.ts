/** Commands for people to paste. */

/** A word of a POSIX shell command that stands for exactly this text. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command that pulls weights.
 * @param dataFolder as it was set; its `models` folder is where they go.
 * @param id a profile's or a model's; without one, the best profile that can be had.
 */
export function pullCommand(dataFolder: string, id?: string): string {
  return [
    'npx bonafide models pull',
    ...(id === undefined ? [] : [id]),
    `--data ${shellWord(dataFolder)}`,
  ].join(' ');
}
