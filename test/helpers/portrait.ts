/** A drawn figure in which every turn and mirroring shows: what the decoder's fixtures are made from. */

export const portraitSize = { width: 96, height: 64 } as const;

/** Five areas of one colour each, laid out so that no turn or mirror image of the figure equals another. */
export const portraitAreas = [
  { x: 0, y: 0, width: 32, height: 32, colour: [192, 0, 0] },
  { x: 32, y: 0, width: 64, height: 32, colour: [0, 160, 0] },
  { x: 0, y: 32, width: 64, height: 32, colour: [0, 0, 192] },
  { x: 64, y: 32, width: 32, height: 16, colour: [230, 230, 230] },
  { x: 64, y: 48, width: 32, height: 16, colour: [30, 30, 30] },
] as const;

export const portraitSvg = [
  `<svg xmlns="http://www.w3.org/2000/svg" width="${portraitSize.width}" height="${portraitSize.height}">`,
  ...portraitAreas.map(
    ({ x, y, width, height, colour }) =>
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="rgb(${colour})"/>`,
  ),
  '</svg>',
].join('');
