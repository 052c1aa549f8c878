// Made from the Rust types by `npm run build` (crates/schema). Do not edit.

/** Colours of classes 1, 2, 3, …, in curves and over images. */
export const CLASS_COLOURS = [
  '#e69f00',
  '#56b4e9',
  '#cc79a7',
  '#999933',
  '#882255',
  '#44aa99',
  '#332288',
  '#ddcc77',
  '#aa4499',
  '#117733',
  '#661100',
  '#ee6677',
  '#bbcc33',
  '#6699cc',
  '#997700',
  '#ee99aa',
] as const;

/** Dashes of the curves of classes 1, 2, 3, …: lengths of lines and gaps in turn; none for a solid line. */
export const CLASS_DASHES = [
  [],
  [10, 5],
  [2, 5],
  [10, 5, 2, 5],
] as const;

/** Colours of the curves of no class: training loss, validation loss, mean over classes. */
export const LINE_COLOURS = ['#0072b2', '#d55e00', '#009e73'] as const;
